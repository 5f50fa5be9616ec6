"""Carrying documents between nodes: pulled from above, given upward, and pushed at once when something is taken away."""

from __future__ import annotations

import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from uuid import UUID

from django.db import DatabaseError, transaction
from django.utils import timezone

from furong.domains.catalogue.grants import reading, requesting
from furong.domains.catalogue.grants.values import RequestState, Terms
from furong.domains.exchange import issuing, models, shared_rows
from furong.domains.exchange.compiling import METHOD, compile_configuration
from furong.domains.exchange.nodes import documents
from furong.domains.exchange.nodes import models as tables
from furong.domains.exchange.nodes.errors import DocumentRefused
from furong.domains.exchange.nodes.events import AskAnswered
from furong.domains.exchange.nodes.joining import foreign_parties, live
from furong.domains.exchange.nodes.values import AskState, NodeState, Relation
from furong.foundation.access.values import Actor, ActorKind, Assurance
from furong.foundation.audit.commands import command, current
from furong.foundation.codes.errors import Refusal
from furong.foundation.events.commands import publish
from furong_link import nodes
from furong_link.centre import Centre, CentreError
from furong_link.errors import LinkError
from furong_link.handover import KeyName, Trust

log = logging.getLogger("furong.exchange")

# A node that hands a restriction on to its own gateways and nodes takes a while; what is beyond is told as unreached.
TIMEOUT_SECONDS = 6.0
SYSTEM = Actor.system("exchange")


class _NodeKey(issuing.OperatorKey):
    """The operator's key under the name that other nodes know it by."""

    def __init__(self, node: str) -> None:
        super().__init__()
        self._node = node

    @property
    def key_id(self) -> str:
        return nodes.key_id_of(self._node, self.number)


def connect(address: str, own: str) -> Centre:
    """Give the way to another node, asked in this node's name. Raises ConfigurationError for an address that is none."""
    return _connect(address, _NodeKey(own))


def _connect(address: str, key: _NodeKey) -> Centre:
    return Centre(address, signer=key, timeout_seconds=TIMEOUT_SECONDS)


# --- taking -------------------------------------------------------------------------------------------------------------


@command("exchange.take_document")
def take_document(*, file: bytes, actor: Actor, now: datetime) -> tuple[str, bool]:
    """Take another node's document: check it, keep it with its signature, join it; give its sender, and
    whether it says anything new.

    What a document takes away is handed to gateways and nodes by the caller (`hand_on`), after the commit. Raises
    `DocumentRefused`.
    """
    own = tables.OwnNode.objects.filter(id=1).first()
    try:
        sender = nodes.sender_of(file)
        row = tables.Node.objects.select_for_update().filter(code=sender, state=NodeState.LIVE.value).first()
        if row is None or own is None:
            raise DocumentRefused
        trust = trust_in(row)
        found, after = nodes.take_document(
            file, trust=trust, now=now.timestamp(), sender=sender, recipient=own.code, held=row.taken_serial
        )
        if after.key.public in row.spent:
            raise DocumentRefused
    except LinkError as error:
        raise DocumentRefused from error
    current().object("exchange_node", sender)
    row.seen_at = now
    if after != trust:
        _hold(row, after)
        current().detail(key=after.number)
    if found.serial == row.taken_serial and row.taken:
        row.save(update_fields=["seen_at", *_KEY])
        return sender, False
    if nodes.below(own.code, found.payload["nodes"][1:]) and row.relation == Relation.LOWER.value:
        raise DocumentRefused  # a ring: it would stand below itself
    parts = {name: value for name, value in found.payload.items() if name not in ("serial", "issued_at")}
    digest = nodes.digest_of(parts)
    is_new = digest != row.taken_digest
    row.taken_serial, row.taken_digest, row.taken, row.proof = found.serial, digest, found.payload, file
    row.taken_issued_at = datetime.fromtimestamp(found.issued_at, UTC)
    row.address = nodes.address_in(found.payload, row.address)
    row.ends_at = datetime.fromtimestamp(found.ends_at, UTC)
    row.save()
    if is_new:
        _take_asks(row, now=now)
        _take_answers(row, now=now)
    current().detail(serial=found.serial, new=is_new)
    issuing.mark_changed()
    return sender, is_new


_KEY = ("algorithm", "public", "key_number", "before", "before_until")


