"""Cases and their processes: the one place that talks to ``domains.processes``.

A case drives its process by completing its tasks and delivering messages; the process drives its case through the
listeners at the end. Both happen in one transaction of the platform's database.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from furong.domains.cases import models
from furong.domains.cases.errors import ActNotAllowed
from furong.domains.cases.queries.handling import visible_answers, visible_outputs
from furong.domains.processes.errors import InstanceUnknown, MessageUnexpected
from furong.foundation.access.values import Actor

try:
    from furong.domains.processes import commands as processes
    from furong.domains.processes import queries as process_queries
except ImportError:  # the room is being built
    pass

ACCEPTANCE, REVIEW, DECISION = "acceptance", "review", "decision"
CONSENT_MESSAGE, SUPPLEMENT_MESSAGE, WITHDRAWAL_MESSAGE = "consent", "supplement", "withdrawal"


def start(case: models.Case, *, actor: Actor, now: datetime) -> UUID:
    """This function will start the process that a locked case pinned, with the data its department may see."""
    return processes.start_process(
        definition_digest=case.process_digest,
        business_key=str(case.id),
        variables=variables_of(case),
        organization_id=case.organization_id,
        division_code=case.division_code,
        item_code=case.item_code,
        label=case.number,
        actor=actor,
        now=now,
    )


def variables_of(case: models.Case) -> dict[str, Any]:
    """This function will return what the process knows: the case's number and place, and the answers by element.

    An element ``child.name`` is the variable ``child`` with the field ``name``, as FEEL reads it. Nothing that the item
    does not declare is in it.
    """
    known: dict[str, Any] = {
        "case": {
            "number": case.number,
            "item": case.item_code,
            "division_code": case.division_code,
            "submitted_on": case.application.submitted_on.isoformat(),
            "applicant_person_id": str(case.application.applicant_person_id or ""),
        }
    }
    facts = {code: a.get("value") for code, a in visible_answers(case_id=case.id).items() if code}
    for code, value in {**facts, **visible_outputs(case_id=case.id)}.items():
        put(known, code, value)
    return known


def put(known: dict[str, Any], element: str, value: Any) -> None:
    """This function will put the value of an element where FEEL finds it; a part that is a value already is kept."""
    *path, last = element.split(".")
    here = known
    for part in path:
        nxt = here.setdefault(part, {})
        if not isinstance(nxt, dict):
            return
        here = nxt
    here[last] = value


def finish_acceptance(case: models.Case, *, outcome: str, actor: Actor, now: datetime) -> None:
    """This function will complete the case's open acceptance task, if its process has one."""
    for task in _open(case, ACCEPTANCE):
        _complete(task, outcome=outcome, variables={}, actor=actor, now=now)


def finish_decision(case: models.Case, *, outcome: str, opinion: str, actor: Actor, now: datetime) -> None:
    """This function will complete the case's decision task. Raises ActNotAllowed while earlier steps are open."""
    tasks = _open(case, DECISION)
    if not tasks:
        raise ActNotAllowed(
            "Earlier steps of this case are still open.", mend="Finish them first; the diagram shows which."
        )
    for task in tasks:
        _complete(task, outcome=outcome, variables={"opinion": opinion} if opinion else {}, actor=actor, now=now)


def _open(case: models.Case, kind: str) -> list[Any]:
    if case.process_instance_id is None:
        return []
    return [t for t in process_queries.list_tasks_of(business_key=str(case.id)) if t.is_open and t.kind == kind]


def _complete(task: Any, *, outcome: str, variables: Mapping[str, Any], actor: Actor, now: datetime) -> None:
    processes.complete_task(task_id=task.id, outcome=outcome, variables=dict(variables), actor=actor, now=now)


def cancel(case: models.Case, *, why: str, actor: Actor, now: datetime) -> None:
    """This function will cancel the case's process, if it runs."""
    if case.process_instance_id is None:
        return
    try:
        processes.cancel_process(instance_id=case.process_instance_id, reason=why, actor=actor, now=now)
    except InstanceUnknown:
        return


def supplement_came(case: models.Case, *, now: datetime) -> None:
    """This function will tell the process that the supplement is in, if it waits for it."""
    deliver(case, SUPPLEMENT_MESSAGE, variables_of(case), now=now)


def consent_answered(case: models.Case, consent: models.Consent, *, now: datetime) -> None:
    """This function will tell the process what the person asked has answered, if it waits for it."""
    name = next((c.get("message") for c in case.terms.get("consents", ()) if c["code"] == consent.code), "")
    deliver(
        case,
        name or CONSENT_MESSAGE,
        {"consent": {"code": consent.code, "state": consent.state, "id": str(consent.id)}},
        now=now,
    )


def deliver(case: models.Case, name: str, payload: Mapping[str, Any], *, now: datetime) -> bool:
    """This function will deliver a message to the case's process; False when nothing waits for it."""
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


def clock_changed(case: models.Case, *, now: datetime) -> None:
    """This function will be where a changed limit reaches the process's own due dates, once the engine can move them."""
