"""Published definitions, compiled once a process and shared by all instances of a digest."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

from furong.domains.processes.deciding import Decisions
from furong.domains.processes.errors import DefinitionUnknown
from furong.domains.processes.ports import wiring
from furong.domains.processes.store import execute, query, wakers
from furong.domains.processes.values.graph import ProcessDefinition
from furong.domains.processes.values.parsing import parse_bpmn


@dataclass(slots=True)
class Published:
    """A published version: its row's id, its graph, and the decision models that were published with it."""

    id: int
    digest: str
    code: str
    version: int
    graph: ProcessDefinition
    resources: Mapping[str, str]
    wakers: Mapping[str, tuple[bool, bool, bool]]
    _decisions: Decisions | None = None

    def decide(self, resource: str, decision: str, context: Mapping[str, object], now: datetime) -> object:
        """Evaluate a decision of a DMN file that was published with the process; StuckError for what it cannot decide."""
        if self._decisions is None:
            self._decisions = Decisions({name: text.encode() for name, text in self.resources.items()})
        return self._decisions.decide(resource, decision, context, now)


def digest_of(xml: bytes, resources: Mapping[str, str], process_id: str) -> str:
    """Give the digest of a process with everything it needs: what an instance is pinned to."""
    parts = [process_id.encode(), xml]
    for name in sorted(resources):
        parts += [name.encode(), resources[name].encode()]
    seen = hashlib.sha256()
    for part in parts:
        seen.update(len(part).to_bytes(8, "big") + part)
    return seen.hexdigest()


def compiled(row: tuple[Any, ...]) -> Published:
    """Compile a row of `find_definition`; it was checked when it was published."""
    number, digest, code, version, file, process_id, xml, resources = row
    known = json.loads(resources)
    graph = parse_bpmn(bytes(xml), file=file, process_id=process_id, calls=called_files(known), check=False)
    return Published(
        id=number,
        digest=digest,
        code=code,
        version=version,
        graph=graph,
        resources=known,
        wakers={node.id: wakers(node, graph.nodes) for node in graph.nodes.values()},
    )


CALLED = ".bpmn"  # how the name of a resource ends that is a called process


def called_files(resources: Mapping[str, str]) -> dict[str, bytes]:
    """Give the processes that were published along, by their ids."""
    return {name.removesuffix(CALLED): text.encode() for name, text in resources.items() if name.endswith(CALLED)}


def next_start(
    definition: Published, element: str, *, due_at: datetime, repeats: int | None, now: datetime
) -> tuple[datetime, int | None] | None:
    """Give when a timer start event starts its process after ``due_at``, and how often again; None when never.

    Times that passed while no worker ran are made up for once, not one by one.
    """
    rule = definition.graph.nodes[element].timer
    if rule is None or not rule.is_cycle or repeats == 0:
        return None
    calendar = wiring().calendar
    every = rule.cycle({}, now=now, calendar=calendar).every
    left = repeats
    while due_at <= now:
        due_at = rule.after(every, due_at, calendar=calendar)
        if left is not None:
            left -= 1
            if left < 0:
                return None
    return due_at, left


@lru_cache(maxsize=1024)
def by_id(number: int) -> Published:
    """Give a published version by its row; a lookup in memory after the first time."""
    return _get("definition_by_id", number)


@lru_cache(maxsize=1024)
def by_digest(digest: str) -> Published:
    """Give a published version by its digest."""
    return _get("definition_by_digest", digest)


def latest(code: str) -> Published:
    """Give the newest version of a code: one read of its number, the graph from memory."""
    row = execute(query("definitions.sql", "latest_definition"), [code]).fetchone()
    if row is None:
        raise DefinitionUnknown
    return by_id(row[0])


def _get(name: str, key: object) -> Published:
    row = execute(query("definitions.sql", name), [key]).fetchone()
    if row is None:
        raise DefinitionUnknown
    return compiled(row)


def forget() -> None:
    """Empty the memory of compiled definitions; tests that change databases need it."""
    by_id.cache_clear()
    by_digest.cache_clear()
