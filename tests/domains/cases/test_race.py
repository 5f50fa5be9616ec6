"""Acts at once: one wins, the others are refused, and nothing is done twice."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import Any

from django.db import connections

from furong.domains.cases import commands, models, queries
from furong.domains.cases.values import CaseState
from furong.domains.processes import queries as processes
from furong.foundation.codes.errors import Refusal
from furong.foundation.codes.ids import new_id
from tests.factories.newborn import World

ITEM = "vaccination_record"


def _at_once(*acts: Callable[[], Any]) -> list[Any]:
    """Run acts in threads that start together; gives each one's result or refusal."""
    gate = threading.Barrier(len(acts))
    results: list[Any] = [None] * len(acts)

    def run(place: int, act: Callable[[], Any]) -> None:
        try:
            gate.wait()
            results[place] = act()
        except Exception as error:  # noqa: BLE001 - handed back for the test to judge
            results[place] = error
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=one) for one in enumerate(acts)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def test_two_officers_decide_at_once_and_one_decision_stands(town: World) -> None:
    application_id = town.submit(items=(ITEM,), event="")
    case_id = town.case(application_id, ITEM)
    commands.accept_case(case_id=case_id, actor=town.vaccination, now=town.now)
    first, second = town.vaccination, replace(town.vaccination, account_id=new_id())
    results = _at_once(
        lambda: commands.approve_case(case_id=case_id, actor=first, now=town.now),
        lambda: commands.reject_case(case_id=case_id, reason="不符合", actor=second, now=town.now),
        lambda: commands.approve_case(case_id=case_id, actor=second, now=town.now),
    )
    assert results.count(None) == 1, results
    assert all(isinstance(r, Refusal) for r in results if r is not None), results
    kinds = list(models.Document.objects.filter(case_id=case_id).values_list("kind", flat=True))
    assert len([k for k in kinds if k.startswith("decision")]) == 1


def test_a_withdrawal_and_a_decision_at_once_do_not_both_happen(town: World) -> None:
    for _ in range(3):
        application_id = town.submit(items=(ITEM,), event="")
        case_id = town.case(application_id, ITEM)
        commands.accept_case(case_id=case_id, actor=town.vaccination, now=town.now)
        results = _at_once(
            lambda key=case_id: commands.approve_case(case_id=key, actor=town.vaccination, now=town.now),  # type: ignore[misc]
            lambda key=case_id: commands.withdraw_case(case_id=key, actor=town.mother, now=town.now),  # type: ignore[misc]
        )
        assert results.count(None) == 1, results
        assert all(isinstance(r, Refusal) for r in results if r is not None), results
        state = models.Case.objects.get(id=case_id).state
        assert state in {CaseState.APPROVED, CaseState.WITHDRAWN}
        town.next_family()


def test_two_timers_at_once_accept_a_silent_case_once(world: World) -> None:
    application_id = world.submit(items=(ITEM,), event="")
    case_id = world.case(application_id, ITEM)
    now = world.on(date(2026, 12, 1))
    results = _at_once(*[lambda: commands.run_due(now=now)["deemed_accepted"] for _ in range(3)])
    assert sum(results) == 1
    assert models.Document.objects.filter(case_id=case_id, kind="acceptance").count() == 1


def test_a_consent_given_and_refused_at_once_is_one_answer(town: World) -> None:
    application_id = town.submit(items=("household_registration",))
    town.work(application_id, "birth_certificate")
    (asked,) = queries.list_consents_asked_of(actor=town.father)
    results = _at_once(
        lambda: commands.give_consent(consent_id=asked.id, actor=town.father, now=town.now),
        lambda: commands.refuse_consent(consent_id=asked.id, actor=town.father, now=town.now),
    )
    assert results.count(None) == 1, results
    state = models.Consent.objects.get(id=asked.id).state
    case = models.Case.objects.get(application_id=application_id, item_code="household_registration")
    expected = {"given": CaseState.SUBMITTED, "refused": CaseState.NOT_ACCEPTED}
    assert case.state == expected[state]


def test_a_case_is_started_once_however_often_its_job_runs(town: World) -> None:
    draft_id = town.draft(items=(ITEM,), event="")
    done = commands.submit_application(draft_id=draft_id, actor=town.mother, now=town.now)
    case_id = town.case(done.application_id, ITEM)
    from furong.foundation.access.values import Actor

    system = Actor.system("tests")
    results = _at_once(*[lambda: commands.start_case(case_id=case_id, actor=system, now=town.now) for _ in range(4)])
    assert sorted(results) == [False, False, False, True]
    assert len(processes.list_instances_of(business_key=str(case_id))) == 1
    assert town.run_jobs().count("cases.start_case") == 1
    assert len(processes.list_instances_of(business_key=str(case_id))) == 1


def test_a_document_is_made_and_served_once_however_often_its_job_runs(town: World) -> None:
    from furong.foundation.access.values import Actor
    from furong.foundation.notices import queries as notices

    application_id = town.submit(items=(ITEM,), event="")
    case_id = town.case(application_id, ITEM)
    commands.accept_case(case_id=case_id, actor=town.vaccination, now=town.now)
    document_id = models.Document.objects.get(case_id=case_id).id
    system = Actor.system("tests")
    results = _at_once(
        *[lambda: commands.render_document(document_id=document_id, actor=system, now=town.now) for _ in range(3)]
    )
    assert len(set(results)) == 1
    served = [m for m in notices.list_messages(actor=town.mother) if m.template == "cases.document"]
    assert len(served) == 1
