"""Packs that break a rule are refused, and the finding names file, line, element and source."""

from __future__ import annotations

from pathlib import Path

import pytest

from furong.domains.services.checks.scope import use_handlers
from tests.packs.planting import HUNAN, TINY, Planted, copy_of

HOUSEHOLD = "items/household_registration"
BOAT = "items/boat_registration"
MOORING = "items/mooring_permit"


@pytest.fixture
def hunan(tmp_path: Path) -> Planted:
    return copy_of(HUNAN, tmp_path)


@pytest.fixture
def tiny(tmp_path: Path) -> Planted:
    return copy_of(TINY, tmp_path)


def test_the_planted_packs_are_sound_before_anything_is_planted(hunan: Planted, tiny: Planted) -> None:
    assert hunan.errors() == []
    assert tiny.errors() == []


def test_a_form_that_asks_what_a_register_holds_is_refused_with_the_register(hunan: Planted) -> None:
    line = hunan.replace(
        f"{HOUSEHOLD}/form.yaml",
        "{element: father.id_number, type: identity_number, prefill: show,",
        "{element: father.id_number, type: identity_number,",
    )
    found = [f for f in hunan.check() if f.is_error]
    assert [(f.line, f.element, f.rule) for f in found] == [(line, "father.id_number", "ask_once.register")]
    assert found[0].file == f"{hunan.root}/{HOUSEHOLD}/form.yaml"
    assert "population of police" in found[0].message.pick("en")
    assert "data_elements/population.yaml:" in found[0].message.pick("en")
    assert "prefill: show" in found[0].mend.pick("zh")
    assert (
        found[0]
        .format()
        .startswith(f"{hunan.root}/{HOUSEHOLD}/form.yaml:{line}: father.id_number: ask_once.register: ")
    )


def test_a_form_that_asks_for_another_items_output_is_refused_with_the_item(tiny: Planted) -> None:
    line = tiny.append(
        f"{MOORING}/form.yaml",
        "          - {element: boat.number, type: text, label: {lkl: Numero, en: Number}}\n",
    )
    found = [f for f in tiny.check() if f.is_error]
    assert [(f.line, f.element, f.rule) for f in found] == [(line, "boat.number", "ask_once.item")]
    assert "boat_registration of the same life event new_boat" in found[0].message.pick("en")


def test_a_form_may_ask_by_law_and_the_law_is_shown_as_a_warning(hunan: Planted) -> None:
    line = hunan.replace(
        f"{HOUSEHOLD}/form.yaml",
        '{element: father.address, type: text, prefill: show, label: {zh: "户籍地址", en: "Registered address"}}',
        """element: father.address
            type: text
            label: {zh: 户籍地址, en: Registered address}
            ask_because:
              reason: {zh: 迁移途中, en: In the middle of a move}
              legal_basis:
                - {law: {zh: 户口登记条例, en: Household rules}, clause: {zh: 第十条, en: art. 10}}""",
    )
    found = [f for f in hunan.check() if f.rule.startswith("ask_once")]
    assert [(f.line, f.rule, f.is_error) for f in found] == [(line + 4, "ask_once.exception", False)]
    assert "户口登记条例第十条" in found[0].message.pick("zh")
    assert hunan.errors() == []


def test_an_exception_without_a_legal_basis_is_refused(hunan: Planted) -> None:
    hunan.replace(
        f"{HOUSEHOLD}/form.yaml",
        "{element: father.address, type: text, prefill: show, label:",
        "{element: father.address, type: text, ask_because: {reason: {zh: 想要, en: wanted}}, label:",
    )
    assert [rule for *_, rule in hunan.errors()] == ["schema.missing"]


