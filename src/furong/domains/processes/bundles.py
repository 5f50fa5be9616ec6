"""A BPMN file with what stands beside it: the DMN files of its folder, and the calendar of the pack it is in. No database."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from zoneinfo import ZoneInfo

from furong.domains.processes.deciding import Decisions
from furong.domains.processes.values.graph import ProcessDefinition
from furong.domains.processes.values.reader import list_processes, read_bpmn
from furong.foundation.calendar.loading import parse_calendar
from furong.foundation.calendar.values import Calendar
from furong.foundation.packs.values.findings import Finding, has_errors, in_order
from furong.foundation.packs.values.text import both

# How far above a file its pack is looked for: PACK/items/CODE/process.bpmn is three.
_MOST_FOLDERS = 6
# As in the settings: the zone of the country for which this was made, where neither a pack nor the caller names one.
DEFAULT_ZONE = "Asia/Shanghai"


@dataclass(frozen=True, slots=True)
class Bundle:
    """What a file gave: each process of it that can run (none when something is wrong), and every finding."""

    definitions: tuple[ProcessDefinition, ...]
    findings: tuple[Finding, ...]
    decisions: Decisions


def read_bundle(
    content: bytes,
    *,
    file: str,
    resources: Mapping[str, bytes],
    shown: Mapping[str, str] | None = None,
    calls: Mapping[str, bytes] | None = None,
    handlers: Iterable[str] | None = None,
    check: bool = True,
) -> Bundle:
    """Read every executable process of a BPMN file, with ``resources``, the DMN files by the name before the ``#``.

    ``shown`` says how findings name a resource's file, ``calls`` holds files by the process in them that may be called.
    Raises nothing: what is wrong is in ``findings``.
    """
    decisions = Decisions(resources)
    known: set[tuple[str, str]] = set()
    wrong: dict[str, list[Finding]] = {}
    for name in resources:
        from furong.domains.decisions.errors import DecisionRefused

        try:
            model = decisions.model(name)
        except DecisionRefused as refused:
            wrong[name] = [_finding(one, (shown or {}).get(name, f"{name}.dmn")) for one in refused.findings]
            continue
        for one in model.decisions.values() if model is not None else ():
            known |= {(name, one.element_id), (name, one.name)}
    found: list[Finding] = []
    definitions: list[ProcessDefinition] = []
    for process_id in _executable(content):
        reading = read_bpmn(
            content,
            file=file,
            process_id=process_id,
            handlers=handlers,
            decisions=None if wrong else known,
            calls=calls,
            check=check,
        )
        found += reading.findings
        if reading.definition is not None:
            definitions.append(reading.definition)
            for resource, _ in reading.definition.decisions:
                found += wrong.get(resource, [])
    findings = tuple(in_order(found))
    return Bundle(() if has_errors(findings) else tuple(definitions), findings, decisions)


def _executable(content: bytes) -> list[str | None]:
    """List the processes of a file that can run; [None] leaves it to the reader to say what is wrong."""
    found: list[str | None] = [name for name, runs in list_processes(content) if runs]
    return found if len(found) > 1 else [None]


def _finding(one: object, file: str) -> Finding:
    message, mend = str(getattr(one, "message", "")), str(getattr(one, "mend", ""))
    return Finding(
        file=file,
        line=getattr(one, "line", 1),
        element=getattr(one, "element", ""),
        rule=getattr(one, "rule", ""),
        message=both(message, message),
        mend=both(mend, mend),
    )


def read_file(path: Path, *, more: Sequence[Path] = ()) -> Bundle:
    """Read the BPMN file at ``path``, ``more`` DMN files, and what its folder has of both. Raises OSError."""
    files = {one.stem: one for one in (*sorted(path.parent.glob("*.dmn")), *more)}
    content = path.read_bytes()
    calls: dict[str, bytes] = {}
    if b"callActivity" in content:
        for beside in sorted(path.parent.glob("*.bpmn")):
            if beside != path:
                calls |= dict.fromkeys((name for name, _ in list_processes(beside.read_bytes())), beside.read_bytes())
    return read_bundle(
        content,
        file=str(path),
        resources={name: one.read_bytes() for name, one in files.items()},
        shown={name: str(one) for name, one in files.items()},
        calls=calls,
    )


def calendar_of(path: Path, *, holidays: Path | None = None, zone: str = "") -> Calendar:
    """Give the calendar that counts the working days of a file: ``holidays``, or its pack's, or one that knows weekends alone.

    ``zone`` is an IANA name that replaces the calendar's. Raises OSError, `CalendarRefused`, and ValueError for no zone.
    """
    if zone:
        try:
            ZoneInfo(zone)
        except (KeyError, OSError) as exc:
            raise ValueError(f"{zone} is no time zone") from exc
    if holidays is None:
        pack = next(
            (one for one in list(path.resolve().parents)[:_MOST_FOLDERS] if (one / "pack.toml").is_file()), None
        )
        if pack is not None and (pack / "holidays.yaml").is_file():
            holidays = pack / "holidays.yaml"
    if holidays is None:
        return weeks_only(zone or DEFAULT_ZONE)
    calendar = parse_calendar(holidays.read_bytes(), file=str(holidays))
    return replace(calendar, zone=zone) if zone else calendar


def weeks_only(zone: str) -> Calendar:
    """Give a calendar without holidays, for a file that belongs to no pack."""
    return Calendar(
        name="weeks",
        zone=zone,
        weekend=frozenset({5, 6}),
        office_hours=(),
        holidays=(),
        known_from_on=date(1970, 1, 1),
        known_until_on=date(1970, 1, 1),
    )
