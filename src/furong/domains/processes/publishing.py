"""Publishing: a checked file becomes an immutable row. Without rights and audit; `commands` adds them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from furong.domains.decisions.errors import DecisionRefused
from furong.domains.decisions.model import DecisionModel
from furong.domains.decisions.queries import parse_dmn
from furong.domains.processes import definitions
from furong.domains.processes.definitions import Published, digest_of
from furong.domains.processes.errors import DefinitionRefused, DefinitionUnknown
from furong.domains.processes.ports import wiring
from furong.domains.processes.store import execute, query
from furong.domains.processes.values.parsing import parse_bpmn
from furong.domains.processes.values.reader import list_calls
from furong.domains.processes.values.rules import Findings
from furong.domains.processes.variables import dump
from furong.foundation.access.values import RIGHTS
from furong.foundation.codes.ids import new_id
from furong.foundation.packs.values.findings import Finding
from furong.foundation.packs.values.text import both


def publish(
    *,
    xml: bytes,
    file: str,
    code: str,
    now: datetime,
    resources: Mapping[str, bytes] | None = None,
    process_id: str | None = None,
    by: UUID | None = None,
) -> Published:
    """Check a file and publish it as the next version of ``code``; the same bytes again give the version that is there.

    ``resources`` are the DMN files that business rule tasks name before the ``#``, and (``ID.bpmn``) processes that are called.
    One that is called and not among them is taken from its newest published version, with what it needs, and stays as it is.
    Raises `DefinitionRefused`.
    """
    texts = {name: content.decode() for name, content in (resources or {}).items()}
    findings = Findings(file)
    _take_along(xml, texts, findings)
    graph = parse_bpmn(
        xml,
        file=file,
        process_id=process_id,
        handlers=wiring().handlers.keys(),
        calls=definitions.called_files(texts),
        to_publish=True,
    )
    models = _read_models(texts, findings)
    known = sorted(
        f"{name}#{decision.element_id}" for name, model in models.items() for decision in model.decisions.values()
    )
    for node in graph.nodes.values():
        if node.decision is not None:
            resource, decision_id = node.decision
            model = models.get(resource)
            if model is None or model.find_decision(decision_id) is None:
                findings.add(
                    "furong.decision_unknown",
                    line=node.line,
                    element=node.id,
                    name="#".join(node.decision),
                    known=", ".join(known) or "–",
                )
        right = node.attributes.get("post_right", "")
        if right and not right.startswith("=") and right not in RIGHTS:
            findings.add(
                "furong.attribute_value",
                line=node.line,
                element=node.id,
                name="post_right",
                value=right,
                why=", ".join(sorted(RIGHTS)),
            )
    if findings.has_errors:
        raise DefinitionRefused(findings.found)
    digest = digest_of(xml, texts, graph.code)
    execute(query("definitions.sql", "lock_code"), [code])
    row = execute(
        query("definitions.sql", "publish"),
        {
            "digest": digest,
            "code": code,
            "name": graph.name,
            "file": file,
            "process_id": graph.code,
            "xml": xml,
            "resources": dump(texts),
            "start_messages": [
                message.name for name in graph.message_starts if (message := graph.nodes[name].message) is not None
            ],
            "now": now,
            "by": by,
        },
    ).fetchone()
    found = definitions.by_id(row[0]) if row else definitions.by_digest(digest)
    if row:
        _schedule(found, now)
    return found


def _take_along(xml: bytes, texts: dict[str, str], findings: Findings) -> None:
    """Add the processes that are called, and those that they call; a resource that two mean differently is refused."""
    todo = [*list_calls(xml), *(name for text in definitions.called_files(texts).values() for name in list_calls(text))]
    while todo:
        name = todo.pop()
        if name + definitions.CALLED in texts:
            continue
        try:
            called = definitions.latest(name)
        except DefinitionUnknown:
            continue  # the reader says so, with the line
        texts[name + definitions.CALLED] = called.graph.xml.decode()
        for key, text in called.resources.items():
            if texts.setdefault(key, text) != text:
                findings.add("bpmn.resource_twice", line=1, element=name, element_name=name, name=key)
        todo += list_calls(called.graph.xml)


def _schedule(published: Published, now: datetime) -> None:
    """Let the times at which a process starts be those of its newest version."""
    execute(query("waking.sql", "drop_start_timers"), [published.code])
    calendar = wiring().calendar
    for element in published.graph.timer_starts:
        rule = published.graph.nodes[element].timer
        if rule is None:
            continue
        repeats: int | None = 0
        if rule.is_cycle:
            times = rule.cycle({}, now=now, calendar=calendar).times
            repeats = None if times is None else max(times - 1, 0)
        due_at = rule.due_at(variables={}, now=now, calendar=calendar)
        values = [new_id(), published.code, published.id, element, due_at, repeats]
        execute(query("waking.sql", "add_start_timer"), values)


def _read_models(texts: Mapping[str, str], findings: Findings) -> dict[str, DecisionModel]:
    """Read the DMN files that are published with a process; what is wrong with them joins the findings."""
    models: dict[str, DecisionModel] = {}
    for name, text in texts.items():
        if name.endswith(definitions.CALLED):
            continue
        try:
            models[name] = parse_dmn(text.encode(), file=f"{name}.dmn")
        except DecisionRefused as exc:
            findings.found += [
                Finding(
                    file=one.file,
                    line=one.line,
                    element=one.element,
                    rule=one.rule,
                    message=both(one.message, one.message),
                    mend=both(one.mend, one.mend),
                )
                for one in exc.findings
            ]
    return models
