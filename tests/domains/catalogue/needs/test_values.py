"""The ranking of demands, their moves, and how words meet what the catalogue describes."""

from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from furong.domains.catalogue.needs import matching
from furong.domains.catalogue.needs.figures import LEAST_PUBLIC, Served, Use
from furong.domains.catalogue.needs.matching import Described
from furong.domains.catalogue.needs.values import (
    MOST_BENEFIT,
    MOVES,
    URGENCY_POINTS,
    Benefit,
    DemandAct,
    DemandState,
    ReasonKind,
    Urgency,
    after,
    priority,
)

COUNTS = st.integers(0, MOST_BENEFIT)
BENEFITS = st.builds(Benefit, people=COUNTS, enterprises=COUNTS, cases=COUNTS, materials=COUNTS)


@given(st.sampled_from(Urgency), BENEFITS, st.integers(0, 50))
def test_a_rank_lies_between_nought_and_a_hundred_and_is_the_sum_of_its_parts(
    urgency: Urgency, benefit: Benefit, others: int
) -> None:
    found = priority(urgency=urgency, benefit=benefit, others=others)
    assert 0 <= found.total <= 100
    assert math.isclose(found.total, found.urgency + found.reach + found.relief + found.backing, abs_tol=0.05)


@given(st.sampled_from(Urgency), BENEFITS, COUNTS, st.integers(0, 3))
def test_more_benefit_urgency_or_backing_never_ranks_lower(
    urgency: Urgency, benefit: Benefit, more: int, others: int
) -> None:
    here = priority(urgency=urgency, benefit=benefit, others=others).total
    wider = Benefit(
        people=benefit.people + more,
        enterprises=benefit.enterprises,
        cases=benefit.cases,
        materials=benefit.materials,
    )
    assert priority(urgency=urgency, benefit=wider, others=others).total >= here
    assert priority(urgency=urgency, benefit=benefit, others=others + 1).total >= here
    assert priority(urgency=Urgency.EMERGENCY, benefit=benefit, others=others).total >= here


def test_the_formula_is_the_documented_one() -> None:
    found = priority(urgency=Urgency.URGENT, benefit=Benefit(people=9_999, cases=1_000, materials=2), others=1)
    assert (found.urgency, found.reach, found.relief, found.backing) == (28, 32.0, 6.6, 5)
    assert found.total == 71.6
    assert priority(urgency=Urgency.ORDINARY, benefit=Benefit()).total == 0
    ten = priority(urgency=Urgency.ORDINARY, benefit=Benefit(enterprises=10)).reach
    assert ten == priority(urgency=Urgency.ORDINARY, benefit=Benefit(people=100)).reach
    assert set(URGENCY_POINTS) == set(Urgency)


def test_a_demand_that_is_over_moves_no_more_and_only_time_or_a_ruling_reopens_a_refusal() -> None:
    for state in (DemandState.SUPPLIED, DemandState.UPHELD, DemandState.WITHDRAWN):
        assert not any(after(state, act) for act in DemandAct)
    assert {act for act in DemandAct if after(DemandState.REFUSED, act)} == {
        DemandAct.SUPPLY,
        DemandAct.ORDER,
        DemandAct.UPHOLD,
    }
    assert after(DemandState.ORDERED, DemandAct.REFUSE) is None, "what is ordered cannot be refused again"
    assert set(MOVES.values()) <= set(DemandState)


def test_a_need_is_cut_as_the_search_cuts_and_empty_words_join_nothing() -> None:
    found = matching.pieces("我们需要核对申请人的参保状态，以及 IC card 12")
    assert found == ["参保", "保状", "状态", "ic", "card"]
    assert matching.pieces("需要共享数据") == []
    assert len(matching.pieces("参" * 4 + "".join(map(chr, range(0x4E00, 0x4F00))))) == matching.MOST_TERMS


def test_words_of_the_need_are_put_together_again_for_the_reason() -> None:
    text = "参加基本医疗保险，并登记参保地"
    assert matching.phrases(text, ["基本", "本医", "医疗", "参保", "保地"]) == ["基本医疗", "参保地"]


