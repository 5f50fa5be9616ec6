"""Publishing: a checked file becomes an immutable row. Without rights and audit; `commands` adds them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from furong.domains.processes import definitions
from furong.domains.processes.definitions import Published, digest_of, read_dmn
from furong.domains.processes.errors import DefinitionRefused
from furong.domains.processes.ports import wiring
from furong.domains.processes.store import execute, query
from furong.domains.processes.values.parsing import parse_bpmn
from furong.domains.processes.values.rules import Findings
from furong.domains.processes.variables import dump


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

    ``resources`` are the DMN files that business rule tasks name before the ``#``. Raises `DefinitionRefused`.
    """
    texts = {name: content.decode() for name, content in (resources or {}).items()}
    graph = parse_bpmn(xml, file=file, process_id=process_id, handlers=wiring().handlers.keys())
    findings = Findings(file)
    for node in graph.nodes.values():
        if node.decision is not None and node.decision[0] not in texts:
            findings.add(
                "furong.decision_unknown",
                line=node.line,
                element=node.id,
                name="#".join(node.decision),
                known=", ".join(sorted(texts)) or "–",
            )
    for name, text in texts.items():
        read_dmn(text.encode(), file=f"{name}.dmn")
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
            "now": now,
            "by": by,
        },
    ).fetchone()
    return definitions.by_id(row[0]) if row else definitions.by_digest(digest)
