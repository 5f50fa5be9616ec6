"""Loads and writes instances. Two statements a step: one reads, one writes everything that changed.

Statements are named in ``sql/``; psycopg prepares each the fifth time a connection runs it. Values travel as parameters, all
new rows of a step as one JSON parameter, which costs the client a tenth of binding their columns one by one.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any
from uuid import UUID
from weakref import WeakKeyDictionary

import psycopg
from django.db import connection

from furong.domains.processes import variables as variable_values
from furong.domains.processes.scopes import Scope, ScopeKind, Token
from furong.domains.processes.values.elements import NodeKind
from furong.domains.processes.values.graph import Node
from furong.foundation.codes.statements import named_statements

_FOLDER = Path(__file__).parent / "sql"
TASK_COLUMNS = (
    "instance_id, id, token, element_id, kind, title, department, organization_id, division_code, right_code, item_code, "
    "business_key, label, outcomes, priority, state, claimed_by, claimed_at, created_at, due_at, yellow_at, escalated_at, rank_at"
)


def named(file: str) -> Mapping[str, str]:
    """Give the statements of a file of this room."""
    return named_statements(_FOLDER / file)


def query(file: str, name: str) -> str:
    """Give one named query, with the column lists that several share put in."""
    queries = named(file)
    text = queries[name]
    for columns in ("load_columns", "open_columns"):
        if columns in queries:
            text = text.replace(f"{{{columns}}}", queries[columns])
    return text.replace("{task_columns}", TASK_COLUMNS)


def execute(
    text: str,
    params: Mapping[str, object] | Sequence[object],
    *,
    prepare: bool | None = None,
    binary: bool = False,
) -> psycopg.Cursor[Any]:
    """Run a statement on the platform's connection, without the layers between Django and psycopg.

    ``prepare=False`` lets the server plan for these very parameters, which lists over uneven organizations need.
    ``binary`` asks for values as the server holds them: Django reads times as text, in Python, which many rows feel. No JSON
    column may be among them.
    """
    connection.ensure_connection()
    with connection.wrap_database_errors:
        return psycopg.Cursor(connection.connection).execute(text, params, prepare=prepare, binary=binary)


@dataclass(slots=True)
class Loaded:
    """An instance as its rows say; ``wait`` holds what the row that was asked for adds."""

    id: UUID
    definition_id: int
    version: int
    next_token: int
    variables: dict[str, Any]
    business_key: str
    organization_id: UUID | None
    division_code: str
    item_code: str
    label: str
    state: str
    tokens: dict[int, Token]
    scopes: dict[int, Scope]
    scoped: bool
    whole: bool
    wait: tuple[Any, ...]


_LOADS = {by: query("step.sql", f"load_by_{by}") for by in ("task", "timer", "subscription", "job", "instance")}
_LOADS_UNLOCKED = {by: text[: text.index(" FOR UPDATE")] for by, text in _LOADS.items()}


_LOAD_AROUND = query("step.sql", "load_around")
_LOAD_WHOLE = query("step.sql", "load_whole")


def load(
    by: str,
    key: UUID,
    *,
    now: datetime | None = None,
    whole: bool = False,
    needs_all: Callable[[int], bool] = lambda definition: False,
) -> Loaded | None:
    """Read the instance of the task, timer, subscription or job ``key`` (or of that id); None when there is none.

    Of an instance in which activities run inside others only what lies around the token is read, in a second statement, unless
    ``whole`` is asked for or ``needs_all(definition)`` says so: one of ten thousand runs ends without the others being read.

    Inside a transaction its row is locked until the end. Outside of one nothing is locked: the step's one writing statement is
    its transaction, and writes nothing if another step came first (`write`).
    """
    params = {"id": key} if now is None else {"id": key, "now": now}
    text = (_LOADS if connection.in_atomic_block else _LOADS_UNLOCKED)[by]
    while True:
        row = _hot(text, params)
        if row is None:
            return None
        if row[2] != row[3]:
            continue
        wait = row[14:]
        scopes: dict[int, Scope] = {}
        held, scoped = row[13], row[12]
        if scoped:
            token = wait[0] if by != "instance" and wait[0] is not None else 0
            whole = whole or by == "instance" or not token or needs_all(row[1])
            inside = _hot(_LOAD_WHOLE if whole else _LOAD_AROUND, {"id": row[0], "token": token})
            if inside is None or inside[0] != row[2]:
                continue
            held = inside[1]
            scopes = _scopes(inside[2])
        break
    tokens = {n: Token(n, e, a, s, k) for n, e, a, s, k in json.loads(held)} if held else {}
    return Loaded(
        row[0],
        row[1],
        row[2],
        row[4],
        variable_values.load(row[5]),
        row[6],
        row[7],
        row[8],
        row[9],
        row[10],
        row[11],
        tokens,
        scopes,
        scoped,
        whole or not scoped,
        wait,
    )


def _scopes(text: str | None) -> dict[int, Scope]:
    found: dict[int, Scope] = {}
    for number, parent, element, kind, host, done, data, variables in json.loads(text) if text else ():
        found[number] = Scope(
            number,
            parent,
            element,
            ScopeKind(kind),
            host,
            done,
            variable_values.load(data),
            None if variables is None else variable_values.load(variables),
            fresh=False,
        )
    return found


def wakers(node: Node, nodes: Mapping[str, Node]) -> tuple[bool, bool, bool]:
    """Say which rows may wake a token at ``node``: timers, subscriptions, jobs."""
    own = [node, *(nodes[name] for name in node.boundary)]
    if node.kind is NodeKind.EVENT_GATEWAY:
        own += [nodes[flow.target] for flow in node.outgoing]
    escalates = node.work is not None and node.work.escalate_after is not None
    timers = escalates or any(n.timer is not None for n in own)
    subscriptions = any(n.message is not None and n.kind in _LISTENS for n in own)
    return timers, subscriptions, node.kind in {NodeKind.SERVICE_TASK, NodeKind.SEND_TASK}


_LISTENS = frozenset({NodeKind.RECEIVE_TASK, NodeKind.CATCH_MESSAGE, NodeKind.BOUNDARY_MESSAGE, NodeKind.EVENT_START})
_AFTER = {"tasks_opened": "tasks_closed", "jobs_opened": "jobs_dropped"}
_GUARD = "EXISTS (SELECT 1 FROM the_instance)"


@lru_cache(maxsize=512)
def _statement(instance: str, parts: tuple[str, ...]) -> str:
    """Put the parts of a step's one writing statement together; few combinations occur, so each is prepared once."""
    over = instance == "instance_kept"
    first = query("step.sql", "instance_gone" if over else instance)
    found = [f"the_instance AS ({first} RETURNING {'*' if over else '1'})"]
    if over:
        found.append(f"instance_kept AS ({query('step.sql', 'instance_kept')})")
    for part in parts:
        text = query("step.sql", part).replace("{guard}", _GUARD)
        before = _AFTER.get(part)
        if before in parts:
            # A token keeps its number from one task to the next: the old row must be gone before the new one comes.
            text += f" AND (SELECT count(*) FROM {before}) >= 0"
        if part == "jobs_dropped":
            text += " RETURNING 1"
        found.append(f"{part} AS ({text})")
        if part == "tasks_closed":
            found.append(f"tasks_kept AS ({query('step.sql', 'tasks_kept')})")
    closed = (
        "(SELECT json_agg(json_build_array(id, element_id, token, how, organization_id, division_code, kind))::text "
        "FROM tasks_closed)"
        if "tasks_closed" in parts
        else "NULL"
    )
    return f"WITH {', '.join(found)}\nSELECT (SELECT count(*) FROM the_instance), {closed}"