def trust_in(row: tables.Node) -> Trust:
    """Give whose signature counts for a node. Raises ConfigurationError when its key was taken away and no other came."""
    before = KeyName.of(row.before) if row.before else None
    until = row.before_until.timestamp() if row.before_until else 0.0
    return Trust(KeyName.of(f"{row.algorithm}:{row.public}"), row.key_number, before, until)


def _hold(row: tables.Node, after: Trust) -> None:
    """Have a node's key as it handed it over."""
    row.algorithm, row.public, row.key_number = after.key.algorithm, after.key.public, after.number
    row.before = str(after.before) if after.before else ""
    row.before_until = datetime.fromtimestamp(after.until, UTC) if after.before else None


def _take_asks(node: tables.Node, *, now: datetime) -> None:
    """Take the requests that came: one for a resource of ours becomes a request of the catalogue, another goes on to its node."""
    known = set(tables.Ask.objects.filter(origin=node.code).values_list("id", flat=True))
    stated = nodes.members_of(node.taken)
    for one in node.taken["requests"]:
        try:
            key, days, items = UUID(str(one["id"])), int(one["days"]), [str(item) for item in one["items"]]
            resource, consumer = str(one["resource"])[:64], str(one["consumer"])[:24]
            scenario, basis = str(one["scenario"])[:500], str(one["legal_basis"])[:500]
        except (KeyError, TypeError, ValueError):
            continue
        if key in known or consumer not in stated or not 1 <= days <= 3 * 366:
            continue
        if tables.Ask.objects.filter(id=key).exists():
            continue  # another node's
        row = tables.Ask(
            id=key,
            resource=resource,
            consumer=consumer,
            origin=node.code,
            items=items,
            days=days,
            scenario=scenario,
            legal_basis=basis,
            asked_at=now,
        )
        ours = models.Service.objects.filter(resource_code=resource, is_on=True).exists()
        if not ours:
            row.target = documents.way_to(resource, but=node.code)
        if not row.target:
            _ask_catalogue(row, now=now)
        row.save(force_insert=True)


def _ask_catalogue(row: tables.Ask, *, now: datetime) -> None:
    party = foreign_parties(now=now).get(row.consumer)
    if party is None:
        row.state, row.note, row.answered_at = AskState.REFUSED.value, "organization_unknown", now
        return
    asker = Actor(
        kind=ActorKind.SYSTEM,
        organization_id=party.organization_id,
        division_code=party.division_code,
        assurance=Assurance.IN_PERSON,
        label="exchange",
    )
    try:
        # On a condition one asks for one person or thing at a time, in a case.
        view = shared_rows.resource_view(row.resource)
        terms = Terms(
            items=tuple(sorted(row.items)),
            days=row.days,
            by_subject=view.line.sharing == "conditional",
            methods=(METHOD,),
        )
        with transaction.atomic():
            row.request_id = requesting.submit_request(
                resource_code=row.resource,
                terms=terms,
                scenario=row.scenario,
                legal_basis=row.legal_basis,
                actor=asker,
                now=now,
            )
        row.state = AskState.OPEN.value
    except Refusal as refusal:
        row.state, row.note, row.answered_at = AskState.REFUSED.value, refusal.code, now


def _take_answers(node: tables.Node, *, now: datetime) -> None:
    rows = {str(one.id): one for one in tables.Ask.objects.filter(target=node.code)}
    for one in node.taken["answers"]:
        row, state = rows.get(str(one.get("id"))), str(one.get("state"))
        if row is None or state not in nodes.REQUEST_STATES or state == row.state:
            continue
        row.state, row.number, row.note = state, str(one.get("number", ""))[:60], str(one.get("note", ""))[:500]
        if state != AskState.OPEN.value:
            row.answered_at = now
            publish(AskAnswered(id=row.id, state=state), now=now)
        row.save(update_fields=["state", "number", "note", "answered_at"])


def settle_asks(*, now: datetime) -> int:
    """Note what the catalogue decided of requests that came from other nodes; say how many moved."""
    moved = 0
    for row in tables.Ask.objects.filter(target="", state=AskState.OPEN.value).exclude(request_id=None):
        found = reading.get_request(request_id=row.request_id, actor=SYSTEM) if row.request_id else None
        if found is None:
            continue
        if found.state is RequestState.SUPPLIED:
            row.state = AskState.GRANTED.value
        elif found.state in (RequestState.REFUSED, RequestState.WITHDRAWN):
            row.state, row.note = AskState.REFUSED.value, found.reason[:500]
        else:
            continue
        row.number, row.answered_at = found.number, now
        row.save(update_fields=["state", "number", "note", "answered_at"])
        moved += 1
    return moved


