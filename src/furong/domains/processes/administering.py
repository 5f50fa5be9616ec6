"""What an administrator or a program asks for from outside: start, deliver, cancel, and acting on many incidents at once.

Rooms that own a business key use `commands`, which ask for no right of their own; these ask `access`, and take a key of the
caller's (`Idempotency-Key`) under which the same request is done once however often it is sent.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from uuid import UUID

from furong.domains.processes import commands, overseeing
from furong.domains.processes.errors import (
    DefinitionUnknown,
    IncidentUnknown,
    MessageUnexpected,
    ReasonMissing,
    RequestKeyTaken,
)
from furong.domains.processes.store import execute, query
from furong.domains.processes.values.overseeing import BulkOutcome, IncidentCause
from furong.foundation.access.queries import require, scope
from furong.foundation.access.values import Actor, Basis, Scope
from furong.foundation.audit.commands import command, current
from furong.foundation.codes.errors import Refusal

_FILE = "overseeing.sql"
RIGHT = "processes.administer"
# A program that has not repeated a request for so long does not repeat it any more.
_KEPT = timedelta(days=7)
# How many incidents one press of a button tries.
MOST_AT_ONCE = 200


def _once(
    key: str, asked: Mapping[str, object], *, actor: Actor, now: datetime, do: Callable[[], UUID]
) -> tuple[UUID, bool]:
    """Do what was asked unless it was done under this key before; give the instance, and whether it is a repetition.

    Raises `RequestKeyTaken` when the key came with something else.
    """
    if not key:
        return do(), False
    text = json.dumps(asked, ensure_ascii=False, sort_keys=True, default=str, separators=(",", ":"))
    params: dict[str, object] = {
        "account": actor.account_id or UUID(int=0),
        "key": key,
        "digest": hashlib.sha256(text.encode()).hexdigest(),
        "now": now,
    }
    if execute(query(_FILE, "ask_once"), params).fetchone() is None:
        known = execute(query(_FILE, "asked_before"), params).fetchone()
        if known is None or known[0] != params["digest"] or known[1] is None:
            raise RequestKeyTaken
        return known[1], True
    instance_id = do()
    execute(query(_FILE, "answered"), {**params, "instance": instance_id})
    return instance_id, False


@command("processes.start_on_request")
def start_on_request(
    *,
    business_key: str,
    variables: Mapping[str, object],
    actor: Actor,
    now: datetime,
    code: str = "",
    definition_digest: str = "",
    organization_id: UUID | None = None,
    division_code: str = "",
    item_code: str = "",
    label: str = "",
    request_key: str = "",
    basis: Basis | None = None,
) -> tuple[UUID, bool]:
    """Start a process for an organization that the actor administers; give its id, and whether it was started before.

    Raises `AccessRefused`, `DefinitionUnknown`, `RequestKeyTaken`, `VariablesRefused`.
    """
    require(actor=actor, right=RIGHT, organization_id=organization_id, division_code=division_code)
    if not code and not definition_digest:
        raise DefinitionUnknown
    asked = {
        "start": code or definition_digest,
        "key": business_key,
        "variables": variables,
        "owner": [organization_id, division_code, item_code, label],
    }

    def do() -> UUID:
        return commands.start_process(
            business_key=business_key,
            variables=variables,
            definition_digest=definition_digest,
            code="" if definition_digest else code,
            organization_id=organization_id,
            division_code=division_code,
            item_code=item_code,
            label=label,
            actor=actor,
            now=now,
            basis=basis,
        )

    instance_id, repeated = _once(request_key, asked, actor=actor, now=now, do=do)
    current().object("process_instance", instance_id)
    current().detail(repeated=repeated)
    return instance_id, repeated


@command("processes.deliver_on_request")
def deliver_on_request(
    *,
    name: str,
    correlation: str,
    payload: Mapping[str, object],
    actor: Actor,
    now: datetime,
    request_key: str = "",
    basis: Basis | None = None,
) -> tuple[UUID, bool]:
    """Deliver a message to a process that the actor administers; give its id, and whether it was delivered before.

    Raises `AccessRefused`, `MessageUnexpected` (also when what waits for it is not the actor's), `RequestKeyTaken`.
    """
    require(actor=actor, right=RIGHT)

    def do() -> UUID:
        return commands.deliver_message(
            name=name, correlation=correlation, payload=payload, actor=actor, now=now, basis=basis
        )

    asked = {"message": name, "correlation": correlation, "payload": payload}
    instance_id, repeated = _once(request_key, asked, actor=actor, now=now, do=do)
    organization_id, division_code = overseeing.owner_of(instance_id=instance_id)
    if not scope(actor=actor, right=RIGHT).covers(organization_id=organization_id, division_code=division_code):
        raise MessageUnexpected(name=name)  # not a word about others' processes; the delivery is taken back
    current().object("process_instance", instance_id)
    current().detail(message=name, repeated=repeated)
    return instance_id, repeated


@command("processes.cancel_on_request")
def cancel_on_request(
    *, instance_id: UUID, reason: str, actor: Actor, now: datetime, basis: Basis | None = None
) -> None:
    """End an instance that the actor administers. Raises `AccessRefused`, `InstanceUnknown`, `ReasonMissing`."""
    overseeing.require_administration(actor=actor, instance_id=instance_id)
    commands.cancel_process(instance_id=instance_id, reason=reason, actor=actor, now=now, basis=basis)
    current().object("process_instance", instance_id)


def act_on_cause(
    *, cause: str, verb: str, reason: str, actor: Actor, now: datetime, most: int = MOST_AT_ONCE
) -> BulkOutcome:
    """Retry or skip the incidents of one cause (its `IncidentCause.key`), the oldest first, each on its own.

    One that is refused does not hold up the others. Raises `AccessRefused`, `IncidentUnknown`, `ReasonMissing`.
    """
    own = _administered(actor)
    if not reason.strip():
        raise ReasonMissing
    found = find_cause(scope=own, key=cause)
    ids = [one.id for one in overseeing.list_incidents(scope=own, cause=found, page_size=most).incidents]
    act = {"retry": commands.retry_incident, "skip": commands.skip_incident}[verb]
    refused: Counter[str] = Counter()
    done = 0
    for incident_id in ids:
        try:
            act(incident_id=incident_id, reason=reason, actor=actor, now=now)
        except Refusal as refusal:
            refused[refusal.code] += 1
        else:
            done += 1
    return BulkOutcome(done=done, refused=tuple(sorted(refused.items())), left=max(0, found.n - len(ids)))


def find_cause(*, scope: Scope, key: str) -> IncidentCause:
    """Give a cause of incidents within ``scope`` by its key. Raises `IncidentUnknown` when none is left."""
    for cause in overseeing.list_causes(scope=scope, limit=1000):
        if cause.key == key:
            return cause
    raise IncidentUnknown


def _administered(actor: Actor) -> Scope:
    return require(actor=actor, right=RIGHT).scope


def forget_requests(*, now: datetime) -> int:
    """Throw away the keys of requests that nobody repeats any more; gives how many."""
    return execute(query(_FILE, "forget_requests"), [now - _KEPT]).rowcount
