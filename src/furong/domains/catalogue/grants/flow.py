"""How a request moves: the pack's process for it, its tasks, and what the process does to the request.

The BPMN is the pack's definition ``approvals/resource_request/process.bpmn``; a pack that has none gets the platform's own (the
provider replies, the data authority reviews what is shared on condition). A task's ``furong:kind`` says what is to be done, and
the request follows in the same transaction: when supply is due, a grant is offered; a process that ends before that has refused.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from furong.domains.catalogue import models
from furong.domains.catalogue.errors import ActImpossible, ReasonNeeded
from furong.domains.catalogue.grants.compiling import party_of
from furong.domains.catalogue.grants.values import RequestState
from furong.domains.catalogue.needs import models as needs_models
from furong.domains.catalogue.needs.errors import SupplyOrdered
from furong.domains.catalogue.needs.values import Outcome
from furong.domains.processes import commands as processes
from furong.domains.processes import ports
from furong.domains.processes import queries as process_queries
from furong.domains.processes.ports import ProcessFact, TaskFact
from furong.domains.processes.values.work import Task
from furong.foundation.access.sharing import identify_parties_by
from furong.foundation.access.values import Actor
from furong.foundation.calendar import queries as calendar
from furong.foundation.packs import queries as packs
from furong.foundation.packs.values import BUILT_IN, Finding, Frame, PackFile
from furong.foundation.packs.values.kinds import XML

KIND, CODE = "approval", "resource_request"
COMPLETED = "completed"
APPROVED, REFUSED, SUPPLIED = "approved", "refused", "supplied"
# What ``furong:kind`` of a task says about the request while the task is open.
REPLY, AUTHORITY, SUPPLY = "provider_reply", "authority_review", "supply"
_STATES = {
    REPLY: RequestState.SUBMITTED,
    AUTHORITY: RequestState.WITH_AUTHORITY,
    SUPPLY: RequestState.CONSENTED,
}
_FILE = Path(__file__).resolve().parents[1] / "flows" / f"{CODE}.bpmn"


def built_in_files(frame: Frame) -> Iterator[PackFile]:
    """Give the process that a pack without one of its own uses."""
    path = f"{BUILT_IN}catalogue/{_FILE.name}"
    yield PackFile(kind=KIND, code=CODE, path=path, shown=path, content=_FILE.read_bytes(), media_type=XML)


def parse_process(content: bytes, file: str, frame: Frame) -> tuple[Any, list[Finding]]:
    """Read a process as the engine does, with its findings."""
    from furong.domains.processes.values.reader import read_bpmn

    reading = read_bpmn(content, file=file, to_publish=True)
    return reading.definition, list(reading.findings)


def start(request: models.Request, *, actor: Actor, now: datetime) -> UUID:
    """Start the process of a request; it belongs to the provider."""
    return processes.start_process(
        definition_digest=_definition(now=now),
        business_key=str(request.id),
        variables={
            "request": {
                "number": request.number,
                "resource": request.resource_code,
                "sharing": request.sharing,
            }
        },
        organization_id=request.provider_organization_id,
        division_code=request.provider_division_code,
        label=request.number,
        actor=actor,
        now=now,
    )


def _definition(*, now: datetime) -> str:
    """Give the engine's digest of the process in force, publishing it when it is met first."""
    release = packs.find_release(kind=KIND, code=CODE, on=calendar.current().local_date(now))
    key = release.digest if release is not None else ""
    known = _published(str(connection.settings_dict["NAME"]))
    digest = known.get(key, "")
    if digest and any(one.digest == digest for one in process_queries.list_definitions(code=CODE)):
        return digest
    content = packs.get_definition(digest=release.digest).content if release is not None else _FILE.read_bytes()
    digest = processes.publish_definition(
        xml=content, file=f"approvals/{CODE}/process.bpmn", code=CODE, actor=Actor.system("catalogue"), now=now
    )
    transaction.on_commit(lambda: known.__setitem__(key, digest))
    return digest


@lru_cache(maxsize=64)
def _published(database: str) -> dict[str, str]:
    return {}


def open_task(request: models.Request, *kinds: str) -> Task:
    """Give the open task of one of these kinds. Raises `ActImpossible` when there is none."""
    for task in process_queries.list_tasks_of(business_key=str(request.id), only_open=True):
        if task.kind in kinds:
            return task
    raise ActImpossible