def hand_on(*, now: datetime) -> tuple[str, ...]:
    """Issue what a document left and hand it over; give the codes of those who could not be reached."""
    issued = issuing.issue(now=now, restricts=True, cause="nodes")
    return issuing.hand_over(issued, now=now) if issued is not None and issued.is_changed else ()


# --- giving -------------------------------------------------------------------------------------------------------------


def give(node: tables.Node, *, held: int, now: datetime) -> tuple[int, bytes] | None:
    """Give a lower node its document, made anew when it is due, or None when it holds it already."""
    row = _renewed(node, now=now)
    changes = {"seen_at": now} | ({"held_serial": held, "told_error": ""} if held >= row.given_serial else {})
    tables.Node.objects.filter(code=row.code).update(**changes)
    return None if held >= row.given_serial else (row.given_serial, bytes(row.given))


def begin(*, now: datetime) -> Callable[[], tuple[str, ...]]:
    """Begin to push documents to every node around that it says something new to, or that has not taken its
    last; what it gives waits for the end and returns the codes of the unreached.

    Never raises: who cannot be told pulls, or is told again by the worker, and is listed.
    """
    try:
        own = tables.OwnNode.objects.filter(id=1).first()
        around = [*live(Relation.LOWER), *live(Relation.UPPER)]
        if own is None or not around:
            return tuple
        renewed = [_renewed(node, now=now) for node in around]
        due = [row for row in renewed if row.held_serial < row.given_serial]
    except (DatabaseError, LinkError):
        log.exception("Other nodes were not told; the worker does it.")
        return tuple
    if not due:
        return tuple
    # Read here: threads of the pool have no connection to the database.
    key, pool = _NodeKey(own.code), ThreadPoolExecutor(max_workers=min(16, len(due)))
    pushed = [pool.submit(_put, row.address, bytes(row.given), key) for row in due]

    def end() -> tuple[str, ...]:
        errors = [one.result() for one in pushed]
        pool.shutdown()
        unreached = []
        for row, error in zip(due, errors, strict=True):
            changes = {"held_serial": row.given_serial, "seen_at": now} if not error else {}
            missed = tables.Node.objects.filter(code=row.code, held_serial__lt=row.given_serial)
            if missed.update(told_error=error, **changes) and error:
                unreached.append(row.code)
        return tuple(unreached)

    return end


# What this process made a node's last document of: until that changes, nothing is compiled for it.
_made: dict[str, tuple[object, ...]] = {}


def _renewed(node: tables.Node, *, now: datetime) -> tables.Node:
    stand = (*issuing.stand(), node.given_digest)
    is_young = node.given_at is not None and now - node.given_at < timedelta(seconds=documents.RENEW_SECONDS)
    if is_young and _made.get(node.code) == stand:
        return node
    row = documents.renew(node, compile_configuration(now=now).payload, now=now)
    _made[node.code] = (*stand[:-1], row.given_digest)
    return row


def _put(address: str, file: bytes, key: _NodeKey) -> str:
    """Push a document; give why it could not be handed over, or nothing."""
    try:
        with _connect(address, key) as other:
            found = other.ask("PUT", nodes.DOCUMENT, file)
    except (CentreError, LinkError) as error:
        return error.code
    return "" if found.status == 200 else f"HTTP {found.status}"


def pull(*, now: datetime) -> bool:
    """Pull the document of the node above; say whether there was a new one."""
    own = tables.OwnNode.objects.filter(id=1).first()
    for node in live(Relation.UPPER):
        if own is None:
            return False
        held = node.taken_serial if node.taken else 0
        try:
            with connect(node.address, own.code) as other:
                found = other.ask("GET", nodes.DOCUMENT, headers={"If-None-Match": f'"{held}"'})
        except LinkError as error:
            log.warning("The node above does not answer.", extra={"node": node.code, "why": error.code})
            return False
        if found.status == 304:
            tables.Node.objects.filter(code=node.code).update(seen_at=timezone.now())
        elif found.status == 200:
            _, is_new = take_document(file=found.content, actor=SYSTEM, now=now)
            if is_new:
                hand_on(now=timezone.now())
            return True
    return False
