"""SpiffWorkflow (LGPL, tests only) with the same stimuli as the interpreter in memory, and the comparison of both.

SpiffWorkflow evaluates conditions as Python, so the conditions compared here are names of true or false variables, or sums and
comparisons that read the same in FEEL. Its clock is what the test says: a timer fires when it is told to.
"""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import deepcopy
from typing import Any

from lxml import etree
from SpiffWorkflow.bpmn import BpmnWorkflow
from SpiffWorkflow.bpmn.parser import BpmnParser
from SpiffWorkflow.bpmn.specs.event_definitions.message import MessageEventDefinition
from SpiffWorkflow.bpmn.specs.event_definitions.timer import DurationTimerEventDefinition
from SpiffWorkflow.bpmn.util import BpmnEvent
from SpiffWorkflow.util.task import TaskState

from furong.domains.processes.values import parse_bpmn
from tests.domains.processes.memory import Memory

_fires: dict[Any, str] = {}  # task → the name of its timer


def _has_fired(self: Any, task: Any) -> bool:
    # The event behind an event gateway is told apart from the gateway that waited for it.
    if self.name in (_fires.get(task.id), _fires.get(task.parent.id)):
        task._set_internal_data(event_fired=True)
    return bool(task._get_internal_data("event_fired", False))


@contextmanager
def clock_told() -> Iterator[None]:
    """Let SpiffWorkflow's timers fire when they are told to."""
    real = DurationTimerEventDefinition.has_fired
    DurationTimerEventDefinition.has_fired = _has_fired
    try:
        yield
    finally:
        DurationTimerEventDefinition.has_fired = real


class Oracle:
    """One instance in SpiffWorkflow."""

    def __init__(self, content: bytes, variables: dict[str, object]) -> None:
        parser = BpmnParser()
        content = content.replace(b">P1D<", b'>"P1D"<').replace(b'isExecutable="false"', b'isExecutable="true"')
        parser.add_bpmn_xml(etree.fromstring(content), filename="x.bpmn")
        spec = parser.get_spec("p")
        self.workflow = BpmnWorkflow(spec, parser.get_subprocess_specs("p"))
        self.workflow.task_tree.data.update(deepcopy(variables))
        self.workflow.do_engine_steps()
        self._pass()

    def _ready(self) -> list[Any]:
        return list(self.workflow.get_tasks(state=TaskState.READY, manual=True))

    def _pass(self) -> None:
        """Manual tasks wait there and pass here."""
        while passing := [task for task in self._ready() if _name(task).startswith("m")]:
            for task in passing:
                task.run()
            self.workflow.do_engine_steps()

    @property
    def waiting(self) -> Counter[str]:
        return Counter(_name(task) for task in self._ready())

    def complete(self, element: str, **given: object) -> None:
        # Of several that bear one name the oldest, as in `Memory.complete_element`.
        task = min((one for one in self._ready() if _name(one) == element), key=lambda one: one.last_state_change)
        task.data.update(given)
        task.run()
        self._run()

    def fire(self, element: str) -> None:
        waiting = [one for one in self.workflow.event_manager.tasks.values() if element in _timers(one)]
        chosen = min(waiting, key=lambda one: one.last_state_change).id
        _fires[chosen] = element
        try:
            self.workflow.refresh_timers()
            self._run()
        finally:
            del _fires[chosen]

    def send(self, message: str) -> None:
        self.workflow.catch(BpmnEvent(MessageEventDefinition(message), {}))
        self._run()

    def _run(self) -> None:
        self.workflow.do_engine_steps()
        self._pass()

    @property
    def ended(self) -> bool:
        return bool(self.workflow.is_completed())

    @property
    def data(self) -> dict[str, Any]:
        return dict(self.workflow.data)

    @property
    def done(self) -> Counter[str]:
        return Counter(_name(task) for task in self.workflow.get_tasks(state=TaskState.COMPLETED))


def _timers(task: Any) -> set[str]:
    event = task.task_spec.event_definition
    return {one.name for one in getattr(event, "event_definitions", [event])}


def _name(task: Any) -> str:
    return str(task.task_spec.name).removesuffix(" [child]").rpartition("/")[2]


Stimulus = tuple[str, str]
Given = Callable[[str], dict[str, object]]


def stimuli(memory: Memory) -> list[Stimulus]:
    """What can happen now: a task is done, a timer fires, a message comes."""
    found = {("complete", name) for name in memory.waiting}
    found |= {("fire", one.element) for one in memory.timers}
    found |= {("send", one.message) for one in memory.subscriptions}
    return sorted(found)


def compare(
    content: bytes,
    variables: dict[str, object],
    choose: Callable[[list[Stimulus]], Stimulus],
    given: Given = lambda element: {},
    most: int = 60,
) -> tuple[Memory, list[Stimulus]]:
    """Run both to the end with the same choices; give ours, and what happened."""
    with clock_told():
        oracle = Oracle(content, variables)
        memory = Memory(parse_bpmn(content), deepcopy(variables))
        memory.start()
        happened: list[Stimulus] = []
        while len(happened) < most:
            seen = Counter(name.rpartition("/")[2] for name in memory.open.values())
            assert seen == oracle.waiting, f"after {happened}: {dict(seen)}, not {dict(oracle.waiting)}"
            assert memory.ended == oracle.ended, f"after {happened}: ended {memory.ended}, not {oracle.ended}"
            assert memory.incidents == []
            if memory.ended:
                _same_work(memory, oracle, happened)
                return memory, happened
            now = stimuli(memory)
            if len(happened) > 20:  # a timer in a loop could fire for ever
                now = [one for one in now if one[0] == "complete"] or now
            verb, name = choose(now)
            happened.append((verb, name))
            plain = name.rpartition("/")[2]
            if verb == "complete":
                found = given(plain)
                memory.complete_element(name, **found)
                oracle.complete(plain, **found)
            else:
                getattr(memory, verb)(name)
                getattr(oracle, verb)(plain)
    raise AssertionError(f"does not end: {happened}")


def _same_work(memory: Memory, oracle: Oracle, happened: list[Stimulus]) -> None:
    ends = re.compile(r"(?:^|/)[ez]\d*$")
    ours = Counter(name.rpartition("/")[2] for name in memory.done.elements() if ends.search(name))
    theirs = Counter(name for name in oracle.done.elements() if ends.search(name))
    assert ours == theirs, f"ends reached after {happened}: {dict(ours)}, not {dict(theirs)}"


def paths(seed: str, count: int) -> list[Callable[[list[Stimulus]], Stimulus]]:
    """Ways to choose: always the first, always the last, then at random but always the same."""
    dice = [random.Random(f"{seed}{number}") for number in range(count)]
    return [lambda now: now[0], lambda now: now[-1], *(one.choice for one in dice)]
