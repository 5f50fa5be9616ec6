"""Items of one file: what their shape adds, the form that is built, and what the checker says of shapes, clusters and lists."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from furong.domains.services.checks.scope import Scope
from furong.domains.services.values.forms import FORM, FieldType
from furong.domains.services.values.implementations import Override, Selector, implement
from furong.domains.services.values.shapes import form_content
from furong.foundation.packs.queries import read_pack
from furong.foundation.packs.values import Pack, Ref, yaml_parse
from tests.packs.planting import HUNAN, TINY, Planted, copy_of

SHAPE = """
code: renting
name: {lkl: Vuokraus, en: Renting}
types: ["20"]
result_kind: record
acceptance_conditions: [{lkl: Vapaa., en: It is free.}]
steps: [{name: {lkl: Kasittely, en: Handling}}]
places: [{name: {lkl: Satama, en: Harbour}, address: {lkl: Laituri 1, en: Pier 1}, hours: {lkl: 8-16, en: 8 to 16}}]
consult: {phone: "100"}
complaint: {phone: "101"}
person: [owner.person_id, owner.name]
enterprise: [owner.name]
form:
  title: {lkl: "{name}: hakemus", en: "{name}: application"}
  applicant: {title: {lkl: Hakija, en: Applicant}}
  matter: {title: {lkl: Asia, en: Matter}}
  materials: {title: {lkl: Paperit, en: Papers}}
  accept: [pdf]
  max_mb: 5
"""
ITEM = """
code: canoe_hire
shape: renting
name: {lkl: Kanootti, en: Canoe}
basic_code: "MOOR-9"
type: "20"
legal_basis: [{law: {lkl: Venelaki, en: Boats Act}, clause: {lkl: 9 §, en: s. 9}}]
department: harbour
levels: ["4"]
service_objects: [person]
clock: {statutory: {days: 9, unit: working}, promised: {days: 4, unit: working}}
result: {name: {lkl: Vuokra, en: Hire}}
fields: [boat.name, owner.name]
optional_fields: [boat.has_motor]
materials:
  - {code: picture, name: {lkl: Kuva, en: Picture}, element: boat.photo, source: {channel: applicant}}
  - {code: number, name: {lkl: Numero, en: Number}, source: {channel: item, name: boat_registration}}
