"""Who sees what: each department only what its item declares, by page, API, search, export and log."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from uuid import UUID

import pytest
from django.db import connection

from furong.domains.cases import commands, models, queries
from furong.domains.cases.errors import CaseNotFound
from furong.domains.cases.values import CaseState
from furong.domains.processes import queries as processes
from furong.foundation.access import queries as access
from furong.foundation.access.errors import AccessRefused, PurposeMissing
from furong.foundation.access.values import Actor, Basis, Scope
from furong.foundation.codes.ids import new_id
from tests.factories.newborn import OFFICER, WHY, World

ACCOUNT_NUMBER = "6222020000000000000"


def _texts(value: object) -> str:
    return json.dumps(value, default=str, ensure_ascii=False)


def test_each_department_sees_what_its_item_declares_and_nothing_else(town: World) -> None:
    application_id = town.submit()
    everything = {a.element for a in town.view(application_id).answers}
    for item, officer in OFFICER.items():
        case_id = town.case(application_id, item)
        seen = queries.case_view(case_id=case_id, actor=getattr(town, officer), basis=WHY, now=town.now)
        declared = set(models.Case.objects.get(id=case_id).visible_elements)
        assert {a.element for a in seen.answers} <= declared
        assert everything - declared, "the test proves nothing where an item declares everything"


@pytest.mark.parametrize("officer", ["hospital", "police", "social", "vaccination"])
def test_the_bank_account_is_seen_by_the_insurance_alone(town: World, officer: str) -> None:
    application_id = town.submit()
    item = next(i for i, o in OFFICER.items() if o == officer)
    actor: Actor = getattr(town, officer)
    case_id = town.case(application_id, item)

    seen = queries.case_view(case_id=case_id, actor=actor, basis=WHY, now=town.now)
    assert ACCOUNT_NUMBER not in _texts([(a.element, a.value) for a in seen.answers])
    assert ACCOUNT_NUMBER not in _texts(seen.outputs)
    assert ACCOUNT_NUMBER not in repr(seen)

    scope = access.scope(actor=actor, right="cases.handle")
    page = queries.search_cases(scope=scope, text=ACCOUNT_NUMBER, actor=actor, now=town.now)
    assert page.lines == ()  # neither shown nor to be found out by searching
    rows = list(queries.export_cases(scope=scope, item_code=item, actor=actor, basis=WHY, now=town.now))
    assert seen.lane.number in {row["number"] for row in rows}
    assert ACCOUNT_NUMBER not in _texts(rows)
    declared = set(models.Case.objects.get(id=case_id).visible_elements)
    assert all(set(row["answers"]) <= declared for row in rows)
    other = "maternity_benefit"
    exported = queries.export_cases(scope=scope, item_code=other, actor=actor, basis=WHY, now=town.now)
    assert list(exported) == []
    with pytest.raises(AccessRefused):
        queries.case_view(case_id=town.case(application_id, other), actor=actor, basis=WHY, now=town.now)


def test_the_insurance_sees_the_account_it_pays_to(town: World) -> None:
    application_id = town.submit()
    case_id = town.case(application_id, "maternity_benefit")
    seen = queries.case_view(case_id=case_id, actor=town.insurance, basis=WHY, now=town.now)
    assert {a.element: a.value for a in seen.answers}["benefit.account_number"] == ACCOUNT_NUMBER


def test_a_process_carries_only_what_its_department_may_see(town: World) -> None:
    application_id = town.submit()
    town.work(application_id, "birth_certificate")
    for lane in town.view(application_id).lanes:
        for instance in processes.list_instances_of(business_key=str(lane.case_id)):
            held = _texts(processes.get_instance(instance_id=instance).variables)
            assert (ACCOUNT_NUMBER in held) == (lane.item_code == "maternity_benefit")


def test_results_of_other_items_reach_only_those_that_declare_them(town: World) -> None:
    application_id = town.submit()
    town.work(application_id, "birth_certificate")
    town.consent(application_id)
    town.work(application_id, "household_registration")
    registered = models.Case.objects.get(id=town.case(application_id, "household_registration"))
    number = registered.outputs["newborn.id_number"]
    card = queries.case_view(
        case_id=town.case(application_id, "social_security_card"), actor=town.social, basis=WHY, now=town.now
    )
    assert card.outputs["newborn.id_number"] == number
    hospital = queries.case_view(
        case_id=town.case(application_id, "birth_certificate"), actor=town.hospital, basis=WHY, now=town.now
    )
    assert number not in _texts(hospital.outputs)


@pytest.fixture
def records() -> Iterator[list[str]]:
    """Everything that is logged meanwhile, as text."""
    found: list[str] = []

    class Keep(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            found.append(f"{record.getMessage()} {record.__dict__}")

    handler = Keep(level=logging.DEBUG)
    root, level = logging.getLogger(), logging.getLogger().level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield found
    root.removeHandler(handler)
    root.setLevel(level)


def test_nothing_personal_reaches_logs_events_tasks_notices_or_the_timeline(world: World, records: list[str]) -> None:
    application_id = world.submit()
    world.work(application_id, "birth_certificate")
    world.consent(application_id)
    world.work(application_id, "household_registration")
    personal = [ACCOUNT_NUMBER, "周念荷", "李芷宁", "荷叶街"]
    personal.append(models.Case.objects.get(item_code="household_registration").outputs["newborn.id_number"])
    logged = "\n".join(r for r in records if "django.db" not in r)
    tables = {
        "events_outbox": "payload::text",
        "notices_message": "params::text",
        "cases_event": "params::text",
        "processes_task": "title || label",
        "processes_task_closed": "title || label",
        "procrastinate_jobs": "args::text",
        "cases_document": "data::text || number",
        "cases_application": "number",
    }
    with connection.cursor() as cursor:
        for table, column in tables.items():
            cursor.execute(f"SELECT coalesce(string_agg({column}, ' '), '') FROM {table}")
            kept = cursor.fetchone()[0]
            for secret in personal:
                assert secret not in kept, (table, secret)
    for secret in personal:
        assert secret not in logged, secret


def test_reading_a_case_needs_a_purpose_and_is_shown_to_the_person(town: World) -> None:
    from furong.foundation.audit import queries as audit

    application_id = town.submit()
    case_id = town.case(application_id, "birth_certificate")
    with pytest.raises(PurposeMissing):
        queries.case_view(case_id=case_id, actor=town.hospital, basis=Basis(purpose=" "), now=town.now)
    queries.case_view(
        case_id=case_id,
        actor=town.hospital,
        basis=Basis(purpose="办理", legal_basis="母婴保健法第二十三条", case_id=case_id),
        now=town.now,
    )
    reads = audit.list_reads_of_person(person_id=town.mother.person_id)
    mine = [r for r in reads if r.what == "cases.case_view"]
    assert len(mine) == 1
    assert mine[0].purpose == "办理"
    assert mine[0].case_id == case_id
    assert "mother.name" in mine[0].fields
    assert "benefit.account_number" not in mine[0].fields
    # Who is read for her sake learns which body looked, and nothing of her affair.
    his = audit.list_reads_of_person(person_id=town.father.person_id)
    assert any(one.is_of_other and one.organization_label for one in his)
    assert not any(one.purpose or one.case_id or one.what for one in his if one.is_of_other)
    assert not any("办理" in one.purpose or one.case_id == case_id for one in his)


def test_strangers_and_residents_see_no_case_and_another_resident_no_application(town: World) -> None:
    application_id = town.submit(items=("vaccination_record",), event="")
    case_id = town.case(application_id, "vaccination_record")
    for actor in (town.father, town.mother, town.police):
        with pytest.raises(AccessRefused):
            queries.case_view(case_id=case_id, actor=actor, basis=WHY, now=town.now)
    for actor in (town.father, town.vaccination, Actor.anonymous()):
        with pytest.raises(CaseNotFound):
            queries.application_view(application_id=application_id, actor=actor, now=town.now)
    with pytest.raises(CaseNotFound):
        queries.case_view(case_id=new_id(), actor=town.vaccination, basis=WHY, now=town.now)


def test_a_list_holds_what_the_scope_covers(town: World) -> None:
    first = town.submit(items=("vaccination_record",), event="")
    second = town.submit(items=("maternity_benefit",), event="")
    scope = access.scope(actor=town.vaccination, right="cases.handle")
    page = queries.search_cases(scope=scope, actor=town.vaccination, now=town.now)
    seen = {line.case_id for line in page.lines}
    assert town.case(first, "vaccination_record") in seen
    assert town.case(second, "maternity_benefit") not in seen
    nothing = queries.search_cases(scope=Scope(), actor=town.vaccination, now=town.now)
    assert nothing.lines == ()
    with pytest.raises(AccessRefused):
        queries.export_cases(
            scope=Scope(), item_code="vaccination_record", actor=town.vaccination, basis=WHY, now=town.now
        )


def test_a_list_is_paged_and_searched_by_number_and_item(town: World) -> None:
    for _ in range(3):
        town.submit(items=("vaccination_record",), event="")
        town.next_family()
    everything, actor = Scope(everything=True), town.vaccination
    page = queries.search_cases(scope=everything, text="预防接种", limit=2, actor=actor, now=town.now)
    assert len(page.lines) == 2
    following = queries.search_cases(
        scope=everything, text="预防接种", limit=2, after=page.next_after, actor=actor, now=town.now
    )
    assert following.lines
    assert {line.case_id for line in following.lines}.isdisjoint(line.case_id for line in page.lines)
    number = page.lines[0].number
    (found,) = queries.search_cases(scope=everything, text=number, actor=actor, now=town.now).lines
    assert found.number == number
    for odd in ("%", "_", "\\", "'; DROP TABLE cases_case; --"):
        assert queries.search_cases(scope=everything, text=odd, actor=actor, now=town.now).lines == ()
    ended = queries.search_cases(scope=everything, states=[CaseState.WITHDRAWN], actor=actor, now=town.now)
    assert ended.lines == ()


def test_a_work_list_shows_the_case_beside_each_task(town: World) -> None:
    application_id = town.submit(items=("vaccination_record",), event="")
    case_id: UUID = town.case(application_id, "vaccination_record")
    facts = queries.facts_of_tasks(case_ids=[case_id, new_id()], now=town.now)
    assert set(facts) == {case_id}
    assert facts[case_id].item_name["zh"].startswith("预防接种")
    commands.accept_case(case_id=case_id, actor=town.vaccination, now=town.now)
    assert queries.facts_of_tasks(case_ids=[case_id], now=town.now)[case_id].due_on is not None
