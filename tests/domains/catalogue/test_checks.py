"""Each rule about resources, broken once: the finding names file, line, element and rule, in both languages, and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from furong.domains.catalogue.resources.values import FORMATS, TYPES_OF, FormatClass
from furong.domains.catalogue.values import ElementType
from furong.foundation.packs.queries import check_pack, read_pack
from tests.packs.planting import HUNAN, Planted, copy_of

INSURED = "resources/medical_insurance/insured_persons.yaml"
OUTLETS = "resources/medical_insurance/designated_institutions.yaml"
DRUGS = "resources/medical_insurance/insurance_drugs.yaml"
BIRTHS = "resources/police/household_registrations.yaml"
STATIONS = "resources/police/police_stations.yaml"
VACCINATIONS = "resources/disease_control/vaccinations.yaml"
ADOPTIONS = "resources/civil_affairs/adoptions.yaml"
REPORTS = "resources/market_regulation/enterprise_annual_reports.yaml"
CLASSES = "resource_classes/department.yaml"

# file, what stands there, what is written instead, the rule, and the element that the finding names
BROKEN = {
    "an unknown element": (
        INSURED,
        "element: mother.id_number",
        "element: mother.number",
        "element_unknown",
        "mother.number",
    ),
    "an item without element, name and type": (
        *(OUTLETS, "name: {zh: 等级, en: Grade}, type: C", "type: C", "item_incomplete", "grade"),
    ),
    "a field that the register lacks": (
        INSURED,
        "{code: insured_kind}",
        "{code: insured_type}",
        "item_incomplete",
        "insured_type",
    ),
    "another provider as source": (
        *(INSURED, "element: mother.id_number,", "element: mother.id_number, source: true,"),
        *("element_of_another", "mother.id_number"),
    ),
    "a source of what persons declare": (
        *(BIRTHS, "element: newborn.name}", "element: newborn.name, source: true}"),
        *("element_of_another", "newborn.name"),
    ),
    "a second source": (
        *(VACCINATIONS, "certificate_number, source: false", "certificate_number"),
        *("second_source", "newborn.vaccination_certificate_number"),
    ),
    "a type that is not the element's": (
        *(INSURED, "{code: insured_kind}", "{code: insured_kind, type: D}", "type", "mother.insured_kind"),
    ),
    "personal, and marked as not": (
        *(
            INSURED,
            "{code: insured_kind}",
            "{code: insured_kind, sensitive: false}",
            "sensitive",
            "mother.insured_kind",
        ),
    ),
    "a department that does not exist": (
        *(STATIONS, "item: police, group", "item: polis, group", "class_of_another", "class.item"),
    ),
    "a class that is not listed": (STATIONS, 'group: "001"', 'group: "009"', "class_unknown", "class"),
    "a number that is not the derived one": (
        *(STATIONS, "provider:", "number: 302001/000009\nprovider:", "number", "number"),
    ),
    "a number twice": (STATIONS, "sequence: 2", "sequence: 1", "number_twice", "class.sequence"),
    "unconditional with a condition": (
        *(
            STATIONS,
            "type: unconditional",
            "type: unconditional\n  condition: {zh: 无}",
            "condition_needless",
            "sharing.condition",
        ),
    ),
    "a database as a file": (
        INSURED,
        "methods: [interface]",
        "methods: [interface, file]",
        "method",
        "sharing.methods",
    ),
    "a file as an interface": (DRUGS, "methods: [file]", "methods: [interface]", "method", "sharing.methods"),
    "a format of another kind": (INSURED, "format: postgresql", "format: xlsx", "format", "format.format"),
    "open with a personal item": (
        *(STATIONS, "type: C, length: 200, key: true", "type: C, length: 200, key: true, sensitive: true"),
        *("open_sensitive", "name"),
    ),
    "an item wider than its resource": (
        *(
            INSURED,
            "{code: insured_kind}",
            "{code: insured_kind, openness: {type: open}}",
            "item_wider",
            "insured_kind",
        ),
    ),
    "open but not shared": (
        ADOPTIONS,
        "openness:\n  type: closed",
        "openness:\n  type: conditional",
        "no_open_condition",
        "openness",
    ),
    "a related resource that is not there": (
        *(INSURED, "related: [maternity_benefits]", "related: [maternity_benefit]", "related_unknown", "related"),
    ),
    "a resource related to itself": (
        *(INSURED, "related: [maternity_benefits]", "related: [insured_persons]", "related_unknown", "related"),
    ),
    "another cycle without saying which": (STATIONS, "cycle: quarterly", "cycle: other", "cycle", "cycle"),
    "a duty for an item that is not there": (
        INSURED,
        "items: [area]",
        "items: [aria]",
        "collection_unknown",
        "collection.items",
    ),
    "a duty of a service that is not there": (
        *(BIRTHS, "service: household_registration", "service: household", "collection_unknown", "collection.service"),
    ),
    "collected again what a register holds": (
        *(INSURED, "items: [area]", "items: [area, id_number]", "second_collector", "mother.id_number"),
    ),
    "collected again by its own department": (
        *(REPORTS, "items: [mailing_address,", "items: [enterprise_name, mailing_address,"),
        *("second_collector", "enterprise.name"),
    ),
    "asked of enterprises by no form": (
        REPORTS,
        "from: enterprise\n    cycle: yearly\n    form: {zh: 企业年度报告书, en: Annual report of the enterprise}\n",
        "from: enterprise\n    cycle: yearly\n",
        "collection_no_form",
        "collection[0]",
    ),
    "a window that ends before it opens": (
        *(REPORTS, 'closes: "06-30"', 'closes: "06-31"', "collection_time", "collection[0].window"),
    ),
    "a window for what is monthly": (
        *(REPORTS, "    cycle: yearly", "    cycle: monthly", "collection_time", "collection[0].window"),
    ),
    "days for what is yearly": (
        *(REPORTS, 'window: {opens: "01-01", closes: "06-30"}', "due_days: 15", "collection_time"),
        "collection[0].due_days",
    ),
    "a provider of two kinds": (
        *(
            STATIONS,
            "{department: police, level: province}",
            "{department: police, role: population}",
            "provider",
            "provider",
        ),
    ),
}
# Some breaches rightly show a second thing.
MORE = {
    "a department that does not exist": {"resource.class_unknown"},
    "a duty of a service that is not there": {"ask_once.resource"},
    "an item wider than its resource": {"resource.open_sensitive"},
    "a field that the register lacks": {"resource.no_source"},
}


@pytest.fixture
def pack(tmp_path: Path) -> Planted:
    return copy_of(HUNAN, tmp_path)


@pytest.mark.parametrize("what", sorted(BROKEN))
def test_a_breach_is_found_where_it_stands(pack: Planted, what: str) -> None:
    file, old, new, rule, element = BROKEN[what]
    line = pack.replace(file, old, new)
    found = pack.check()
    mine = [one for one in found if one.rule == f"resource.{rule}"]
    assert mine, [one.format() for one in found]
    assert [(str(Path(one.file).relative_to(pack.root)), one.element) for one in mine] == [(file, element)]
    assert abs(mine[0].line - line) <= 2
    for one in mine:
        for text in (one.message, one.mend):
            assert text.pick("zh").strip()
            assert text.pick("en").strip()
            assert text.pick("zh") != text.pick("en")
    assert {one.rule for one in found} <= {f"resource.{rule}", *MORE.get(what, ())}


def test_conditions_laws_and_clauses_are_wanted(pack: Planted) -> None:
    text = (pack.root / INSURED).read_text()
    without = "\n".join(line for line in text.splitlines() if not line.strip().startswith("condition:"))
    pack.write(INSURED, without)
    assert [rule for *_, rule in pack.errors()] == ["resource.no_condition"]
    pack.write(INSURED, text)
    adoptions = (pack.root / ADOPTIONS).read_text()
    basis = adoptions[adoptions.index("  legal_basis:") : adoptions.index("  methods:")]
    pack.write(ADOPTIONS, adoptions.replace(basis, ""))
    assert [rule for *_, rule in pack.errors()] == ["resource.no_basis"]
    pack.write(ADOPTIONS, adoptions)
    exceptions = text[text.index("  exceptions:") : text.index("related:")]
    pack.write(INSURED, text.replace(exceptions, ""))
    assert [rule for *_, rule in pack.errors()] == ["resource.no_exception"]


def test_a_cycle_cannot_be_shorter_than_that_of_the_source(pack: Planted) -> None:
    source = "resources/disease_control/vaccination_certificates.yaml"
    pack.replace(source, "cycle: daily", "cycle: yearly")
    line = (pack.root / VACCINATIONS).read_text().split("cycle:")[0].count("\n") + 1
    assert pack.errors() == [(VACCINATIONS, line, "cycle", "resource.cycle")]
    pack.replace(VACCINATIONS, "cycle: daily", "cycle: irregular")  # promises nothing
    assert pack.errors() == []


def test_base_resources_are_shared_unconditionally(pack: Planted) -> None:
    pack.replace(
        INSURED,
        'class: {kind: department, item: medical_insurance, group: "001", sequence: 1}',
        'class: {kind: base, item: population, group: "001", sequence: 9}',
    )
    assert [(e, rule) for _, _, e, rule in pack.errors()] == [("sharing.type", "resource.base_not_unconditional")]


def test_what_is_not_shared_is_not_open_either(pack: Planted) -> None:
    pack.replace(
        ADOPTIONS, "openness:\n  type: closed", "openness:\n  type: conditional\n  condition: {zh: 无, en: none}"
    )
    assert [rule for *_, rule in pack.errors()] == ["resource.open_not_shared"]


def test_a_code_twice_and_a_file_in_another_departments_folder_are_refused(pack: Planted) -> None:
    text = (pack.root / STATIONS).read_text()
    pack.write("resources/health/police_stations.yaml", text)
    assert "pack.duplicate_code" in {rule for *_, rule in pack.errors()}
    (pack.root / STATIONS).unlink()
    assert [(file, rule) for file, _, _, rule in pack.errors()] == [
        ("resources/health/police_stations.yaml", "pack.group")
    ]


def test_a_held_element_without_a_resource_is_a_warning_at_the_element(pack: Planted) -> None:
    pack.replace("resources/civil_affairs/marriages.yaml", "  - {code: registered_on}\n", "")
    found = [one for one in pack.check() if one.rule == "resource.no_source"]
    assert [(one.element, one.is_error) for one in found] == [("marriage.registered_on", False)]
    assert found[0].file.endswith("data_elements/marriage.yaml")


def test_a_provider_that_does_not_exist_or_is_not_bound_is_named(pack: Planted) -> None:
    pack.replace("pack.toml", 'population = { department = "police"', 'population = { department = "militia"')
    rules = {(one.element, one.rule) for one in pack.check() if one.is_error}
    assert ("catalogue.providers.population", "resource.provider_unknown") in rules
    assert ("provider.department", "resource.provider_unknown") in rules
    pack.replace("pack.toml", "population = {", "populace = {")
    rules = {(one.element, one.rule) for one in pack.check() if one.is_error}
    assert ("catalogue.providers.populace", "resource.provider_unknown") in rules
    pack.write(
        "resources/other/mine.yaml", (pack.root / STATIONS).read_text().replace("code: police_stations", "code: mine")
    )
    pack.replace("resources/other/mine.yaml", "{department: police, level: province}", "{role: ships}")
    assert "resource.provider_unknown" in {one.rule for one in pack.check() if one.file.endswith("mine.yaml")}


def test_a_pack_without_bindings_gets_none_of_the_platforms_own_resources(pack: Planted) -> None:
    assert "population_persons" in read_pack(pack.root).of("resource")
    text = (pack.root / "pack.toml").read_text()
    pack.write("pack.toml", text[: text.index("[catalogue.providers]")])
    assert "population_persons" not in read_pack(pack.root).of("resource")


def test_a_packs_own_file_replaces_a_modules_definition(pack: Planted) -> None:
    from furong.domains.catalogue.resources.builtin import built_in_files

    own = next(f for f in built_in_files(read_pack(pack.root).frame) if f.code == "population_households")
    text = own.content.decode().replace("{role: population}", "{department: police, level: province}")
    pack.write("resources/police/population_households.yaml", text.replace("zh: 家庭户信息", "zh: 户籍家庭信息"))
    found = read_pack(pack.root).of("resource")["population_households"]
    assert (found.value.name.primary, pack.errors()) == ("户籍家庭信息", [])


def test_two_departments_cannot_have_the_same_digits(pack: Planted) -> None:
    line = pack.replace(CLASSES, '    number: "03"', '    number: "02"')
    found = [one for one in pack.check() if one.file.endswith("department.yaml")]
    assert [(one.line, one.element, one.rule) for one in found] == [
        (line - 1, "civil_affairs", "resource.class_unknown")
    ]


def test_a_form_that_asks_what_a_resource_supplies_is_refused_with_the_resource_named(pack: Planted) -> None:
    text = (pack.root / BIRTHS).read_text()
    pack.write(BIRTHS, text[: text.index("collection:")])
    found = [one for one in pack.check() if one.rule == "ask_once.resource"]
    assert {one.element for one in found} == {"newborn.name"}
    assert len(found) >= 5
    assert all("household_registrations" in one.message.pick("en") for one in found)
    # not shared: nobody could get it there
    pack.write(BIRTHS, text[: text.index("collection:")].replace("  - {code: name, element: newborn.name}\n", ""))
    assert pack.errors() == []


def test_a_held_element_that_is_asked_names_the_resource_too(pack: Planted) -> None:
    pack.replace(
        "items/household_registration/form.yaml",
        "mother.name, type: han_name, prefill: show",
        "mother.name, type: han_name",
    )
    found = [one for one in pack.check() if one.rule == "ask_once.register"]
    assert [one.element for one in found] == ["mother.name"]
    assert "population_persons" in found[0].message.pick("en")


def test_two_departments_that_ask_for_the_same_thing_by_name_are_shown_both_places(pack: Planted) -> None:
    licences = "resources/emergency/hidden_dangers.yaml"
    pack.replace(licences, "{zh: 隐患描述, en: Description}", "{zh: 从业人数, en: Description}")
    found = [one for one in pack.check() if one.rule == "resource.collected_alike"]
    assert [(one.element, one.is_error) for one in found] == [("description", False)]
    assert found[0].file.endswith("hidden_dangers.yaml")
    assert "enterprise_annual_reports.yaml:" in found[0].message.pick("zh")
    assert found[0].mend.pick("en").startswith("If it is the same fact")


def test_what_an_authority_holds_is_collected_by_nobody_else_with_file_line_and_mend(pack: Planted) -> None:
    report = "resources/housing/migrant_wages.yaml"
    pack.replace(report, "items: [trade,", "items: [id_number, trade,")
    found = [one for one in pack.check() if one.is_error]
    assert [(one.rule, one.element) for one in found] == [("resource.second_collector", "person.id_number")]
    line = (pack.root / report).read_text().splitlines()[found[0].line - 1]
    assert "items: [id_number, trade," in line
    assert "population_persons" in found[0].message.pick("en")
    assert "第十九条" in found[0].mend.pick("zh")


def test_a_broken_dictionary_or_organisation_does_not_blame_the_resources(pack: Planted) -> None:
    pack.replace("data_elements/marriage.yaml", "owner: civil_affairs", "owner: [")
    rules = {one.rule for one in pack.check() if "/resources/" in one.file}
    assert "resource.element_unknown" not in rules
    assert "resource.item_incomplete" not in rules


def test_resources_of_a_thousand_files_are_checked_in_seconds(pack: Planted) -> None:
    import time

    text = (pack.root / STATIONS).read_text()
    for number in range(1000):
        made = text.replace("code: police_stations", f"code: stations_{number}").replace(
            "sequence: 2", f"sequence: {number + 100}"
        )
        pack.write(f"resources/police/stations_{number}.yaml", made)
    begin = time.process_time()
    assert [one for one in check_pack(pack.root) if one.is_error] == []
    assert time.process_time() - begin < 20


def test_every_element_type_has_a_type_of_items_and_every_format_class_its_formats() -> None:
    assert set(TYPES_OF) == set(ElementType)
    assert all(TYPES_OF[one] for one in ElementType)
    assert set(FORMATS) == set(FormatClass)