PLANTED_IN_TINY = {
    "an unknown element": (
        f"{BOAT}/form.yaml",
        "{element: boat.name, type: text, max_length: 40,",
        "{element: boat.nmae, type: text, max_length: 40,",
        "boat.nmae",
        {"element.unknown"},
    ),
    "a wrong type of field": (
        f"{BOAT}/form.yaml",
        "            type: integer\n",
        "            type: phone\n",
        "boat.motor_kw",
        {"form.type"},
    ),
    "an option the element does not know": (
        f"{MOORING}/form.yaml",
        "              - {code: summer, label: {lkl: Kesa, en: Summer}}",
        "              - {code: winter, label: {lkl: Talvi, en: Winter}}",
        "mooring.season",
        {"form.options"},
    ),
    "a field the department may not see": (
        f"{MOORING}/item.yaml",
        "inputs: [owner.person_id, owner.name, boat.name, boat.length_m, boat.number, mooring.season]",
        "inputs: [owner.person_id, owner.name, boat.name, boat.length_m, boat.number]",
        "mooring.season",
        {"form.not_an_input"},
    ),
    "an output of another item": (
        f"{MOORING}/item.yaml",
        "outputs: [mooring.place_number]",
        "outputs: [mooring.place_number, boat.name]",
        "boat.name",
        {"item.output_of_another"},
    ),
    "an element whose item does not supply it": (
        f"{BOAT}/item.yaml",
        "outputs: [boat.number]",
        "outputs: []",
        "boat.number",
        {"element.no_such_output", "process.output_unknown"},
    ),
    "a promise beyond the law": (
        f"{MOORING}/item.yaml",
        "  promised: {days: 5, unit: working}",
        "  promised: {days: 21, unit: working}",
        "clock.promised",
        {"item.promised_too_long"},
    ),
    "a county's promise beyond the law": (
        "implementations/north_shore.yaml",
        "  promised: {days: 2, unit: working}",
        "  promised: {days: 22, unit: working}",
        "set.promised",
        {"item.promised_too_long", "implementation.promised_longer"},
    ),
    "a missing text in the first language": (
        f"{BOAT}/form.yaml",
        "title: {lkl: Vene, en: The boat}",
        "title: {en: The boat}",
        "pages[0].title",
        {"text.missing"},
    ),
    "a text in a language the pack has not": (
        f"{BOAT}/form.yaml",
        "title: {lkl: Vene, en: The boat}",
        "title: {lkl: Vene, sv: Baten}",
        "pages[0].title.sv",
        {"text.language"},
    ),
    "a condition that is not FEEL": (
        f"{BOAT}/form.yaml",
        "            show_if: boat.has_motor = true",
        "            show_if: __import__('os').system('x')",
        "boat.motor_kw",
        {"feel.syntax"},
    ),
    "a condition on an element nobody knows": (
        f"{BOAT}/form.yaml",
        "            show_if: boat.has_motor = true",
        "            show_if: boat.has_sail = true",
        "boat.motor_kw",
        {"feel.element"},
    ),
    "a condition that is a sum": (
        f"{BOAT}/form.yaml",
        "            show_if: boat.has_motor = true",
        "            show_if: boat.length_m + 1",
        "boat.motor_kw",
        {"feel.not_boolean"},
    ),
    "a condition that is an element of another type": (
        f"{BOAT}/form.yaml",
        "            show_if: boat.has_motor = true",
        "            show_if: boat.length_m",
        "boat.motor_kw",
        {"feel.not_boolean"},
    ),
    "a condition on a name that is no element": (
        f"{BOAT}/form.yaml",
        "            show_if: boat.has_motor = true",
        "            show_if: weather = 1",
        "boat.motor_kw",
        {"feel.name"},
    ),
    "a process that reads what the item has not": (
        f"{MOORING}/process.bpmn",
        '"M-" + boat.number',
        '"M-" + boat.motor_kw',
        "boat.motor_kw",
        {"process.element_unknown"},
    ),
    "a decision table that reads what the item has not": (
        f"{BOAT}/rules.dmn",
        "<text>boat.length_m</text>",
        "<text>boat.colour</text>",
        "boat.colour",
        {"process.element_unknown"},
    ),
    "a decision that is not there": (
        f"{BOAT}/process.bpmn",
        'furong:decision="rules#class"',
        'furong:decision="rules#colour"',
        "class",
        {"process.decision_unknown"},
    ),
    "an item that does not exist in a life event": (
        "life_events/new_boat.yaml",
        "  - {item: boat_registration}",
        "  - {item: boat_registration, needs: [mooring]}",
        "mooring",
        {"life_event.needs_unknown"},
    ),
    "items that wait for each other": (
        "life_events/new_boat.yaml",
        "  - {item: boat_registration}",
        "  - {item: boat_registration, needs: [mooring_permit]}",
        "boat_registration",
        {"life_event.cycle"},
    ),
    "an upload of what a register holds": (
        f"{BOAT}/item.yaml",
        "    source: {channel: applicant}",
        "    source: {channel: register, name: owner.name}",
        "boat.photo",
        {"material.upload_of_held"},
    ),
    "a second source": (
        "data_elements/boats.yaml",
        "source: {item: boat_registration}}",
        "source: {item: boat_registration, register: boats, field: number}}",
        "elements[0].source",
        {"catalogue.second_source"},
    ),
    "an unknown key": (
        f"{BOAT}/form.yaml",
        "            show_if: boat.has_motor = true",
        "            shwo_if: boat.has_motor = true",
        "pages[0].groups[1].fields[3].shwo_if",
        {"schema.unknown_key"},
    ),
    "fields that cannot be merged": (
        f"{MOORING}/form.yaml",
        "{element: boat.name, type: text, max_length: 60,",
        "{element: boat.name, type: long_text, max_length: 60,",
        "boat.name",
        {"life_event.merge_conflict"},
    ),
    "an unknown department": (
        f"{MOORING}/item.yaml",
        "department: harbour\npower_source",
        "department: airport\npower_source",
        "department",
        {"item.department"},
    ),
}