def test_an_element_is_read_out_of_the_words_by_its_name_or_synonym_and_not_inside_a_longer_one() -> None:
    names = {
        "enterprise.credit_code": ["统一社会信用代码", "unified social credit code", "税号"],
        "code.plain": ["信用代码"],
        **{f"thing{n}.name": ["名称"] for n in range(4)},
    }
    assert matching.read_out("企业的统一社会信用代码和名称", names) == ["enterprise.credit_code"]
    assert matching.read_out("只要信用代码", names) == ["code.plain"]
    assert matching.read_out("发票上的税号", names) == ["enterprise.credit_code"]
    assert matching.read_out("Unified Social Credit Code of the firm", names) == ["enterprise.credit_code"]
    assert matching.read_out("没有", names) == []


def _one(code: str, name: str, **given: object) -> Described:
    defaults: dict[str, object] = {"summary": {}, "keywords": (), "items": (), "source_of": frozenset()}
    return Described(code=code, name={"zh": name}, **{**defaults, **given})  # type: ignore[arg-type]


def test_what_carries_a_chosen_element_comes_first_and_its_source_before_all() -> None:
    text = "残疾等级"
    weighed = matching.weights(dict.fromkeys(matching.pieces(text), 3))
    item = (("grade", {"zh": "等级"}, ("disability.grade",)),)
    every = [
        _one("named", "残疾等级说明"),
        _one("carrier", "补贴", items=item),
        _one("source", "证件", items=item, source_of=frozenset({"disability.grade"})),
        _one("nothing", "桥梁"),
    ]
    found = matching.ranked(
        matching.match(
            one,
            text=text,
            weighed=weighed,
            chosen=frozenset({"disability.grade"}),
            names={"disability.grade": {"zh": "残疾等级"}},
        )
        for one in every
    )
    assert [one.code for one in found] == ["source", "carrier", "named"]
    assert found[0].reasons[0].kind is ReasonKind.SOURCE
    assert found[0].reasons[0].what == {"zh": "残疾等级"}
    assert [(one.kind, one.words) for one in found[2].reasons] == [(ReasonKind.NAME, ("残疾等级",))]


def test_a_word_that_no_resource_has_counts_against_a_chance_hit() -> None:
    text = "候鸟迁徙路线影像"
    words = matching.pieces(text)
    weighed = matching.weights({word: 3 if word == "路线" else 0 for word in words})
    road = _one("road", "公路", items=(("route", {"zh": "路线编号"}, ()),))
    assert matching.ranked([matching.match(road, text=text, weighed=weighed)]) == []


@given(st.text(max_size=200))
def test_any_text_can_be_a_need(text: str) -> None:
    words = matching.pieces(text)
    found = matching.match(_one("x", "公路桥梁信息"), text=text, weighed=matching.weights(dict.fromkeys(words, 1)))
    assert 0 <= found.score <= 1


@given(st.integers(0, 30), st.integers(0, 30), st.integers(0, 30))
def test_the_public_is_told_no_number_of_people_or_cases_below_five(people: int, cases: int, enterprises: int) -> None:
    told = Served(calls=1, people=people, cases=cases, enterprises=enterprises, materials=cases).for_everybody()
    for shown, real in ((told.people, people), (told.cases, cases), (told.enterprises, enterprises)):
        assert shown == (real if real >= LEAST_PUBLIC else 0)


def test_a_use_rate_is_what_was_used_of_what_is_in_force() -> None:
    assert Use(grants=4, used=1).rate == 0.25
    assert Use(grants=4, used=1).unused == 3
    assert Use().rate is None


def test_a_pair_that_only_joins_two_words_weighs_nothing() -> None:
    weighed = matching.weights({"保和": 0, "等级": 2, "影像": 0})
    assert set(weighed) == {"等级", "影像"}
    assert weighed["影像"] == matching.UNKNOWN_WEIGHT
    assert weighed["等级"] > matching.UNKNOWN_WEIGHT
