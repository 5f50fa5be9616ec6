"""Cases and their processes: the one place that talks to ``domains.processes``.

A case drives its process by completing its tasks and delivering messages; the process drives its case through
``following``. Both happen in one transaction of the platform's database.
"""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from datetime import datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from furong.domains.cases import models
from furong.domains.cases.errors import ActNotAllowed, HandlerMisconfiguredError
from furong.domains.cases.queries.handling import visible_answers, visible_outputs
from furong.domains.cases.values.supplements import is_element
from furong.domains.processes import commands as processes
from furong.domains.processes import queries as process_queries
from furong.domains.processes.errors import InstanceUnknown, MessageUnexpected
from furong.domains.processes.values.work import Task
from furong.domains.services import queries as services
from furong.foundation.access.values import Actor
from furong.foundation.packs import queries as packs

ACCEPTANCE, REVIEW, DECISION = "acceptance", "review", "decision"
SUPPLEMENT_MESSAGE = "supplement"
# A person who was being called because their consent was late has answered, or will not.
ANSWERED, LAPSED = "answered", "lapsed"


def start(case: models.Case, *, actor: Actor, now: datetime) -> UUID:
    """Start the process that a locked case pinned, with the data its department may see."""
    return processes.start_process(
        definition_digest=definition_of(case.closure_digest, item_code=case.item_code, now=now),
        business_key=str(case.id),
        variables=variables_of(case),
        organization_id=case.organization_id,
        division_code=case.division_code,
        item_code=case.item_code,
        label=case.number,
        actor=actor,
        now=now,
    )


def definition_of(closure_digest: str, *, item_code: str, now: datetime) -> str:
    """Return the engine's digest of a closure's process, publishing it when it is met first."""
    known = _published(str(connection.settings_dict["NAME"]))
    digest = known.get(closure_digest, "")
    # A restored database may lack what this process remembers.
    if digest and any(d.digest == digest for d in process_queries.list_definitions(code=item_code)):
        return digest
    closure = services.get_pinned(digest=closure_digest)
    if not closure.process:
        raise HandlerMisconfiguredError(f"The item {closure.item_code} has no process.")
    resources = {"rules": packs.get_definition(digest=closure.decision).content} if closure.decision else {}
    digest = processes.publish_definition(
        xml=packs.get_definition(digest=closure.process).content,
        file=f"items/{closure.item_code}/process.bpmn",
        code=closure.item_code,
        resources=resources,
        actor=Actor.system("cases"),
        now=now,
    )
    # Remembered only once it is there to stay.
    transaction.on_commit(lambda: known.__setitem__(closure_digest, digest))
    return digest


@lru_cache(maxsize=64)
def _published(database: str) -> dict[str, str]:
    return {}


def variables_of(case: models.Case) -> dict[str, Any]:
    """Return what the process knows: the case's number and place, and the answers by element.

    An element ``newborn.name`` is the variable ``newborn`` with the field ``name``, as FEEL reads it; what nobody
    answered is null. Nothing that the item does not declare is in it.
    """
    known: dict[str, Any] = {
        "case": {
            "number": case.number,
            "item": case.item_code,
            "item_name": case.item_name.get("zh") or case.item_code,
            "result_name": case.result_name.get("zh") or "",
            "department": case.department,
            "division_code": case.division_code,
            "submitted_on": case.application.submitted_on.isoformat(),
            # Whether somebody else applied for them: a guardian, or whoever holds their mandate.
            "represented": case.application.principal_id != case.application.applicant_person_id,
        },
        "consent": None,
    }
    facts = dict.fromkeys(case.visible_elements)
    facts |= {code: a.get("value") for code, a in visible_answers(case_id=case.id).items() if is_element(code)}
    for code, value in {**facts, **visible_outputs(case_id=case.id)}.items():
        put(known, code, value)
    return known


def put(known: dict[str, Any], element: str, value: Any) -> None:
    """Put the value of an element where FEEL finds it; a part that is a value already is kept."""
    *path, last = element.split(".")
    here = known
    for part in path:
        following = here.setdefault(part, {})
        if not isinstance(following, dict):
            return
        here = following
    here[last] = value


def open_tasks(case: models.Case) -> list[Task]:
    """Return the case's open tasks, oldest first."""
    if case.process_instance_id is None:
        return []
    return process_queries.list_tasks_of(business_key=str(case.id), only_open=True)


