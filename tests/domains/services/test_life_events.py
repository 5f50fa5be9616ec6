"""Life events: who waits for whom, and how forms become one."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from furong.domains.services.errors import NeedsCycle
from furong.domains.services.values.life_events import (
    Composition,
    compose,
    find_cycle,
    in_order_of_needs,
)
from furong.foundation.packs.queries import read_pack
from tests.packs.planting import TINY

GRAPHS = st.dictionaries(
    st.sampled_from("abcdef"), st.lists(st.sampled_from("abcdef"), max_size=3, unique=True), max_size=6
).map(lambda g: {k: tuple(n for n in v if n in g) for k, v in g.items()})


@given(GRAPHS)
def test_needs_are_ordered_or_a_real_cycle_is_shown(needs: dict[str, tuple[str, ...]]) -> None:
    cycle = find_cycle(needs)
    if cycle:
        assert cycle[0] == cycle[-1]
        assert all(b in needs[a] for a, b in itertools.pairwise(cycle))
        with pytest.raises(NeedsCycle):
            in_order_of_needs(needs)
        return
    order = in_order_of_needs(needs)
    assert sorted(order) == sorted(needs)
    assert all(order.index(n) < order.index(code) for code in needs for n in needs[code])


def merged(chosen: list[str] | None = None) -> Composition:
    pack = read_pack(TINY)
    return compose(pack.values("life_event")["new_boat"], pack.values("form"), chosen)


def test_a_field_that_two_items_want_is_asked_once_by_the_strictest_rules() -> None:
    composed = merged()
    assert composed.conflicts == ()
    names = [f for f in composed.form.fields() if f.element == "boat.name"]
    lengths = [f for f in composed.form.fields() if f.element == "boat.length_m"]
    assert [f.max_length for f in names] == [40]
    assert [(f.minimum, f.maximum) for f in lengths] == [(1, 30)]
    assert composed.used_by["boat.name"] == ("boat_registration", "mooring_permit")
    assert [p.code for p in composed.form.pages] == ["boat", "papers", "berth"]


def test_an_item_that_was_left_out_asks_nothing() -> None:
    composed = merged([])
    assert composed.items == ("boat_registration",)
    assert "mooring.season" not in composed.form.elements()
    assert [f.maximum for f in composed.form.fields() if f.element == "boat.length_m"] == [60]
