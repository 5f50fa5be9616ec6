"""Recording. `@command` makes a function one transaction with one entry; `record_read` and `@read` leave the trace of
reads.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime
from typing import Any, ParamSpec, TypeVar
from uuid import UUID

from django.db import connections, transaction

from furong.foundation.access.values import Actor, Basis
from furong.foundation.audit.errors import AuditError, SecrecyNotInForce
from furong.foundation.audit.recording import Record, entry_rows, write, write_apart, write_many, write_together
from furong.foundation.codes.errors import Refusal
from furong.foundation.codes.statements import first_row

P = ParamSpec("P")
R = TypeVar("R")

COMMANDS: dict[str, Callable[..., object]] = {}
READS: dict[str, Callable[..., object]] = {}

_current: ContextVar[Record | None] = ContextVar("furong_audit_record", default=None)
_reads: ContextVar[list[Record] | None] = ContextVar("furong_audit_reads", default=None)


def current() -> Record:
    """Give the record of the command that runs. Raises `AuditError` outside of one."""
    record = _current.get()
    if record is None:
        raise AuditError("No command is running here.")
    return record


def command(
    name: str, *, database: str | Callable[[], str] | None = "default", savepoint: bool = True
) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Make a keyword-only function that takes ``actor`` and ``now`` (and usually ``basis``) one transaction with one audit entry.

    It joins an outer transaction on ``database``. On success the entry is written on the same connection and commits
    with the effects. On a `Refusal` the function's effects are rolled back and the refusal's entry is committed on a
    connection of its own. A command called by a command leaves an entry of its own, which names its parent. Reads of
    persons inside are committed when the outermost command, or the web request around it, ends.
    With ``database=None`` the function takes ``database`` itself; a callable is asked at each call. Without ``savepoint``
    a failure inside another command ends that one too, which spares two statements where nobody catches it.
    """

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        defaults = _check_signature(function, name)
        known = COMMANDS.get(name)
        if known is not None and _place(known) != _place(function):
            raise AuditError(f"Two commands are called {name!r}: {_place(known)} and {_place(function)}.")

        @functools.wraps(function)
        def wrapper(*args: P.args, **kwargs: P.kwargs) -> R:
            if database is None:
                alias = str(kwargs.get("database", defaults.get("database")))
            else:
                alias = database() if callable(database) else database
            record = _record(name, "command", alias, {**defaults, **kwargs})
            token = _current.set(record)
            try:
                with reads_collected(), _refusal_recorded(record):
                    outermost = not connections[alias].in_atomic_block
                    with transaction.atomic(using=alias, savepoint=savepoint):
                        result = function(*args, **kwargs)
                        # What was read for the command on its own database commits with it; otherwise reads commit apart.
                        reads = [one for one in _buffered() if one.database == alias] if outermost else []
                        write([entry_rows(one) for one in (record, *reads)], database=alias)
                    _written(reads)
                    return result
            finally:
                _current.reset(token)

        COMMANDS[name] = wrapper
        return wrapper

    return decorate


def read(name: str, *, database: str = "default") -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Make a keyword-only query that takes ``actor`` and ``now`` (and usually ``basis``) leave an entry when it refuses.

    The query itself says what it disclosed by `record_read`.
    """

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        defaults = _check_signature(function, name)

        @functools.wraps(function)
        def wrapper(*args: P.args, **kwargs: P.kwargs) -> R:
            try:
                return function(*args, **kwargs)
            except Refusal as refusal:
                _write_refusal(_record(name, "read", database, {**defaults, **kwargs}), refusal)
                raise

        READS[name] = wrapper
        return wrapper

    return decorate


def record_read(
    *,
    actor: Actor,
    basis: Basis,
    what: str,
    subjects: Iterable[UUID],
    fields: Iterable[str],
    database: str = "population",
    now: datetime,
    object: tuple[str, UUID | str] | None = None,
    detail: Mapping[str, Any] | None = None,
) -> None:
    """Record that ``actor`` reads ``fields`` of the persons ``subjects``; ``what`` names the query, ``detail`` the grant.

    Inside a web request or a command it is buffered and committed as one INSERT before the answer leaves
    (`flush_reads`); elsewhere it is committed at once. Nobody read is recorded too: a search that found nothing.
    """
    if basis.secrecy_order_id is not None:
        _check_secrecy(basis.secrecy_order_id, actor, now)
    record = Record(name=what, kind="read", database=database, actor=actor, basis=basis, now=now)
    if object is not None:
        record.object(*object)
    names = list(fields)
    record.details["fields"] = sorted(set(names))
    record.details.update(detail or {})  # made canonical with the entry
    for person_id in subjects:
        record.subjects[person_id] = set(names)
    buffer = _reads.get()
    if buffer is not None:
        buffer.append(record)
    else:
        write_together([entry_rows(record)], database=database)


def _check_secrecy(order_id: UUID, actor: Actor, now: datetime) -> None:
    """Refuse a read under an order that is not in force for the reader's organisation, or that the reader gave."""
    row = first_row("SELECT organization_id, account_id, until FROM audit_secrecy_order WHERE id = %s", [order_id])
    if row is None or row[0] != actor.organization_id or row[1] == actor.account_id or row[2] <= now:
        raise SecrecyNotInForce