def complete(task: Task, *, outcome: str, actor: Actor, now: datetime) -> None:
    """Complete a task; the process runs on, and its handlers move the request."""
    processes.complete_task(task_id=task.id, outcome=outcome, variables={}, actor=actor, now=now)


def hold_clock(request: models.Request, *, now: datetime) -> None:
    """Take the deadline off the reply while the requester is asked for additions."""
    task = open_task(request, REPLY)
    processes.change_deadline(
        task_id=task.id, due_at=None, yellow_at=None, reason="supplement", actor=Actor.system("catalogue"), now=now
    )


def run_clock(request: models.Request, *, now: datetime) -> None:
    """Put the deadline of the reply back."""
    task = open_task(request, REPLY)
    days = calendar.current()
    due = days.end_of_day(request.reply_due_on) if request.reply_due_on is not None else None
    processes.change_deadline(
        task_id=task.id, due_at=due, yellow_at=None, reason="supplemented", actor=Actor.system("catalogue"), now=now
    )


def cancel(request: models.Request, *, reason: str, actor: Actor, now: datetime) -> None:
    """End the process of a request that is withdrawn."""
    if request.process_instance_id is not None:
        processes.cancel_process(instance_id=request.process_instance_id, reason=reason, actor=actor, now=now)


# --- what the process does to the request -------------------------------------------------------------------------------


def on_task_created(fact: TaskFact) -> None:
    """Let the request stand where its process is; once supply is due, offer the grant for signature."""
    from furong.domains.catalogue.grants.granting import offer

    state = _STATES.get(fact.kind)
    if fact.definition_code != CODE or state is None:
        return
    request = models.Request.objects.select_for_update().get(id=UUID(fact.business_key))
    if state is RequestState.CONSENTED:
        offer(request, now=fact.now)
    elif request.state != state:
        request.state = state.value
        request.save(update_fields=["state"])


def on_task_completed(fact: TaskFact) -> None:
    """See that a task which is finished by the engine's own door follows the same rules as the request's own acts."""
    if fact.definition_code != CODE or fact.kind not in _STATES:
        return
    request = models.Request.objects.select_for_update().get(id=UUID(fact.business_key))
    if request.state == RequestState.TO_SUPPLEMENT:
        raise ActImpossible
    if fact.outcome == REFUSED and not request.reason.strip():
        raise ReasonNeeded
    if fact.outcome == REFUSED and is_ordered(request.id):
        raise SupplyOrdered
    if (
        fact.kind == SUPPLY
        and not models.Grant.objects.filter(request=request, parent=None, valid_from__isnull=False).exists()
    ):
        raise ActImpossible  # nothing is supplied before both sides have signed


def is_ordered(request_id: UUID) -> bool:
    """Say whether the data authority's last ruling on a request orders its supply, so that it cannot be refused."""
    rulings = needs_models.Escalation.objects.filter(subject_id=request_id).exclude(outcome="")
    last = rulings.order_by("-raised_at", "-id").values_list("outcome", flat=True).first()
    return last == Outcome.ORDER


def on_process_ended(fact: ProcessFact) -> None:
    """End the request: supplied after its grant was signed, refused before; one that is cancelled is withdrawn."""
    if fact.definition_code != CODE:
        return
    request = models.Request.objects.select_for_update().get(id=UUID(fact.business_key))
    state = RequestState(request.state)
    if not state.is_open:
        return
    if fact.ending != COMPLETED:
        request.state = RequestState.WITHDRAWN.value
    elif state is RequestState.CONSENTED:
        request.state, request.supplied_at = RequestState.SUPPLIED.value, fact.now
    else:
        request.state, request.replied_at = RequestState.REFUSED.value, fact.now
    request.save(update_fields=["state", "supplied_at", "replied_at"])


def bind() -> None:
    """Let requests follow their processes, and say which organisation is whose. The wiring calls it."""
    identify_parties_by(party_of)
    wiring = ports.wiring()
    if on_task_created not in wiring.on_task_created:
        ports.on_task_created(on_task_created)
    if on_task_completed not in wiring.on_task_completed:
        ports.on_task_completed(on_task_completed)
    if on_process_ended not in wiring.on_process_ended:
        ports.on_process_ended(on_process_ended)
