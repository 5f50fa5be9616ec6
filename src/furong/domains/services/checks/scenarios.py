"""Scenarios of a pack: each is played in memory, and must come out as it says. What no scenario reaches is named."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from furong.domains.processes.bundles import weeks_only
from furong.domains.processes.deciding import Decisions
from furong.domains.processes.scenarios import play_scenario
from furong.domains.processes.values.elements import NodeKind
from furong.domains.processes.values.graph import ProcessDefinition
from furong.domains.processes.values.steps import Scenario, ScenarioFile, StepsError, read_scenarios
from furong.domains.services.checks.scope import Scope
from furong.foundation.calendar.values import Calendar
from furong.foundation.packs.holidays import CODE as HOLIDAYS
from furong.foundation.packs.values import Finding, Frame, Severity, SourceRefused, both, parse_yaml

# When a scenario that does not say so is played.
_SOME_DAY = datetime(2026, 3, 2, 1, tzinfo=UTC)


def parse_scenarios(content: bytes, file: str, frame: Frame) -> tuple[ScenarioFile | None, list[Finding]]:
    """Read ``scenarios.yaml``; gives the scenarios, or None with findings."""
    try:
        return read_scenarios(parse_yaml(content, file=file), zone=ZoneInfo(frame.time_zone)), []
    except SourceRefused as refused:
        return None, list(refused.findings)
    except StepsError as wrong:
        mend = both("参见 docs/reference/pack-format.md。", "See docs/reference/pack-format.md.")
        return None, [
            Finding(file=file, line=wrong.line, element="-", rule="scenario.form", message=wrong.text, mend=mend)
        ]


def check_scenarios(scope: Scope) -> None:
    """Play the scenarios of each process that is otherwise in order.

    In a folder a scenario that fails is an error. In the workbench, where process and scenarios are published one after the
    other, it is a warning.
    """
    pack = scope.pack
    severity = Severity.ERROR if pack.root is not None else Severity.WARNING
    calendar = _calendar(scope)
    broken = {one.file for one in (*pack.findings, *scope.findings) if one.is_error}
    of_items = [(code, file, "scenario") for code, file in pack.of("process").items()]
    of_shapes = [(code, file, "shape_scenario") for code, file in pack.of("shape_process").items()]
    for code, file, kind in [*of_items, *of_shapes]:
        is_items = kind == "scenario"
        rules = pack.find("decision", code) if is_items else None
        unreadable = is_items and rules is None and pack.knows("decision", code)
        if unreadable or file.shown in broken or (rules is not None and rules.shown in broken):
            continue  # what a scenario would say follows from that
        found = pack.find(kind, code)
        if found is None:
            if not pack.knows(kind, code):
                _untested(scope, file.shown, file.value)
            continue
        decisions = Decisions({} if rules is None else {"rules": rules.content})
        _play(scope, found.shown, found.value, file.shown, file.value, decisions, calendar, severity)


def _play(
    scope: Scope,
    shown: str,
    scenarios: ScenarioFile,
    process_shown: str,
    process: ProcessDefinition,
    decisions: Decisions,
    calendar: Calendar,
    severity: Severity,
) -> None:
    reached: set[str] = set()
    failed = False
    for scenario in scenarios.scenarios:
        _input(scope, shown, scenarios.code, scenario)
        if not any(step.verb == "expect" for step in scenario.steps):
            scope.add(
                shown,
                scenario.line,
                scenario.name,
                "scenario.expects_nothing",
                ("情景没有任何期待，任何结果都会通过。", "The scenario expects nothing, so it cannot fail."),
                ("添加 expect 步骤。", "Add a step expect."),
                severity=Severity.WARNING,
            )
        played = play_scenario(scenario, definitions=[process], calendar=calendar, now=_SOME_DAY, decisions=decisions)
        reached |= played.reached
        if (problem := played.problem) is not None:
            failed = True
            scope.add(
                shown,
                problem.line,
                scenario.name,
                problem.rule,
                (problem.text.pick("zh"), problem.text.pick("en")),
                ("请改正流程、规则或者情景。", "Mend the process, the rules or the scenario."),
                severity=severity,
            )
    if failed:
        return  # what was not reached then follows from that
    # A compensation's event has no log of its own; what it leads to has.
    silent = {node.id for node in process.nodes.values() if node.hidden or node.kind is NodeKind.BOUNDARY_COMPENSATION}
    missing = [node for node in process.nodes.values() if node.id not in reached | silent]
    if missing:
        first, names = min(missing, key=lambda node: node.line), ", ".join(node.id for node in missing)
        scope.add(
            process_shown,
            first.line,
            first.id,
            "scenario.unreached",
            (f"没有情景到达：{names}。", f"No scenario reaches {names}."),
            (f"请在 {shown} 中添加到达这里的情景。", f"Add a scenario to {shown} that comes here."),
            severity=Severity.WARNING,
        )


def _untested(scope: Scope, shown: str, process: ProcessDefinition) -> None:
    first = process.nodes[process.start]
    scope.add(
        shown,
        first.line,
        process.code,
        "scenario.none",
        ("流程没有情景。", "The process has no scenarios."),
        ("请在旁边添加 scenarios.yaml。", "Put a scenarios.yaml beside it."),
        severity=Severity.WARNING,
    )


def _input(scope: Scope, shown: str, code: str, scenario: Scenario) -> None:
    """A scenario may begin only with what the item's department will see; else it proves nothing."""
    item = scope.items.get(code)
    if item is None:
        return
    known = {str(element) for element in (*item.inputs, *item.outputs)}
    for path in _paths(scenario.input, ""):
        role = path.split(".")[0]
        fits = any(one == path or one.startswith(f"{path}.") or path.startswith(f"{one}.") for one in known)
        if role in scope.roles and not fits:
            scope.add(
                shown,
                scenario.line,
                path,
                "process.element_unknown",
                (
                    f"情景给出了 {path}，但它不在事项的 inputs 和 outputs 中。",
                    f"The scenario gives {path}, which is neither an input nor an output of the item.",
                ),
                ("请删除它，或列入 item.yaml 的 inputs。", "Remove it, or list it among the inputs in item.yaml."),
            )


def _paths(values: Mapping[str, Any], before: str) -> Iterator[str]:
    for name, value in values.items():
        path = f"{before}{name}"
        if isinstance(value, Mapping) and value:
            yield from _paths(value, f"{path}.")
        else:
            yield path


def _calendar(scope: Scope) -> Calendar:
    found = scope.pack.find(HOLIDAYS, HOLIDAYS)
    calendar: Calendar = weeks_only(scope.pack.frame.time_zone) if found is None else found.value
    return calendar