def finish_acceptance(case: models.Case, *, outcome: str, actor: Actor, now: datetime) -> None:
    """Complete the case's open acceptance task, if its process has one."""
    for task in open_tasks(case):
        if task.kind == ACCEPTANCE:
            complete(task, outcome=outcome, variables=supplemented(case), actor=actor, now=now)


def supplemented(case: models.Case) -> dict[str, Any]:
    """Return the process's variables as supplements have changed them, only those that they touch."""
    rows = models.Supplement.objects.filter(case__application_id=case.application_id, answered_at__isnull=False)
    changed = {code for answers in rows.values_list("answers", flat=True) for code in answers if code}
    touched = changed & set(case.visible_elements)
    if not touched or case.process_instance_id is None:
        return {}
    held = process_queries.get_instance(instance_id=case.process_instance_id).variables
    known: dict[str, Any] = {}
    for code, answer in visible_answers(case_id=case.id).items():
        if code in touched:
            top = code.partition(".")[0]
            known.setdefault(top, deepcopy(held.get(top, {})))
            put(known, code, answer.get("value"))
    return known


def finish_decision(case: models.Case, *, outcome: str, opinion: str, actor: Actor, now: datetime) -> None:
    """Complete the case's decision task. Raises ActNotAllowed while earlier steps are open."""
    tasks = [t for t in open_tasks(case) if t.kind == DECISION]
    if not tasks:
        raise ActNotAllowed(
            "Earlier steps of this case are still open.", mend="Finish them first; the diagram shows which."
        )
    for task in tasks:
        complete(task, outcome=outcome, variables={"opinion": opinion} if opinion else {}, actor=actor, now=now)


def complete(task: Task, *, outcome: str, variables: Mapping[str, Any], actor: Actor, now: datetime) -> None:
    """Complete a task; one that a colleague holds only time itself may take from their hands."""
    if actor.is_system and task.claimed_by is not None:
        processes.release_task(task_id=task.id, reason="The law's time has run out.", actor=actor, now=now)
    processes.complete_task(
        task_id=task.id,
        outcome=outcome if not task.outcomes or outcome in task.outcomes else task.outcomes[0],
        variables=dict(variables),
        actor=actor,
        now=now,
    )


def cancel(case: models.Case, *, why: str, actor: Actor, now: datetime) -> None:
    """Cancel the case's process, if it runs."""
    if case.process_instance_id is None:
        return
    try:
        processes.cancel_process(instance_id=case.process_instance_id, reason=why, actor=actor, now=now)
    except InstanceUnknown:
        return


def supplement_came(case: models.Case, *, now: datetime) -> None:
    """Tell the process that the supplement is in, if it waits for it."""
    deliver(case, SUPPLEMENT_MESSAGE, supplemented(case), now=now)


def consent_answered(case: models.Case, consent: models.Consent, *, actor: Actor, now: datetime) -> None:
    """Tell the process what the person asked has answered, or that they did not.

    Where the process has gone on to calling them, it ends that call.
    """
    payload = {"consent": {"code": consent.code, "state": consent.state, "id": str(consent.id)}}
    if deliver(case, consent.message, payload, now=now):
        return
    outcome = LAPSED if consent.state == "lapsed" else ANSWERED
    for task in open_tasks(case):
        if outcome in task.outcomes:
            complete(task, outcome=outcome, variables=payload, actor=Actor.system("cases"), now=now)


def deliver(case: models.Case, name: str, payload: Mapping[str, Any], *, now: datetime) -> bool:
    """Deliver a message to the case's process; False when nothing waits for it."""
    if case.process_instance_id is None:
        return False
    try:
        processes.deliver_message(
            name=name,
            correlation=str(case.id),
            payload=dict(payload),
            actor=Actor.system("cases"),
            now=now,
        )
    except MessageUnexpected:
        return False
    return True


def clock_changed(case: models.Case, *, now: datetime, why: str) -> None:
    """Take the deadline off the case's open tasks while its clock is stopped, and put it back after."""
    from furong.domains.cases.commands.moving import calendar

    days = calendar()
    due_at = days.end_of_day(case.promised_due_on) if case.promised_due_on is not None else None
    yellow_at = days.start_of_day(case.yellow_on) if case.yellow_on is not None and due_at is not None else None
    for task in open_tasks(case):
        processes.change_deadline(
            task_id=task.id,
            due_at=due_at,
            yellow_at=yellow_at,
            reason=why,
            actor=Actor.system("cases"),
            now=now,
        )
