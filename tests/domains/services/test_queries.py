"""Services from published definitions: items, life events, their forms, what a case pins, what registers fill in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from uuid import UUID

import pytest

from furong.domains.catalogue.errors import ElementMissing
from furong.domains.catalogue.queries import get_element, list_elements
from furong.domains.catalogue.values import DataElement
from furong.domains.services import queries
from furong.domains.services.errors import FormMissing, ItemMissing, LifeEventMissing
from furong.domains.services.values import prefill as port
from furong.domains.services.values.prefill import Prefilled, Subject, register_prefill_source
from furong.foundation.access.values import Actor, Basis
from furong.foundation.packs import commands as packs
from furong.foundation.packs.errors import DefinitionMissing
from furong.foundation.packs.queries import forget_cache, get_definition
from furong.foundation.packs.values import both
from tests.packs.planting import TINY, Planted, copy_of

pytestmark = pytest.mark.usefixtures("database")

NOW = datetime(2026, 11, 20, 2, tzinfo=UTC)
TODAY = date(2026, 11, 20)
EDITOR = Actor.system("tests")


@pytest.fixture
def tiny(tmp_path: Path) -> Planted:
    forget_cache()
    pack = copy_of(TINY, tmp_path)
    packs.import_pack(path=pack.root, actor=EDITOR, now=NOW)
    return pack


@pytest.fixture
def sources() -> Iterator[None]:
    before = dict(port._SOURCES)
    port._SOURCES.clear()
    yield
    port._SOURCES.clear()
    port._SOURCES.update(before)


def test_an_item_is_given_as_the_organisation_of_its_division_does_it(tiny: Planted) -> None:
    basic = queries.get_item(code="mooring_permit", division_code="L1", on=TODAY)
    shore = queries.get_item(code="mooring_permit", division_code="L1A", on=TODAY)
    assert basic.applied == ()
    assert shore.applied == ("north_shore",)
    assert shore.item.clock is not None
    assert shore.item.clock.effective.days == 2
    assert shore.item.places[0].address.pick("en") == "Pier 7"
    assert [i.code for i in queries.list_items(on=TODAY, department="harbour")] == ["mooring_permit"]
    with pytest.raises(ItemMissing):
        queries.get_item(code="moon", on=TODAY)
    with pytest.raises(ItemMissing):
        queries.get_item(code="mooring_permit", on=date(2025, 1, 1))


def test_a_countys_override_survives_a_new_version_of_the_basic_item(tiny: Planted) -> None:
    tiny.replace("items/mooring_permit/item.yaml", "  promised: {days: 5,", "  promised: {days: 9,")
    packs.import_pack(path=tiny.root, actor=EDITOR, now=NOW)
    basic = queries.get_item(code="mooring_permit", division_code="L1", on=TODAY).item
    shore = queries.get_item(code="mooring_permit", division_code="L1A", on=TODAY).item
    assert basic.clock is not None
    assert shore.clock is not None
    assert (basic.clock.effective.days, shore.clock.effective.days) == (9, 2)


def test_a_life_event_comes_with_its_items_in_the_order_of_their_needs(tiny: Planted) -> None:
    event = queries.get_life_event(code="new_boat", on=TODAY)
    assert event.order == ("boat_registration", "mooring_permit")
    assert event.needs["mooring_permit"] == ("boat_registration",)
    assert [e.code for e in queries.list_life_events(on=TODAY, audience="person")] == ["new_boat"]
    assert queries.list_life_events(on=TODAY, audience="enterprise") == []
    assert queries.get_needs(event=event, chosen=[], on=TODAY) == {"boat_registration": ()}
    with pytest.raises(LifeEventMissing):
        queries.get_life_event(code="moon", on=TODAY)


def test_a_life_events_form_is_compiled_once_for_the_chosen_items(tiny: Planted) -> None:
    event = queries.get_life_event(code="new_boat", on=TODAY)
    whole = queries.get_life_event_form(event=event)
    assert whole is queries.get_life_event_form(event=event)
    assert [p.code for p in whole.pages] == ["boat", "papers", "berth"]
    assert whole.digest == event.digest
    assert [p.code for p in queries.get_life_event_form(event=event, chosen=[]).pages] == ["boat", "papers"]


def test_a_closure_pins_every_part_and_is_still_there_when_all_have_changed(tiny: Planted) -> None:
    closure = queries.get_closure(code="boat_registration", on=TODAY)
    event = queries.get_life_event(code="new_boat", on=TODAY)
    assert closure.digest == event.closures["boat_registration"].digest
    for file, old, new in (
        ("item.yaml", "en: Handling}", "en: Work}"),
        ("form.yaml", "en: Has it a motor?}", "en: A motor?}"),
        ("process.bpmn", 'name="Acceptance"', 'name="Intake"'),
        ("rules.dmn", "&lt; 5", "&lt; 6"),
    ):
        tiny.replace(f"items/boat_registration/{file}", old, new)
    packs.import_pack(path=tiny.root, actor=EDITOR, now=NOW)
    changed = queries.get_closure(code="boat_registration", on=TODAY)
    assert all(getattr(closure, part) != getattr(changed, part) for part in ("item", "form", "process", "decision"))
    pinned = queries.get_pinned(digest=closure.digest)
    assert pinned == closure
    assert queries.get_pinned_item(digest=closure.digest).steps[0].name.pick("en") == "Handling"
    assert b"Acceptance" in get_definition(digest=pinned.process).content
    old_event = queries.get_pinned_life_event(digest=event.digest, on=TODAY)
    old_field = queries.get_life_event_form(event=old_event).page("boat").form_class.base_fields["boat-has_motor"]
    assert str(old_field.label) == "Onko moottori?"
    assert queries.get_life_event(code="new_boat", on=TODAY).digest != event.digest


def test_a_closure_of_a_day_to_come_is_kept_too(tiny: Planted) -> None:
    tiny.replace("items/mooring_permit/item.yaml", "in_force_from: 2026-01-01", "in_force_from: 2027-05-01")
    packs.import_pack(path=tiny.root, actor=EDITOR, now=NOW)
    later = queries.get_closure(code="mooring_permit", on=date(2027, 5, 1))
    assert later != queries.get_closure(code="mooring_permit", on=TODAY)
    assert queries.get_pinned(digest=later.digest) == later


def test_what_is_not_published_is_refused(tiny: Planted) -> None:
    with pytest.raises(FormMissing):
        queries.get_compiled_form(digest="0" * 64)
    with pytest.raises(DefinitionMissing):
        queries.get_pinned(digest="0" * 64)
    event = queries.get_life_event(code="new_boat", on=TODAY)
    with pytest.raises(DefinitionMissing):
        queries.get_pinned(digest=event.digest)


def test_the_dictionary_answers_for_its_elements(tiny: Planted) -> None:
    assert get_element(code="boat.number", on=TODAY).source.name == "boat_registration"
    assert [e.code for e in list_elements(on=TODAY, owner="harbour")] == [
        "mooring.place_number",
        "mooring.season",
    ]
    with pytest.raises(ElementMissing):
        get_element(code="boat.colour", on=TODAY)


OWNER = UUID("01937000-0000-7000-8000-000000000001")


class Register:
    """A register that remembers what it was asked."""

    def __init__(self, values: Mapping[str, object]) -> None:
        self.values = values
        self.asked: list[tuple[list[str], dict[str, UUID]]] = []

    def prefill(
        self, *, elements: Sequence[DataElement], subject: Subject, actor: Actor, basis: Basis, now: datetime
    ) -> Mapping[str, Prefilled]:
        self.asked.append(([e.code for e in elements], dict(subject.persons)))
        return {
            code: Prefilled(element=code, value=value, source=both("库", "Register"))
            for code, value in self.values.items()
        }


@pytest.mark.usefixtures("sources")
def test_registers_are_asked_for_what_is_theirs_and_first_for_who_the_persons_are(tiny: Planted) -> None:
    people = Register({"owner.person_id": str(OWNER), "owner.name": "Aino", "boat.name": "not mine to say"})
    register_prefill_source("population", people)
    found = queries.prefill(
        elements=["owner.name", "owner.person_id", "boat.name", "boat.number", "moon.phase"],
        subject=Subject(applicant_person_id=OWNER),
        actor=EDITOR,
        basis=Basis(purpose="tests"),
        on=TODAY,
        now=NOW,
    )
    assert people.asked == [(["owner.person_id"], {}), (["owner.name"], {"owner": OWNER})]
    assert {code: p.value for code, p in found.items()} == {"owner.person_id": str(OWNER), "owner.name": "Aino"}
