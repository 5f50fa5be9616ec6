"""Steps of a rehearsal as they are written, JSON lines or YAML: each is one thing that people, services or the clock do.

``{"complete": "decision", "outcome": "approved"}``: the first key is the verb, the others go with it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from decimal import Decimal
from typing import Any

from furong.domains.processes.values.times import parse_moment
from furong.foundation.packs.values.source import ListNode, MapNode, ScalarNode, SourceNode
from furong.foundation.packs.values.text import Text, both

# What goes with each verb.
VERBS: dict[str, frozenset[str]] = {
    "complete": frozenset({"outcome", "variables", "token", "where"}),
    "message": frozenset({"correlation", "payload"}),
    "advance": frozenset({"calendar"}),
    "advance_to": frozenset(),
    "service": frozenset({"variables", "error", "fault", "where"}),
    "services": frozenset(),
    "start": frozenset({"variables", "key"}),
    "retry": frozenset(),
    "skip": frozenset({"variables"}),
    "cancel": frozenset({"undo"}),
    "expect": frozenset(),
}
# What may be expected.
EXPECTED = frozenset(
    {
        "waiting",
        "variables",
        "ended",
        "reached",
        "not_reached",
        "incidents",
        "escalated",
        "due",
        "sent",
        "given",
    }
)
_MAPS = frozenset({"variables", "payload", "where"})
_NUMBER = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?\Z")


class StepsError(ValueError):
    """A file of steps cannot be read; ``line`` says where."""

    def __init__(self, line: int, zh: str, en: str) -> None:
        super().__init__(en)
        self.line = line
        self.text: Text = both(zh, en)


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step: ``value`` belongs to the verb, ``more`` are the keys beside it."""

    line: int
    verb: str
    value: Any
    more: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """A story that a process must tell: what it begins with, what happens, what is expected."""

    name: str
    line: int
    now: datetime | None
    input: Mapping[str, Any]
    services: Mapping[str, Any]
    steps: tuple[Step, ...]
    process: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScenarioFile:
    """The scenarios of one process. ``code`` is the pack's for it."""

    code: str
    scenarios: tuple[Scenario, ...]


def read_json_lines(text: str) -> tuple[Step, ...]:
    """Read steps, one JSON object a line; empty lines are passed over. Raises `StepsError`."""
    steps = []
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        try:
            found = json.loads(line, parse_float=Decimal)
        except ValueError as exc:
            raise StepsError(number, f"不是 JSON：{exc}。", f"This is not JSON: {exc}.") from exc
        steps.append(_step(found, number))
    return tuple(steps)


def read_steps(node: SourceNode) -> tuple[Step, ...]:
    """Read steps from a YAML list. Raises `StepsError`."""
    if not isinstance(node, ListNode):
        raise StepsError(node.line, "这里应当是步骤的列表。", "A list of steps is meant here.")
    return tuple(_step(plain(one), one.line) for one in node.items)


def read_scenarios(node: SourceNode, *, zone: tzinfo) -> ScenarioFile:
    """Read a file of scenarios. ``now`` and ``input`` of the file stand for all its scenarios. Raises `StepsError`."""
    top = _fields(node, {"code", "process", "now", "input", "services", "scenarios"})
    code, listed = plain(top["code"]) if "code" in top else "", top.get("scenarios")
    if not isinstance(listed, ListNode) or not listed.items:
        raise StepsError(node.line, "文件没有 scenarios 列表。", "The file has no list of scenarios.")
    scenarios: list[Scenario] = []
    for one in listed.items:
        own = _fields(one, {"name", "about", "now", "input", "services", "process", "steps"})
        name = plain(own["name"]) if "name" in own else ""
        if not isinstance(name, str) or not re.fullmatch(r"[a-z0-9_]{1,60}", name):
            raise StepsError(
                one.line, "情景没有用小写字母写的 name。", "The scenario has no name of lower-case letters."
            )
        if name in {known.name for known in scenarios}:
            raise StepsError(one.line, f"情景 {name} 重复。", f"There are two scenarios {name}.")
        if "steps" not in own:
            raise StepsError(one.line, f"情景 {name} 没有 steps。", f"The scenario {name} has no steps.")
        moment = own.get("now", top.get("now"))
        process = own.get("process", top.get("process"))
        scenarios.append(
            Scenario(
                name=name,
                line=one.line,
                now=None if moment is None else _moment(moment, zone),
                input=_over(_map(top.get("input")), _map(own.get("input"))),
                services={**_map(top.get("services")), **_map(own.get("services"))},
                steps=read_steps(own["steps"]),
                process="" if process is None else str(plain(process)),
            )
        )
    return ScenarioFile(code=str(code), scenarios=tuple(scenarios))


