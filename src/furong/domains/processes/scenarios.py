"""Plays steps in a rehearsal, and says what came instead of what was expected."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from furong.domains.processes.deciding import Decisions
from furong.domains.processes.errors import EngineError, VariablesRefused
from furong.domains.processes.rehearsal import Rehearsal, RehearsalError, Report
from furong.domains.processes.rehearsed import ServiceAnswer
from furong.domains.processes.values.elements import NodeKind
from furong.domains.processes.values.graph import ProcessDefinition
from furong.domains.processes.values.steps import Scenario, Step
from furong.domains.processes.values.times import DayCounting, Duration, due_after, parse_moment
from furong.domains.processes.variables import json_text
from furong.foundation.calendar.values import Calendar
from furong.foundation.packs.values.text import Text, both

Problem = tuple[str, str]


class StepError(Exception):
    """A step could not be done, or came out otherwise than expected; ``rule`` says which."""

    def __init__(self, line: int, rule: str, text: Text) -> None:
        super().__init__(text.pick("en"))
        self.line = line
        self.rule = rule
        self.text = text


@dataclass(frozen=True, slots=True)
class Played:
    """How a scenario went: what was wrong, if anything, and at which elements its tokens were."""

    problem: StepError | None
    reached: frozenset[str]


def first_process(definitions: Iterable[ProcessDefinition]) -> str:
    """Give the process that a file begins with: the only one with a start event of its own. Raises `RehearsalError`."""
    every = list(definitions)
    called = {node.calls for one in every for node in one.nodes.values()}
    every = [one for one in every if one.code not in called]
    own = [one.code for one in every if one.nodes[one.start].kind is NodeKind.START] or [one.code for one in every]
    if len(own) != 1:
        names = ", ".join(own) or "–"
        raise RehearsalError(
            f"文件有多个可以开始的流程：{names}，请指明一个。", f"Several processes can begin: {names}; name one."
        )
    return own[0]


def play_scenario(
    scenario: Scenario,
    *,
    definitions: Iterable[ProcessDefinition],
    calendar: Calendar,
    now: datetime,
    decisions: Decisions,
    report: Report | None = None,
) -> Played:
    """Play one scenario from its beginning; ``now`` is used when it does not say when it is."""
    definitions = list(definitions)
    rehearsal = Rehearsal(definitions, now=scenario.now or now, calendar=calendar, decisions=decisions, report=report)
    problem: StepError | None = None
    try:
        begin(rehearsal, scenario)
        play(rehearsal, scenario.steps)
        unexpected_incidents(rehearsal, scenario.steps, scenario.line)
    except StepError as exc:
        problem = exc
    return Played(problem, frozenset(rehearsal.reached()))


def begin(rehearsal: Rehearsal, scenario: Scenario, *, key: str = "rehearsal") -> None:
    """Start the process of a scenario with its input. Raises `StepError`."""

    def started() -> None:
        # A service that always answers is known before the first call of it.
        rehearsal.standing.update({name: _answer(said) for name, said in scenario.services.items() if said is not None})
        for name in rehearsal.standing:
            rehearsal.known(name)
        code = scenario.process or first_process(rehearsal.definitions.values())
        rehearsal.start(scenario.input, code=code, business_key=key)

    guarded(scenario.line, started)


def guarded(line: int, act: Callable[[], None]) -> None:
    """Do something in a rehearsal; what cannot be done becomes a `StepError` of ``line``."""
    try:
        act()
    except RehearsalError as exc:
        raise StepError(line, "scenario.step", exc.text) from exc
    except (ValueError, OverflowError, EngineError, VariablesRefused) as exc:
        raise StepError(line, "scenario.step", both(f"{exc}", f"{exc}")) from exc


def play(rehearsal: Rehearsal, steps: Iterable[Step]) -> None:
    """Do steps one after another. Raises `StepError` at the first that cannot be done or is not as expected."""
    for step in steps:
        if step.verb == "expect":
            problems = [one for key, wanted in step.value.items() for one in _EXPECT[key](rehearsal, wanted)]
            if problems:
                zh, en = (" ".join(parts) for parts in zip(*problems, strict=True))
                raise StepError(step.line, "scenario.expectation", both(zh, en))
        else:
            _do(rehearsal, step)


def unexpected_incidents(rehearsal: Rehearsal, steps: Iterable[Step], line: int) -> None:
    """Raise `StepError` for what is stuck at the end and nobody expected."""
    expected = {
        name
        for step in steps
        if step.verb == "expect" and isinstance(step.value.get("incidents"), list)
        for name in step.value["incidents"]
    }
    for _, job in rehearsal.incidents():
        if job.element not in expected:
            zh = f"{job.element} 受阻：{job.reason}（{job.detail}）。"
            raise StepError(
                line, "scenario.incident", both(zh, f"{job.element} is stuck: {job.reason} ({job.detail}).")
            )


def _do(rehearsal: Rehearsal, step: Step) -> None:
    value, more = step.value, step.more
    acts: dict[str, Callable[[], None]] = {
        "complete": lambda: rehearsal.complete(
            value,
            outcome=str(more.get("outcome") or ""),
            variables=more.get("variables"),
            token=more.get("token"),
            where=more.get("where"),
        ),
        "message": lambda: rehearsal.deliver(
            value,
            correlation=None if more.get("correlation") is None else str(more["correlation"]),
            payload=more.get("payload"),
        ),
        "advance": lambda: rehearsal.advance_to(_later(rehearsal, value, more)),
        "advance_to": lambda: rehearsal.advance_to(parse_moment(value, zone=rehearsal.calendar.tz)),
        "service": lambda: rehearsal.serve(
            value, _answer({k: v for k, v in more.items() if k != "where"}), where=more.get("where")
        ),
        "services": lambda: _services(rehearsal, value),
        "start": lambda: _start(rehearsal, value, more),
        "retry": lambda: rehearsal.retry(value),
        "skip": lambda: rehearsal.skip(value, more.get("variables")),
        "cancel": lambda: rehearsal.cancel(value, undo=more.get("undo") is not False),
    }
    guarded(step.line, acts[step.verb])


def _later(rehearsal: Rehearsal, value: str, more: Mapping[str, Any]) -> datetime:
    counting = DayCounting(more.get("calendar") or "")
    return due_after(Duration.parse(value), start=rehearsal.now, counting=counting, calendar=lambda: rehearsal.calendar)


def _answer(said: Any) -> ServiceAnswer:
    if not isinstance(said, Mapping) or not said.keys() <= {"variables", "error", "fault"}:
        raise RehearsalError(
            "服务的回答是 variables、error 或 fault。", "A service answers with variables, error or fault."
        )
    if len(said) > 1:
        raise RehearsalError("服务只能有一种回答。", "A service answers in one way only.")
    return ServiceAnswer(
        variables=said.get("variables") or {}, error=str(said.get("error") or ""), fault=str(said.get("fault") or "")
    )


def _services(rehearsal: Rehearsal, value: Mapping[str, Any]) -> None:
    for element, said in value.items():
        rehearsal.answer_always(element, None if said is None else _answer(said))


def _start(rehearsal: Rehearsal, value: str, more: Mapping[str, Any]) -> None:
    rehearsal.start(more.get("variables") or {}, code=value, business_key=str(more.get("key") or "rehearsal"))


# --- expectations -----------------------------------------------------------------------------------------------------------


def _waiting(rehearsal: Rehearsal, wanted: Any) -> list[Problem]:
    came = Counter(name for instance in rehearsal.instances for name in instance.waiting())
    return _same("等待的元素", "waiting elements", Counter(_names(wanted)), came)


def _incidents(rehearsal: Rehearsal, wanted: Any) -> list[Problem]:
    came = Counter(job.element for _, job in rehearsal.incidents())
    return _same("受阻的元素", "incidents", Counter(_names(wanted)), came)


def _escalated(rehearsal: Rehearsal, wanted: Any) -> list[Problem]:
    every = (task for instance in rehearsal.instances for task in instance.tasks.values())
    came = Counter(task.node.id for task in every if task.escalated_at is not None)
    return _same("已升级的任务", "escalated tasks", Counter(_names(wanted)), came)


def _sent(rehearsal: Rehearsal, wanted: Any) -> list[Problem]:
    return _same("发出的消息", "messages sent", Counter(_names(wanted)), Counter(rehearsal.sent))


def _same(zh: str, en: str, wanted: Counter[str], came: Counter[str]) -> list[Problem]:
    if wanted == came:
        return []
    expected, found = (", ".join(sorted(one.elements())) or "–" for one in (wanted, came))
    return [(f"{zh}应为 {expected}，实为 {found}。", f"The {en} should be {expected} and are {found}.")]


def _reached(rehearsal: Rehearsal, wanted: Any) -> list[Problem]:
    missing = [name for name in _names(wanted) if name not in rehearsal.reached()]
    return [(f"没有到达 {name}。", f"{name} was not reached.") for name in missing]


def _not_reached(rehearsal: Rehearsal, wanted: Any) -> list[Problem]:
    there = [name for name in _names(wanted) if name in rehearsal.reached()]
    return [(f"不应到达 {name}。", f"{name} was reached.") for name in there]


def _ended(rehearsal: Rehearsal, wanted: Any) -> list[Problem]:
    came = rehearsal.main.ending
    expected = "" if wanted in {False, None} else wanted
    if expected == came or (expected is True and came):
        return []
    words = {"": ("仍在进行", "running"), "completed": ("完成", "completed"), "cancelled": ("撤销", "cancelled")}
    zh, en = words[came]
    told = words.get(str(expected), (str(expected), str(expected)))
    where = ", ".join(rehearsal.main.waiting()) or "–"
    return [
        (
            f"流程应为{told[0]}，实为{zh}（等待：{where}）。",
            f"The process should be {told[1]} and is {en} (waits: {where}).",
        )
    ]


def _variables(rehearsal: Rehearsal, wanted: Any) -> list[Problem]:
    return _differ(wanted, rehearsal.main.variables, "")


def _given(rehearsal: Rehearsal, wanted: Any) -> list[Problem]:
    found: list[Problem] = []
    for element, inside in wanted.items() if isinstance(wanted, Mapping) else ():
        if element not in rehearsal.given:
            found.append((f"服务 {element} 没有被调用。", f"The service {element} was not called."))
        else:
            found += _differ(inside, rehearsal.given[element], f"{element}.")
    return found


def _due(rehearsal: Rehearsal, wanted: Any) -> list[Problem]:
    """Compare when tasks and timers are due: a date is its last day, a date and time the moment itself."""
    zone, found = rehearsal.calendar.tz, []
    for element, said in wanted.items() if isinstance(wanted, Mapping) else ():
        due = [t.due_at for i in rehearsal.instances for t in i.tasks.values() if t.node.id == element and t.due_at]
        due += [t.due_at for i in rehearsal.instances for t in i.every_timer() if t.element == element]
        text = str(said)
        if "T" in text:
            came = [moment.astimezone(zone).isoformat() for moment in due]
            fits = parse_moment(text, zone=zone) in due
        else:
            came = [_last_day(moment, zone).isoformat() for moment in due]
            fits = text in came
        if not fits:
            told = ", ".join(came) or "–"
            found.append(
                (f"{element} 的期限应为 {text}，实为 {told}。", f"{element} should be due {text} and is {told}.")
            )
    return found


def _last_day(moment: datetime, zone: Any) -> date:
    return (moment.astimezone(zone) - timedelta(microseconds=1)).date()


_EXPECT: dict[str, Callable[[Rehearsal, Any], list[Problem]]] = {
    "waiting": _waiting,
    "variables": _variables,
    "ended": _ended,
    "reached": _reached,
    "not_reached": _not_reached,
    "incidents": _incidents,
    "escalated": _escalated,
    "due": _due,
    "sent": _sent,
    "given": _given,
}


def _names(wanted: Any) -> list[str]:
    return [str(one) for one in wanted] if isinstance(wanted, list) else [] if wanted is None else [str(wanted)]


def _differ(wanted: Any, came: Any, path: str) -> list[Problem]:
    """List where ``came`` differs; of a map only what is wanted is looked at, what is missing is null."""
    if isinstance(wanted, Mapping) and isinstance(came, Mapping):
        return [one for key, value in wanted.items() for one in _differ(value, came.get(key), f"{path}{key}.")]
    if isinstance(wanted, list) and isinstance(came, list) and len(wanted) == len(came):
        pairs = enumerate(zip(wanted, came, strict=True), 1)
        return [one for number, (left, right) in pairs for one in _differ(left, right, f"{path}{number}.")]
    if wanted == came and isinstance(wanted, bool) == isinstance(came, bool):
        return []
    name, expected, found = path.rstrip("."), json_text(wanted), json_text(came)
    return [(f"{name} 应为 {expected}，实为 {found}。", f"{name} should be {expected} and is {found}.")]
