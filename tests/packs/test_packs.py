"""The packs that ship hold what they promise: they check without an error, and the newborn event asks four things."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from furong.domains.catalogue.kinds import dictionary_of
from furong.domains.decisions import DecisionModel
from furong.domains.processes.values.graph import ProcessDefinition
from furong.domains.services.values.items import Item
from furong.domains.services.values.life_events import compose, in_order_of_needs, needs_of
from furong.domains.services.values.shapes import Shape
from furong.foundation.packs.queries import check_pack, read_pack
from furong.foundation.packs.values import Pack
from tests.packs.planting import HUNAN, TINY


@pytest.fixture(scope="module")
def hunan() -> Pack:
    return read_pack(HUNAN)


@pytest.mark.parametrize("pack", [HUNAN, TINY], ids=["hunan", "lakeland"])
def test_a_pack_that_ships_has_no_errors(pack: Any) -> None:
    assert [f.format() for f in check_pack(pack) if f.is_error] == []


def test_the_mother_is_asked_four_things_and_a_fifth_only_when_the_parents_groups_differ(hunan: Pack) -> None:
    composed = compose(hunan.values("life_event")["newborn"], hunan.values("form"))
    always = [str(f.element) for f in composed.form.asked() if f.show_if is None]
    sometimes = [str(f.element) for f in composed.form.asked() if f.show_if is not None]
    assert always == ["newborn.name", "newborn.household_with", "benefit.account_number", "delivery.method"]
    assert sometimes == ["newborn.ethnicity"]


def test_six_items_of_five_departments_wait_for_each_other_in_order(hunan: Pack) -> None:
    items: Mapping[str, Item] = hunan.values("item")
    event = hunan.values("life_event")["newborn"]
    needs = needs_of(event, items, dictionary_of(hunan))
    assert needs["birth_certificate"] == ()
    assert needs["household_registration"] == ("birth_certificate",)
    assert needs["social_security_card"] == ("household_registration",)
    assert in_order_of_needs(needs)[:2] == ["birth_certificate", "household_registration"]
    own = [items[code] for code in event.item_codes()]
    assert len(own) == 6
    assert len({item.department for item in own}) == 5


def test_each_department_sees_its_own_elements_only(hunan: Pack) -> None:
    items: Mapping[str, Item] = hunan.values("item")
    sees_account = {code for code, item in items.items() if "benefit.account_number" in item.inputs}
    sees_weight = {code for code, item in items.items() if "newborn.weight_g" in item.inputs}
    assert sees_account == {"maternity_benefit"}
    assert sees_weight == {"birth_certificate"}


def test_no_material_of_the_newborn_event_is_brought_by_the_parents(hunan: Pack) -> None:
    items: Mapping[str, Item] = hunan.values("item")
    own = hunan.values("life_event")["newborn"].item_codes()
    assert {m.source.channel.value for code in own for m in items[code].materials} <= {"register", "item"}


def test_every_process_is_drawn_and_ends_in_a_certificate(hunan: Pack) -> None:
    processes: Mapping[str, ProcessDefinition] = hunan.values("process")
    items: Mapping[str, Item] = hunan.values("item")
    shapes: Mapping[str, Shape] = hunan.values("shape")
    assert set(processes) == {code for code, item in items.items() if item.shape is None}
    ends = {code: items[code].result.licence_type for code in processes}
    own = hunan.values("life_event")["newborn"].item_codes()
    drawn = {**processes, **hunan.values("shape_process")}
    ends |= {code: shape.licence_type for code, shape in shapes.items()}
    assert all(process.has_drawing for process in drawn.values())
    for code, process in drawn.items():
        if code not in shapes and code not in own:
            continue
        assert f'type: "{ends[code]}"' in next(
            node.input.text
            for node in process.nodes.values()
            if node.service and node.service.handler == "licences.issue" and node.input
        )
        assert {n.work.kind.text for n in process.nodes.values() if n.work} >= {"acceptance", "decision"}


FACTS = {
    "newborn": {"name": "周芷沅", "born_on": "2026-11-01", "household_with": "father", "ethnicity": None},
    "mother": {"ethnicity": "15", "insured_kind": None, "contribution_base_fen": None},
    "father": {"household_id": "one", "person_id": "two"},
    "delivery": {"method": "mail"},
    "birth_record": {"record_id": "r"},
}


def _decide(pack: Pack, item: str, decision: str, changes: Mapping[str, Mapping[str, object]] | None = None) -> Any:
    from datetime import UTC, datetime

    model: DecisionModel = pack.values("decision")[item]
    facts = {k: {**v, **(changes or {}).get(k, {})} for k, v in FACTS.items()}
    result = model.evaluate(decision, facts, now=datetime(2026, 11, 20, 1, tzinfo=UTC))
    assert result.errors == ()
    return result.outputs[decision]


@pytest.mark.parametrize(
    ("chosen", "father", "joins"),
    [("father", "one", "father"), ("father", None, "mother"), ("mother", "one", "mother")],
)
def test_a_child_joins_the_chosen_household_when_there_is_one(
    hunan: Pack, chosen: str, father: str | None, joins: str
) -> None:
    found = _decide(
        hunan,
        "household_registration",
        "household",
        {"newborn": {"household_with": chosen}, "father": {"household_id": father}},
    )
    assert found["household_with"] == joins
    assert found["ethnicity"] == "15"


@pytest.mark.parametrize(("born_on", "late"), [("2026-10-20", False), ("2026-10-19", True), ("2026-11-19", False)])
def test_a_declaration_after_a_month_is_marked_late(hunan: Pack, born_on: str, late: bool) -> None:
    found = _decide(hunan, "household_registration", "household", {"newborn": {"born_on": born_on}})
    assert found["late"] is late


@pytest.mark.parametrize(("born_on", "covered_from"), [("2026-08-22", "2026-08-22"), ("2026-08-21", "2026-11-20")])
def test_a_child_enrolled_within_ninety_days_is_covered_from_birth(
    hunan: Pack, born_on: str, covered_from: str
) -> None:
    found = _decide(hunan, "medical_insurance_enrolment", "enrolment", {"newborn": {"born_on": born_on}})
    assert found["covered_from"] == covered_from


def test_an_employee_gets_the_allowance_and_a_resident_the_lump_sum(hunan: Pack) -> None:
    employee = _decide(
        hunan,
        "maternity_benefit",
        "benefit",
        {
            "mother": {"insured_kind": "employee", "contribution_base_fen": 600_000},
            "newborn": {"gestation_weeks": 39},
        },
    )
    resident = _decide(hunan, "maternity_benefit", "benefit", {"mother": {"insured_kind": "resident"}})
    assert (employee["kind"], employee["days"], employee["amount_yuan"]) == ("生育津贴", 158, 31600)
    assert (resident["kind"], resident["amount_yuan"]) == ("生育医疗费用补助", 1500)