Closed = tuple[str, str, int, str, str | None, str, str]


def write(*, instance: str, params: dict[str, object], parts: dict[str, object]) -> list[Closed] | None:
    """Write one step. ``parts`` maps the parts that have something to do to their rows; ``instance`` names what becomes of it.

    Returns (id, element, token, how, organization, division, kind) of each task that was closed, or None when another step
    came first and nothing was written.
    """
    params["parts"] = rows(parts)
    row = _hot(_statement(instance, tuple(parts)), params)
    if row is None or row[0] != 1:
        return None
    return [tuple(one) for one in json.loads(row[1])] if row[1] else []


_cursors: WeakKeyDictionary[Any, psycopg.Cursor[Any]] = WeakKeyDictionary()


def _hot(text: str, params: Mapping[str, object]) -> tuple[Any, ...] | None:
    """Run one of the two statements of a step and give its row.

    A connection keeps one cursor for them, which remembers how values of each type are sent: a fifth of the client's time.
    """
    connection.ensure_connection()
    raw = connection.connection
    cursor = _cursors.get(raw)
    if cursor is None:
        cursor = _cursors[raw] = psycopg.Cursor(raw)
    with connection.wrap_database_errors:
        found: tuple[Any, ...] | None = cursor.execute(text, params).fetchone()
    return found


_encode = json.JSONEncoder(ensure_ascii=False, default=str, separators=(",", ":")).encode


def rows(values: object) -> str:
    """Give the rows of a step's parts as their one parameter."""
    return _encode(values)