@pytest.mark.parametrize(
    ("file", "old", "new", "element", "rules"), PLANTED_IN_TINY.values(), ids=PLANTED_IN_TINY.keys()
)
def test_a_planted_violation_is_refused_on_its_line(
    tiny: Planted, file: str, old: str, new: str, element: str, rules: set[str]
) -> None:
    line = tiny.replace(file, old, new)
    errors = tiny.errors()
    assert {rule for *_, rule in errors} == rules
    assert element in {e for _, _, e, _ in errors}
    if rules & {"form.not_an_input", "element.no_such_output", "material.upload_of_held"}:
        return  # the finding stands where the other file contradicts it
    places = {(f, at) for f, at, e, _ in errors if e == element}
    # a field's finding stands at the field, a few lines above the key that was changed
    assert any(f == file and line - 6 <= at <= line + 1 for f, at in places), errors


def test_two_owners_of_an_element_are_refused(tiny: Planted) -> None:
    tiny.write(
        "data_elements/more.yaml",
        """code: more
name: {lkl: Lisaa, en: More}
owner: harbour
elements:
  - {code: boat.name, name: {lkl: Toinen nimi, en: Another name}, type: text, source: {declared: applicant}}
  - {code: boat.title, name: {lkl: Veneen nimi, en: Title}, type: text, source: {declared: applicant}}
  - code: owner.label
    name: {lkl: Omistajan nimi 2, en: Label}
    type: text
    source: {register: population, field: name, of: applicant}
""",
    )
    assert tiny.errors() == [
        ("data_elements/more.yaml", 5, "boat.name", "catalogue.two_owners"),
        ("data_elements/more.yaml", 6, "boat.title", "catalogue.same_name"),
        ("data_elements/people.yaml", 9, "owner.name", "catalogue.same_source"),
    ]


def test_an_element_declared_twice_with_another_source_is_refused(tiny: Planted) -> None:
    tiny.write(
        "data_elements/zz.yaml",
        """code: zz
name: {lkl: Lisaa, en: More}
owner: boat_registry
elements:
  - {code: owner.name, name: {lkl: Omistajan nimi, en: Name}, type: name, source: {declared: applicant}}
""",
    )
    assert tiny.errors() == [("data_elements/zz.yaml", 5, "owner.name", "catalogue.second_source")]


def test_an_item_without_a_clock_is_refused(tiny: Planted) -> None:
    tiny.replace(
        f"{MOORING}/item.yaml",
        "clock:\n  statutory: {days: 20, unit: working}\n  promised: {days: 5, unit: working}\n",
        "",
    )
    assert [rule for *_, rule in tiny.errors()] == ["item.no_clock"]


def test_a_handler_nobody_registered_is_refused_when_the_handlers_are_known(tiny: Planted) -> None:
    use_handlers(lambda: ["licences.issue"])
    try:
        found = tiny.errors()
    finally:
        use_handlers(None)
    assert {(f, e, rule) for f, _, e, rule in found} == {
        (f"{BOAT}/process.bpmn", "output", "process.handler_unknown"),
        (f"{MOORING}/process.bpmn", "output", "process.handler_unknown"),
    }
    assert tiny.errors() == []


def test_a_file_that_is_broken_is_one_finding_and_hides_no_other_file(tiny: Planted) -> None:
    tiny.write(f"{BOAT}/form.yaml", "code: boat_registration\ntitle: {lkl: x\n")
    tiny.replace("implementations/north_shore.yaml", "item: mooring_permit", "item: moorings")
    rules = {(f, rule) for f, _, _, rule in tiny.errors()}
    assert (f"{BOAT}/form.yaml", "yaml.syntax") in rules
    assert ("implementations/north_shore.yaml", "implementation.item_unknown") in rules
