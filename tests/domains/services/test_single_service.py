"""One service by itself: found by its subject, applied for at a chosen place, worked on by the body that does it there."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from furong.domains.cases import commands
from furong.domains.cases import models as cases
from furong.domains.cases.errors import NotForPrincipal
from furong.domains.processes import queries as processes
from furong.domains.services import bodies, queries
from furong.foundation.access.values import Basis
from furong.foundation.organizations import queries as organizations
from furong.registries.licences import queries as licences
from tests.journeys.town import Page, Town, Visitor, opened

PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000000d49444154789c6360606060000000050001a5f645400000000049454e44ae426082"
)
GIVEN: dict[str, Any] = {
    "premises-name": "湘味小馆",
    "premises-location": "新华路 8 号",
    "premises-area_m2": "86.5",
    "premises-items": "热食类食品制售",
    "responsible-safety_officer": "周亦衡",
    "works-name": "冷库扩建",
    "works-location": "新华路 8 号",
    "works-scale": "新增两间冷藏库",
}


@pytest.fixture
def town(monkeypatch: pytest.MonkeyPatch) -> Iterator[Town]:
    with opened(monkeypatch) as made:
        yield made


def _filled(page: Page) -> dict[str, Any]:
    """What a person sends from a page: their own words, and a scan for each paper."""
    assert page.tree is not None
    form = next(f for f in page.tree.forms if f.method == "POST" and "_version" in f.fields)
    data: dict[str, Any] = {name: value for name, value in form.form_values() if name != "leave"}
    for box in form.inputs:
        name = box.get("name") or ""
        if name in GIVEN:
            data[name] = GIVEN[name]
        elif box.get("type") == "file":
            data[name] = SimpleUploadedFile("scan.png", PNG, content_type="image/png")
    return data


def _apply(visitor: Visitor, start: str, division: str) -> tuple[str, list[str]]:
    """Begin, fill in page by page, hand in; gives the application's address and what the pages said."""
    begun = visitor.post(start, {"division": division})
    assert begun.status == 302, begun.mistakes
    address, read = visitor.get(begun.goes_to).goes_to, []
    while not address.endswith("/check"):
        shown = visitor.get(address)
        read.append(shown.words)
        sent = visitor.post(address, _filled(shown))
        assert sent.status == 302, sent.mistakes
        address = sent.goes_to
    done = visitor.post(address, {"declared": "yes"})
    assert done.status == 302, done.words
    return done.goes_to.removesuffix("?sent=1"), read


def test_a_restaurant_is_licensed_in_three_clicks_one_form_and_by_the_bureau_of_its_county(town: Town) -> None:
    # home, subject, service: each page leads to the next, and the service is begun from its guide
    (subject,) = town.father.get("/").links("/services/food_drugs")[:1]
    (guide,) = town.father.get(subject).links("/guide/food_business")[:1]
    (start,) = town.father.get(f"{guide}?division=430202").links("/guide/food_business/start")
    nowhere = town.father.post("/guide/food_business/start", {"division": "990000"})
    assert nowhere.status == 422
    assert nowhere.mistakes

    application, read = _apply(town.father, start.partition("?")[0], "430202")
    town.world.run_jobs()
    assert "周亦衡" in read[0], "who applies is shown, not asked"
    assert "周亦衡" not in read[1]
    case = cases.Case.objects.get(application_id=UUID(application.rsplit("/", 1)[1]))
    body = organizations.get_organization(organization_id=case.organization_id)
    assert (body.department, body.division_code, int(body.level)) == ("market_regulation", "430202", 4)

    for _ in range(5):
        town.world.run_jobs()
        for task in processes.list_tasks_of(business_key=str(case.id), only_open=True):
            officer = town.world.registrar
            if task.kind == "acceptance":
                commands.accept_case(case_id=case.id, actor=officer, now=town.now)
            elif task.kind == "review":
                commands.complete_step(task_id=task.id, outcome="passed", actor=officer, now=town.now)
            else:
                commands.approve_case(case_id=case.id, actor=officer, now=town.now)
    case.refresh_from_db()
    assert case.state == "completed"
    father = town.world.father
    held = licences.list_of_person(person_id=father.person_id, actor=father, basis=Basis(purpose="test"), now=town.now)
    (licence,) = [one for one in held if one.type_code == "licence_decision"]
    assert licence.data["result"] == "食品经营许可证"
    assert licence.data["matter"] == "食品经营许可"
    words = town.father.read(application)
    assert "湘味小馆" in words