clusters: [water]
"""
CLUSTER = """
code: water
name: {lkl: Vesi, en: Water}
summary: {lkl: Veneet., en: Boats.}
owner: harbour
audiences: [person, enterprise, official]
sign: V
"""


@pytest.fixture
def tiny(tmp_path: Path) -> Planted:
    made = copy_of(TINY, tmp_path)
    made.write("shapes/renting/shape.yaml", SHAPE)
    process = (TINY / "items/mooring_permit/process.bpmn").read_text().replace("mooring_permit", "renting")
    made.write("shapes/renting/process.bpmn", process)
    made.write("items/harbour/canoe_hire.yaml", ITEM)
    return made


@pytest.fixture(scope="module")
def hunan() -> Pack:
    return read_pack(HUNAN)


def test_an_item_of_one_file_has_steps_form_and_elements_from_its_shape(tiny: Planted) -> None:
    scope = Scope(read_pack(tiny.root))
    item, form = scope.items["canoe_hire"], scope.forms["canoe_hire"]
    assert [step.department for step in item.steps] == ["harbour"]
    assert (item.result.kind, item.consult.phone) == ("record", "100")
    assert item.inputs == ("owner.person_id", "owner.name", "boat.name", "boat.has_motor", "boat.photo")
    assert form.title.pick("en") == "Canoe: application"
    by_element = {str(one.element): one for one in form.fields()}
    assert list(by_element) == ["owner.name", "boat.name", "boat.has_motor", "boat.photo"], (
        "an identifier is for nobody's eyes"
    )
    assert {code for code, one in by_element.items() if one.is_asked} == {"boat.name", "boat.has_motor", "boat.photo"}
    assert not by_element["boat.has_motor"].required
    upload = by_element["boat.photo"]
    assert (upload.type, upload.material, upload.accept, upload.max_mb) == (FieldType.UPLOAD, "picture", ("pdf",), 5)
    assert upload.file.endswith("items/harbour/canoe_hire.yaml"), "a finding about the form is found in the item"
    kept, findings = yaml_parse(FORM)(form_content(form), "kept", scope.pack.frame)
    assert findings == []
    assert [(f.element, f.type, f.label, f.prefill) for f in kept.fields()] == [
        (f.element, f.type, f.label, f.prefill) for f in form.fields()
    ]


def test_what_shapes_clusters_and_cities_may_not_is_named_on_its_line(tiny: Planted) -> None:
    ours = ("items/harbour", "shapes/", "clusters/", "implementations/")

    def errors() -> set[tuple[str, str]]:
        return {(rule, file.rsplit("/", 1)[-1]) for file, _, _, rule in tiny.errors() if file.startswith(ours)}

    before = errors()
    assert not {rule for rule, _ in before} & {"item.shape_unknown", "item.no_cluster", "ask_once.register"}
    tiny.write("clusters/water.yaml", CLUSTER)
    tiny.write("clusters/empty.yaml", CLUSTER.replace("code: water", "code: empty").replace("harbour", "airport"))
    tiny.replace("shapes/renting/shape.yaml", "person: [owner.person_id", "person: [boat.length_m, owner.person_id")
    tiny.replace("shapes/renting/shape.yaml", 'types: ["20"]', 'types: ["01"]')
    tiny.write("items/harbour/raft_hire.yaml", ITEM.replace("canoe_hire", "raft_hire").replace("MOOR-9", "MOOR-8")
               .replace("shape: renting", "shape: nothing").replace("[water]", "[land]"))  # fmt: skip
    tiny.write("items/harbour/boat_hire.yaml", ITEM.replace("canoe_hire", "boat_hire").replace("MOOR-9", "MOOR-7")
               .replace('levels: ["4"]', 'levels: ["6"]').replace("fields: [boat.name", "fields: [boat.photo"))  # fmt: skip
    tiny.write("implementations/slow.yaml", 'code: slow\nitem: canoe_hire\nwhere: {division: "L1"}\nset:\n  promised: {days: 8, unit: working}\n  quota: 3\n')  # fmt: skip  # noqa: E501
    tiny.write("implementations/all.yaml", 'code: all\nwhere: {level: "4"}\nset:\n  on_site_visits: 1\n')
    assert errors() - before >= {
        ("cluster.empty", "empty.yaml"),
        ("cluster.owner", "empty.yaml"),
        ("shape.asks_who", "shape.yaml"),
        ("item.shape_type", "canoe_hire.yaml"),
        ("item.shape_unknown", "raft_hire.yaml"),
        ("item.cluster_unknown", "raft_hire.yaml"),
        ("item.nobody", "boat_hire.yaml"),
        ("item.field_type", "boat_hire.yaml"),
        ("implementation.promised_longer", "slow.yaml"),
        ("implementation.not_allowed", "slow.yaml"),
        ("implementation.not_general", "all.yaml"),
    }
    (tiny.root / "shapes/renting/process.bpmn").unlink()
    assert ("shape.no_process", "shape.yaml") in errors()


def test_an_item_that_leaves_its_place_to_nobody_keeps_it_under_a_citys_general_setting(hunan: Pack) -> None:
    scope = Scope(hunan)
    item = scope.items["food_business"]
    place = scope.items["marriage_registration"].places[0]
    general = Override(code="city", where=Selector(division="430100", level="3"), set={"places": (place,)})
    own = Override(code="own", item=Ref.at(item.code, 1), where=Selector(division="430100"), set={"quota": 5})
    from dataclasses import replace

    at = {"division_code": "430100", "level": "3"}
    assert implement(item, [own, general], **at).own == (("places", "city"), ("quota", "own"))  # type: ignore[arg-type]
    strict = replace(item, local=("promised",))
    assert implement(strict, [own, general], **at).own == (("quota", "own"),)  # type: ignore[arg-type]
    assert implement(item, [general], division_code="430102", level="4").own == ()


def test_every_item_of_the_pack_lies_in_a_cluster_names_its_law_and_asks_for_nothing_twice(hunan: Pack) -> None:
    scope = Scope(hunan)
    assert len(scope.items) > 250
    for code, item in scope.items.items():
        assert item.clusters, code
        assert all(basis.clause.primary.startswith("第") for basis in item.legal_basis), code
        assert item.name.pick("en") != item.name.primary, code
        asked = [str(one.element) for one in scope.forms[code].asked()] if code in scope.forms else []
        assert len(asked) == len(set(asked)), code
    assert len({item.basic_code for item in scope.items.values()}) == len(scope.items)
    assert {item.shape for item in scope.items.values() if item.shape} == set(scope.shapes)
    assert date(2026, 1, 1) == hunan.frame.in_force_from