def record_many(
    *,
    actor: Actor,
    basis: Basis,
    what: str,
    subjects: Iterable[str],
    fields: Iterable[str],
    database: str,
    now: datetime,
    object: tuple[str, UUID | str],
    detail: Mapping[str, Any] | None = None,
) -> None:
    """Record one reading of very many persons (keys as texts, each once) in the transaction open on ``database``.

    One entry, which holds a digest over the persons in place of their keys, and a row for each of them, written as a set: each
    sees it among those who read their data. A million take some ten seconds.
    """
    if basis.secrecy_order_id is not None:
        _check_secrecy(basis.secrecy_order_id, actor, now)
    record = Record(name=what, kind="read", database=database, actor=actor, basis=basis, now=now)
    record.object(*object)
    names, persons = sorted(set(fields)), list(subjects)
    record.detail(fields=names, persons=len(persons), **(detail or {}))
    write_many(record, persons=persons, fields=names, database=database)


def record_refusal(
    *, actor: Actor, what: str, refusal: Refusal, now: datetime, basis: Basis | None = None, database: str = "default"
) -> None:
    """Record a refusal that no command or query has recorded yet (a page's own check): committed at once, apart."""
    _write_refusal(Record(name=what, kind="read", database=database, actor=actor, basis=basis, now=now), refusal)


@contextmanager
def reads_collected() -> Iterator[None]:
    """Buffer the reads recorded inside, and commit them at the end, also when the block raises. Nested uses join the outer one.

    The web's middleware holds a request in it: the answer leaves after the end. When the log cannot be written, it
    raises and no answer leaves.
    """
    if _reads.get() is not None:
        yield
        return
    token = _reads.set([])
    try:
        try:
            yield
        finally:
            flush_reads()
    finally:
        _reads.reset(token)


def flush_reads() -> None:
    """Commit the reads buffered so far: one INSERT for each database."""
    by_database: dict[str, list[Record]] = {}
    for record in _buffered():
        by_database.setdefault(record.database, []).append(record)
    for database, records in by_database.items():
        write_together([entry_rows(record) for record in records], database=database)
        _written(records)


def _buffered() -> list[Record]:
    return _reads.get() or []


def _written(records: Iterable[Record]) -> None:
    buffer = _buffered()
    for record in records:
        buffer.remove(record)


def _record(name: str, kind: str, database: str, kwargs: dict[str, object]) -> Record:
    actor, now, basis = kwargs.get("actor"), kwargs.get("now"), kwargs.get("basis")
    if not isinstance(actor, Actor):
        raise TypeError(f"{name} needs actor=, who asks.")
    if not isinstance(now, datetime):
        raise TypeError(f"{name} needs now=.")
    parent = _current.get()
    return Record(
        name=name,
        kind="command" if kind == "command" else "read",
        database=database,
        actor=actor,
        basis=basis if isinstance(basis, Basis) else None,
        now=now,
        parent_id=parent.id if parent is not None else None,
    )


@contextmanager
def _refusal_recorded(record: Record) -> Iterator[None]:
    try:
        yield
    except Refusal as refusal:
        _write_refusal(record, refusal)
        raise


def _write_refusal(record: Record, refusal: Refusal) -> None:
    """Write the refusal's entry once: where it was first refused, not again in every command around it."""
    if getattr(refusal, "audited", False):
        return
    write_apart([entry_rows(record, outcome="refused", code=refusal.code)], database=record.database)
    refusal.audited = True  # type: ignore[attr-defined]


def _check_signature(function: Callable[..., object], name: str) -> dict[str, object]:
    """Check that a function can be audited, and give its arguments' defaults."""
    parameters = inspect.signature(function).parameters
    if any(p.kind is not inspect.Parameter.KEYWORD_ONLY for p in parameters.values()):
        raise TypeError(f"{name}: a command takes keywords only.")
    for needed in ("actor", "now"):
        if needed not in parameters:
            raise TypeError(f"{name}: a command takes {needed}.")
    return {key: p.default for key, p in parameters.items() if p.default is not inspect.Parameter.empty}


def _place(function: Callable[..., object]) -> str:
    return f"{function.__module__}.{function.__qualname__}"


@command("audit.erase_details", database=None)
def erase_details(
    *, entry_ids: Iterable[UUID], actor: Actor, basis: Basis, now: datetime, database: str = "default"
) -> int:
    """Erase the details of entries and the persons they name, where the law demands it; give how many details went.

    The entries, their digests and the log stay as they are, and this erasure is in the log. Who may order it is for the
    caller to decide (audit officer and legal officer, never one alone). Raises `AuditError` for an entry that is itself
    an erasure, or not there.
    """
    wanted = sorted(set(entry_ids))
    with connections[database].cursor() as cursor:
        cursor.execute("SELECT id, name FROM audit_entry WHERE id = ANY(%s)", [wanted])
        names = dict(cursor.fetchall())
        if len(names) != len(wanted) or "audit.erase_details" in names.values():
            raise AuditError("An erasure names entries that are there and are no erasures themselves.")
        cursor.execute("SELECT set_config('furong.audit_erasure', 'on', true)")
        cursor.execute("DELETE FROM audit_subject WHERE entry_id = ANY(%s)", [wanted])
        cursor.execute("DELETE FROM audit_detail WHERE entry_id = ANY(%s)", [wanted])
        erased = int(cursor.rowcount)
        cursor.execute("SELECT set_config('furong.audit_erasure', 'off', true)")
    current().detail(entries=wanted)
    return erased
