"""The strict reading: a definition, or a refusal with everything that is wrong."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from furong.domains.processes.errors import DefinitionRefused
from furong.domains.processes.values.graph import ProcessDefinition
from furong.domains.processes.values.reader import read_bpmn


def parse_bpmn(
    content: bytes,
    *,
    file: str = "process.bpmn",
    process_id: str | None = None,
    handlers: Iterable[str] | None = None,
    decisions: Iterable[tuple[str, str]] | None = None,
    calls: Mapping[str, bytes] | None = None,
    check: bool = True,
    to_publish: bool = False,
) -> ProcessDefinition:
    """Read one executable process of a BPMN 2.0 file (arguments as `read_bpmn`).

    Returns the definition, ready to run. Raises `DefinitionRefused` with every finding. ISO/IEC 19510.
    """
    reading = read_bpmn(
        content,
        file=file,
        process_id=process_id,
        handlers=handlers,
        decisions=decisions,
        calls=calls,
        check=check,
        to_publish=to_publish,
    )
    if reading.definition is None:
        raise DefinitionRefused(reading.findings)
    return reading.definition
