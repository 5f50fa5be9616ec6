"""The dictionary: one element, one owner, one source, and codes that do not lie within each other."""

from __future__ import annotations

from datetime import date

import pytest

from furong.domains.catalogue.kinds import check_elements
from furong.domains.catalogue.values import GROUP, SourceKind, build_group
from furong.foundation.packs.queries import read_pack
from furong.foundation.packs.values import Finding, Frame, Pack, PackFile, Report, both, parse_yaml
from tests.packs.planting import HUNAN

FRAME = Frame(
    code="p",
    name=both("包", "Pack"),
    languages=("zh", "en"),
    time_zone="UTC",
    in_force_from=date(2026, 1, 1),
)
HEAD = "code: g\nname: {zh: 组}\nowner: police\nelements:\n"


def group_file(code: str, elements: str, owner: str = "police") -> PackFile:
    text = HEAD.replace("code: g", f"code: {code}").replace("police", owner) + elements
    report = Report(f"{code}.yaml", ("zh", "en"))
    parsed = GROUP.read(parse_yaml(text.encode(), file=report.file), report, "")
    value = None if report.errors else build_group(parsed, report)
    return PackFile(
        kind="data_element",
        code=code,
        path=report.file,
        shown=report.file,
        content=text.encode(),
        value=value,
        findings=report.findings,
    )


def found(*files: PackFile) -> list[tuple[str, int, str, str]]:
    pack = Pack(frame=FRAME, files=list(files))
    findings: list[Finding] = [f for file in files for f in file.findings] + list(check_elements(pack))
    return [(f.file, f.line, f.element, f.rule) for f in findings]


def element(code: str, source: str, *, name: str = "", kind: str = "text") -> str:
    return f"  - {{code: {code}, name: {{zh: {name or code}}}, type: {kind}, source: {source}}}\n"


REGISTER = "{register: population, field: name, of: mother}"


def test_an_element_with_one_source_is_taken() -> None:
    file = group_file("g", element("mother.name", REGISTER))
    assert found(file) == []
    made = file.value.elements[0]
    assert (made.source.kind, made.source.name, made.owner) == (SourceKind.REGISTER, "population", "police")
    assert made.source.is_held


@pytest.mark.parametrize(
    ("source", "rule"),
    [
        ("{register: population, field: name, item: birth}", "catalogue.second_source"),
        ("{declared: applicant, platform: account}", "catalogue.second_source"),
        ("{field: name}", "catalogue.no_source"),
        ("{register: population}", "catalogue.no_field"),
    ],
)
def test_an_element_has_exactly_one_source(source: str, rule: str) -> None:
    assert [r for *_, r in found(group_file("g", element("mother.name", source)))] == [rule]


def test_a_second_register_for_an_element_is_refused_with_the_first_place() -> None:
    first = group_file("a", element("mother.name", REGISTER))
    second = group_file("b", element("mother.name", "{register: marriage, field: wife}"))
    assert found(first, second) == [("b.yaml", 5, "mother.name", "catalogue.second_source")]
    pack = Pack(frame=FRAME, files=[first, second])
    assert "a.yaml:5" in next(iter(check_elements(pack))).message.pick("en")


def test_a_second_owner_is_refused_also_with_the_same_source() -> None:
    first = group_file("a", element("mother.name", REGISTER))
    second = group_file("b", element("mother.name", REGISTER), owner="health")
    assert found(first, second) == [("b.yaml", 5, "mother.name", "catalogue.two_owners")]


def test_one_fact_under_two_codes_is_refused() -> None:
    lines = element("mother.name", REGISTER) + element("mum.name", REGISTER)
    assert [r for *_, r in found(group_file("g", lines))] == ["catalogue.same_source"]
    lines = element("a.name", "{declared: applicant}", name="名") + element(
        "b.name", "{declared: applicant}", name="名"
    )
    assert [r for *_, r in found(group_file("g", lines))] == ["catalogue.same_name"]


def test_a_code_within_another_is_refused_in_either_order() -> None:
    inner, outer = element("a.b.c", "{declared: applicant}"), element("a.b", "{declared: applicant}")
    for lines in (inner + outer, outer + inner):
        assert [(e, r) for _, _, e, r in found(group_file("g", lines))] == [("a.b.c", "catalogue.within")]


def test_a_coded_element_needs_a_table_that_exists() -> None:
    plain = element("a.b", "{declared: applicant}", kind="code")
    assert [r for *_, r in found(group_file("g", plain))] == ["catalogue.no_codes"]
    wrong = plain.replace("type: code", "type: code, code_table: colours")
    assert [r for *_, r in found(group_file("g", wrong))] == ["catalogue.code_table"]
    right = plain.replace("type: code", "type: code, code_table: sex")
    assert found(group_file("g", right)) == []


def test_every_element_of_the_hunan_pack_has_an_owner_that_is_a_department() -> None:
    pack = read_pack(HUNAN)
    departments = set(pack.of("organization"))
    owners = {e.owner for g in pack.values("data_element").values() for e in g.elements}
    assert owners <= departments
    assert len(owners) >= 6


def test_sensitive_facts_are_marked_as_such() -> None:
    pack = read_pack(HUNAN)
    by_code = {e.code: e.sensitivity.value for g in pack.values("data_element").values() for e in g.elements}
    assert {by_code[c] for c in ("mother.id_number", "newborn.weight_g", "benefit.account_number")} == {"sensitive"}
    about_things = (
        "enterprise.",
        "social_organization.",
        "public_institution.",
        "equipment.",
        "division.",
        "weather_station.",
    )
    of_new_firms = {"venture.credit_code", "venture.name", "venture.registered_on"}
    public = {code for code, value in by_code.items() if value == "public"}
    assert {code for code in public if not code.startswith(about_things)} == of_new_firms
    declared = ("equipment.", "division.")  # of these, applicants say some of their own
    assert {code for code in by_code if code.startswith(about_things) and not code.startswith(declared)} <= public
