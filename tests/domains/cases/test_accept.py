"""Acceptance, non-acceptance and silence (行政许可法 art. 32)."""

from __future__ import annotations

from datetime import date

import pytest

from furong.domains.cases import commands, models, queries
from furong.domains.cases.errors import ActNotAllowed, CaseChanged, CaseClosed, CaseNotFound, ReasonMissing
from furong.domains.cases.values import CaseState, EndReason, Light
from furong.domains.processes import queries as processes
from furong.foundation.access.errors import AccessRefused
from furong.foundation.codes.ids import new_id
from tests.factories.newborn import World

ITEM = "birth_certificate"


def _applied(town: World) -> tuple[object, object]:
    application_id = town.submit(items=(ITEM,))
    return application_id, town.case(application_id, ITEM)


def test_acceptance_starts_the_clock_and_issues_a_numbered_document(town: World) -> None:
    application_id, case_id = _applied(town)
    commands.accept_case(case_id=case_id, actor=town.hospital, now=town.now)
    lane = town.lane(application_id, ITEM)
    assert lane.state is CaseState.IN_PROGRESS
    assert lane.accepted_on == date(2026, 11, 23)
    case = models.Case.objects.get(id=case_id)
    assert lane.due_on == date(2026, 11, 23 + case.terms["promised_days"])
    paper = models.Document.objects.get(case_id=case_id)
    assert paper.kind == "acceptance"
    assert paper.number.endswith("受〔2026〕1号")
    assert models.CaseEvent.objects.filter(case_id=case_id, code="case.accept").exists()


def test_documents_are_sealed_served_and_their_opening_is_recorded(town: World) -> None:
    from furong.foundation.storage import queries as storage

    application_id, case_id = _applied(town)
    commands.accept_case(case_id=case_id, actor=town.hospital, now=town.now)
    town.run_jobs()
    paper = next(d for d in town.view(application_id).documents if d.case_id == case_id)
    assert paper.ready
    assert paper.served_at == town.now
    assert paper.opened_at is None
    with pytest.raises(CaseNotFound):
        commands.open_document(document_id=paper.id, actor=town.father, now=town.now)
    commands.open_document(document_id=paper.id, actor=town.hospital, now=town.now)
    assert models.Document.objects.get(id=paper.id).opened_at is None  # the body's own copy is no service
    opened_at = town.later(1)
    digest = commands.open_document(document_id=paper.id, actor=town.mother, now=opened_at)
    commands.open_document(document_id=paper.id, actor=town.mother, now=town.later(1))
    assert models.Document.objects.get(id=paper.id).opened_at == opened_at
    assert storage.get(digest).startswith(b"%PDF-")


def test_the_seal_verifies(town: World) -> None:
    from furong.foundation.storage import queries as storage
    from furong.registries.licences import queries as licences

    application_id, case_id = _applied(town)
    commands.refuse_acceptance(case_id=case_id, reason="不属于本机关职权范围", actor=town.hospital, now=town.now)
    town.run_jobs()
    paper = next(d for d in town.view(application_id).documents if d.case_id == case_id)
    pdf = storage.get(commands.open_document(document_id=paper.id, actor=town.mother, now=town.now))
    assert licences.verify_pdf(data=pdf, actor=town.mother, now=town.now).is_good
    assert not licences.verify_pdf(data=pdf[:-40] + b" " * 40, actor=town.mother, now=town.now).is_good


def test_document_numbers_run_within_organisation_kind_and_year(town: World) -> None:
    for _ in range(2):
        _, case_id = _applied(town)
        commands.accept_case(case_id=case_id, actor=town.hospital, now=town.now)
        town.next_family()
    numbers = list(
        models.Document.objects.filter(kind="acceptance").order_by("issued_at", "id").values_list("number", flat=True)
    )
    serials = [int(n.split("〕")[1].removesuffix("号")) for n in numbers]
    assert serials == list(range(1, len(numbers) + 1))


def test_only_the_responsible_body_accepts(town: World) -> None:
    _, case_id = _applied(town)
    for actor in (town.police, town.mother, town.insurance):
        with pytest.raises(AccessRefused):
            commands.accept_case(case_id=case_id, actor=actor, now=town.now)
    with pytest.raises(CaseNotFound):
        commands.accept_case(case_id=new_id(), actor=town.hospital, now=town.now)
    assert models.Case.objects.get(id=case_id).state == CaseState.SUBMITTED