def plain(node: SourceNode) -> Any:
    """Give the JSON value of a YAML node: what is quoted or is no number, true, false or null is a text."""
    if isinstance(node, MapNode):
        return {key: plain(value) for key, value in node.entries.items()}
    if isinstance(node, ListNode):
        return [plain(one) for one in node.items]
    if not isinstance(node, ScalarNode) or node.is_null:
        return None
    if not node.quoted:
        if node.text in {"true", "false"}:
            return node.text == "true"
        if _NUMBER.match(node.text):
            return int(node.text) if node.text.lstrip("-").isdigit() else Decimal(node.text)
    return node.text


def _moment(node: SourceNode, zone: tzinfo) -> datetime:
    try:
        return parse_moment(str(plain(node)), zone=zone)
    except ValueError as exc:
        raise StepsError(
            node.line, f"now 不是日期或时间：{exc}。", f"now is neither a date nor a time: {exc}."
        ) from exc


def _fields(node: SourceNode, known: set[str]) -> dict[str, SourceNode]:
    if not isinstance(node, MapNode):
        raise StepsError(node.line, "这里应当是一组键值。", "A map of keys is meant here.")
    for key in node.entries:
        if key not in known:
            names = ", ".join(sorted(known))
            raise StepsError(
                node.line_of(key), f"没有键 {key}，可用：{names}。", f"There is no key {key}; use {names}."
            )
    return node.entries


def _map(node: SourceNode | None) -> dict[str, Any]:
    if node is None:
        return {}
    found = plain(node)
    if not isinstance(found, dict):
        raise StepsError(node.line, "这里应当是一组键值。", "A map of keys is meant here.")
    return found


def _over(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """Lay one map over another, at every depth."""
    found = dict(below)
    for key, value in above.items():
        held = found.get(key)
        found[key] = _over(held, value) if isinstance(held, dict) and isinstance(value, dict) else value
    return found


def _step(found: Any, line: int) -> Step:
    if not isinstance(found, dict) or not found:
        raise StepsError(line, "一个步骤是一组键值。", "A step is a map of keys.")
    verbs = [key for key in found if key in VERBS]
    if len(verbs) != 1:
        names = ", ".join(VERBS)
        said = ", ".join(str(key) for key in found)
        raise StepsError(
            line, f"步骤应当恰有一个动词（{names}），这里是：{said}。", f"A step has one of {names}; here is: {said}."
        )
    verb = verbs[0]
    value, more = found[verb], {key: value for key, value in found.items() if key != verb}
    for key in more:
        if key not in VERBS[verb]:
            names = ", ".join(sorted(VERBS[verb])) or "–"
            raise StepsError(line, f"{verb} 没有键 {key}，可用：{names}。", f"{verb} has no key {key}; use {names}.")
    _check_values(verb, value, more, line)
    return Step(line=line, verb=verb, value=value, more=more)


def _check_values(verb: str, value: Any, more: Mapping[str, Any], line: int) -> None:
    if verb in {"services", "expect"}:
        if not isinstance(value, dict):
            raise StepsError(line, f"{verb} 应当是一组键值。", f"{verb} takes a map of keys.")
    elif not isinstance(value, str) or not value:
        raise StepsError(line, f"{verb} 应当是文字。", f"{verb} takes a text.")
    for key in _MAPS & more.keys():
        if not isinstance(more[key], dict):
            raise StepsError(line, f"{key} 应当是一组键值。", f"{key} takes a map of keys.")
    for key in value if verb == "expect" else ():
        if key not in EXPECTED:
            names = ", ".join(sorted(EXPECTED))
            raise StepsError(line, f"不能期待 {key}，可用：{names}。", f"{key} cannot be expected; use {names}.")
