"""The states of an objection: nothing opens what is closed but a ruling, and every open state has a way out."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from furong.domains.objections.values import MOVES, Act, State, after


@given(st.lists(st.sampled_from(list(Act)), max_size=12))
def test_whatever_is_tried_the_state_stays_one_of_the_table(acts: list[Act]) -> None:
    state = State.FILED
    for act in acts:
        following = after(state, act)
        if following is None:
            continue
        assert MOVES[state, act] is following
        state = following
    if state in {State.CORRECTED, State.CONFIRMED, State.WITHDRAWN}:
        assert all(after(state, act) is None for act in Act)


def test_every_open_state_can_be_left_by_correcting() -> None:
    for state in State:
        assert state.is_open == (after(state, Act.CORRECT) is not None)


def test_a_refused_objection_goes_on_only_by_a_ruling() -> None:
    assert {act for act in Act if after(State.REFUSED, act) is not None} == {Act.ASK_RULING}