def test_a_case_is_accepted_once(town: World) -> None:
    _, case_id = _applied(town)
    commands.accept_case(case_id=case_id, actor=town.hospital, now=town.now)
    with pytest.raises(ActNotAllowed):
        commands.accept_case(case_id=case_id, actor=town.hospital, now=town.now)


def test_an_act_on_a_case_that_somebody_moved_meanwhile_is_refused(town: World) -> None:
    _, case_id = _applied(town)
    seen = models.Case.objects.get(id=case_id).version
    commands.accept_case(case_id=case_id, actor=town.hospital, now=town.now)
    with pytest.raises(CaseChanged):
        commands.approve_case(case_id=case_id, actor=town.hospital, now=town.now, expected_version=seen)


def test_silence_for_five_working_days_counts_as_acceptance_from_the_day_of_receipt(town: World) -> None:
    application_id, case_id = _applied(town)
    case = models.Case.objects.get(id=case_id)
    assert case.acceptance_due_on == date(2026, 11, 30)
    assert commands.run_due(now=town.on(date(2026, 11, 30), 23))["deemed_accepted"] == 0
    commands.run_due(now=town.on(date(2026, 12, 1), 0))
    case.refresh_from_db()
    assert case.deemed_accepted
    assert case.accepted_on == date(2026, 11, 23)
    # Deemed accepted on the day of receipt, so its limit has passed meanwhile.
    assert town.lane(application_id, ITEM).light in {Light.RED, Light.OVERDUE}
    kinds = [t.kind for t in processes.list_tasks_of(business_key=str(case_id), only_open=True)]
    assert kinds == ["decision"]
    assert commands.run_due(now=town.now)["deemed_accepted"] == 0


def test_silence_accepts_also_what_an_officer_had_claimed(town: World) -> None:
    from furong.domains.processes import commands as process_commands

    _, case_id = _applied(town)
    (task,) = processes.list_tasks_of(business_key=str(case_id), only_open=True)
    process_commands.claim_task(task_id=task.id, actor=town.hospital, now=town.now)
    commands.run_due(now=town.on(date(2026, 12, 1)))
    assert models.Case.objects.get(id=case_id).deemed_accepted


def test_non_acceptance_states_its_reason_and_the_remedies(town: World) -> None:
    application_id, case_id = _applied(town)
    with pytest.raises(ReasonMissing):
        commands.refuse_acceptance(case_id=case_id, reason=" ", actor=town.hospital, now=town.now)
    commands.refuse_acceptance(case_id=case_id, reason="不属于本机关职权范围", actor=town.hospital, now=town.now)
    lane = town.lane(application_id, ITEM)
    assert lane.state is CaseState.NOT_ACCEPTED
    assert lane.end_reason == EndReason.NOT_ACCEPTED
    assert lane.reason == "不属于本机关职权范围"
    assert len(lane.remedies) == 2
    assert processes.list_tasks_of(business_key=str(case_id), only_open=True) == []
    with pytest.raises(CaseClosed):
        commands.accept_case(case_id=case_id, actor=town.hospital, now=town.now)


def test_every_step_tells_the_applicant(town: World) -> None:
    from furong.foundation.notices import queries as notices

    application_id, case_id = _applied(town)
    commands.accept_case(case_id=case_id, actor=town.hospital, now=town.now)
    town.run_jobs()
    told = [
        m.template
        for m in notices.list_messages(actor=town.mother)
        if m.params.get("application_id") == str(application_id)
    ]
    assert {"cases.submitted", "cases.accepted", "cases.document"} <= set(told)


def test_the_view_offers_what_the_state_and_the_rights_allow(town: World) -> None:
    from tests.factories.newborn import WHY

    _, case_id = _applied(town)
    seen = queries.case_view(case_id=case_id, actor=town.hospital, basis=WHY, now=town.now)
    assert {"accept", "refuse_acceptance", "request_supplement"} <= seen.acts
    assert "pause" not in seen.acts
    commands.accept_case(case_id=case_id, actor=town.hospital, now=town.now)
    seen = queries.case_view(case_id=case_id, actor=town.hospital, basis=WHY, now=town.now)
    assert {"approve", "reject", "pause", "request_extension"} <= seen.acts
    assert "request_supplement" not in seen.acts