def test_each_of_many_thousand_lists_has_an_address_a_body_and_its_own_terms(town: Town) -> None:
    on = town.now.date()
    assert bodies.count_implementations(on=on) > 3_000
    clusters = queries.list_clusters(on=on)
    assert len(clusters) == 35
    assert {a.value for c in clusters for a in c.audiences} == {"person", "enterprise", "official"}
    by_cluster = queries.items_by_cluster(on=on)
    found = {item.code for items in by_cluster.values() for item in items}
    assert found == {item.code for item in queries.list_items(on=on)}, "every service lies in a cluster"

    for code, place, level, department in (
        ("food_business", "430202", 4, "market_regulation"),
        ("fund_loan", "430202", 3, "housing_fund"),  # cities have funds, counties do not
        ("drug_production", "430202", 2, "drug_administration"),
        ("unemployment_registration", "430202001", 4, "human_resources"),  # townships have no bureau of their own
    ):
        item = queries.get_item(code=code, on=on).item
        body = bodies.find_body(item=item, division_code=place)
        assert body is not None, code
        assert (int(body.level), body.department) == (level, department), code
        mine = bodies.get_implementation(code=code, organization=body, on=on)
        assert len(mine.number) == 31
        again = bodies.find_by_number(number=mine.number, on=on)
        assert again is not None
        assert again.item == mine.item
        page = town.mother.get(f"/list/{mine.number}")
        assert page.status == 200
        assert body.name.zh in page.words
    lists = bodies.list_implementations(item=queries.get_item(code="food_business", on=on).item)
    assert len(lists) == len({number for _, number in lists}) > 100
    wrong_level = lists[0][1][:18] + "2" + lists[0][1][19:]
    assert town.mother.get(f"/list/{wrong_level}").status == 404

    # Changsha's counters are Changsha's; Zhuzhou's list is not touched by them.
    changsha = bodies.find_body(item=queries.get_item(code="fund_loan", on=on).item, division_code="430102")
    assert changsha is not None
    own = bodies.get_implementation(code="fund_loan", organization=changsha, on=on)
    assert "长沙" in own.item.places[0].name.primary
    assert ("places", "changsha") in own.found.own


def test_a_firms_service_is_not_for_a_person_and_pages_of_audiences_show_their_own(town: Town) -> None:
    with pytest.raises(NotForPrincipal):
        commands.open_draft(
            life_event_code="",
            item_codes=["pollution_permit"],
            division_code="430202",
            actor=town.world.father,
            now=town.now,
        )
    everybody = town.mother.read("/services/taxation")
    firms = town.mother.read("/services/taxation?for=enterprise")
    assert "个人所得税综合所得汇算清缴" in everybody
    assert "个人所得税综合所得汇算清缴" not in firms
    officials = town.mother.get("/?for=official")
    assert officials.links("/services/public_servants")
    assert not officials.links("/services/family")
    assert town.mother.get("/services/no_such").status == 404


def test_guides_and_the_workbench_show_a_service_of_a_shape_whole(town: Town) -> None:
    # one of each shape, and one for each sort of applicant: the pages are the same for the other four hundred
    sample = {"staff_transfer": "公职人员"}
    sample |= dict.fromkeys(
        ("land_boundary_dispute", "teacher_award", "minimum_living", "social_group_registration"), ""
    )
    for code, word in sample.items():
        assert word in town.mother.read(f"/guide/{code}?division=430102"), code
    supervisor = town.administrator.read("/work/items/food_business?division=430102")
    assert "食品经营许可证" in supervisor
    assert "场所名称" in supervisor
    drawing = town.administrator.get("/work/items/food_business/diagram")
    assert "=case.department" in drawing.text
    assert "食品经营许可" in town.administrator.read("/work/items?department=market_regulation")
