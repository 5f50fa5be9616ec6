"""What the checker promises of tokens: what it passes never stands still, and what it refuses can."""

from __future__ import annotations

import random
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from furong.domains.processes.rehearsal import Rehearsal
from furong.domains.processes.values import ProcessDefinition, read_bpmn
from furong.foundation.packs.values.findings import Finding
from tests.domains.processes.blocks import Block, blocks, draw, has
from tests.domains.processes.conftest import CALENDAR
from tests.domains.processes.diagrams import bpmn
from tests.domains.processes.memory import NOW

TIMER = "<timerEventDefinition><timeDuration>P1D</timeDuration></timerEventDefinition>"
TAGS = ("userTask", "userTask", "exclusiveGateway", "parallelGateway", "inclusiveGateway", "subProcess")
# Rules that say a token can stand still for ever.
STANDS = {"bpmn.join_never"}


@dataclass
class Drawing:
    """A random diagram: any elements joined by any flows, some of them back."""

    chance: random.Random
    elements: list[str] = field(default_factory=list)
    flows: list[str] = field(default_factory=list)
    variables: list[str] = field(default_factory=list)
    count: int = 0

    def name(self, prefix: str) -> str:
        self.count += 1
        return f"{prefix}{self.count}"

    def whole(self) -> bytes:
        elements, flows = self.part(self.chance.randint(2, 7), depth=0)
        return bpmn("\n".join(elements), "\n".join(flows))

    def part(self, size: int, depth: int) -> tuple[list[str], list[str]]:
        chance = self.chance
        start, end = self.name("s"), self.name("e")
        nodes = [(self.name("n"), chance.choice(TAGS[: 6 if depth == 0 else 5])) for _ in range(size)]
        names = [name for name, _ in nodes]
        edges = [(start, names[0])]
        for number, name in enumerate(names[1:], 1):
            edges.append((chance.choice(names[:number]), name))
        for name in names:
            if not any(source == name for source, _ in edges):
                later = names[names.index(name) + 1 :]
                edges.append((name, chance.choice([*later, end, end])))
        edges += [(chance.choice(names), chance.choice([*names, end])) for _ in range(chance.randint(0, 2))]
        if not any(target == end for _, target in edges):
            edges.append((names[-1], end))
        elements = [f'<startEvent id="{start}"/>', f'<endEvent id="{end}"/>']
        for name, tag in nodes:
            elements += self.node(name, tag, depth)
            if tag in {"userTask", "subProcess"} and chance.random() < 0.25:
                event = self.name("b")
                kind = chance.choice(["true", "false"])
                elements.append(
                    f'<boundaryEvent id="{event}" attachedToRef="{name}" cancelActivity="{kind}">{TIMER}</boundaryEvent>'
                )
                edges.append((event, chance.choice([*names, end])))
        return elements, self.conditions(list(dict.fromkeys(edges)), dict(nodes))

    def node(self, name: str, tag: str, depth: int) -> list[str]:
        if tag != "subProcess":
            return [f'<{tag} id="{name}" DEFAULT-{name}/>' if "clusive" in tag else f'<{tag} id="{name}"/>']
        elements, flows = self.part(self.chance.randint(1, 4), depth + 1)
        inner = bpmn("\n".join(elements), "\n".join(flows)).decode().splitlines()[2:-2]
        return [f'<subProcess id="{name}">{"".join(inner)}</subProcess>']

    def conditions(self, edges: list[tuple[str, str]], tags: dict[str, str]) -> list[str]:
        lines = []
        for source, target in edges:
            ways = [one for one in edges if one[0] == source]
            condition = ""
            if "clusive" in tags.get(source, "") and len(ways) > 1 and (source, target) != ways[-1]:
                variable = f"v_{source}_{target}"
                self.variables.append(variable)
                condition = f" if {variable}"
            lines.append(f"{source} -> {target}{condition}")
        return lines


def diagram(seed: int) -> tuple[bytes, list[str]]:
    """Draw the diagram of a seed; the last way out of each choice is its default."""
    drawing = Drawing(random.Random(seed))
    text = drawing.whole().decode()
    for name in {part.split('"')[0] for part in text.split("DEFAULT-")[1:] for part in [part.split("/")[0]]}:
        ways = [part.split('"')[0] for part in text.split(f'<sequenceFlow id="{name}-')[1:]]
        default = f'default="{name}-{ways[-1]}"' if len(ways) > 1 else ""
        text = text.replace(f"DEFAULT-{name}/", f"{default}/")
    return text.encode(), drawing.variables


def stands_still(
    definition: ProcessDefinition,
    variables: list[str],
    chance: random.Random,
    *,
    fixed: Mapping[str, object] | None = None,
    steps: int = 40,
) -> str:
    """Walk at random; give where a token stands for ever, "" when none was seen to."""

    def values() -> dict[str, object]:
        return {name: chance.random() < 0.5 for name in variables}

    rehearsal = Rehearsal([definition], now=NOW, calendar=CALENDAR)
    rehearsal.start({**(fixed or {}), **values()})
    for _ in range(steps):
        if rehearsal.is_over:
            return ""
        assert [job.element for _, job in rehearsal.incidents()] == []
        tasks = sorted(rehearsal.main.tasks)
        timers = list(rehearsal.main.every_timer())
        if not tasks:
            return ", ".join(sorted(token.element for token in rehearsal.main.tokens.values()))
        if len(rehearsal.main.tokens) > 40:
            return ""
        if timers and chance.random() < 0.2:
            rehearsal.advance_to(rehearsal.now + timedelta(days=1))
        else:
            number = chance.choice(tasks)
            rehearsal.complete(rehearsal.main.tasks[number].node.id, token=number, variables=values())
    return ""


def errors(findings: tuple[Finding, ...]) -> set[str]:
    return {one.rule for one in findings if one.is_error}


def test_what_the_checker_passes_never_stands_still() -> None:
    passed = 0
    for seed in range(1_000):
        content, variables = diagram(seed)
        reading = read_bpmn(content)
        if reading.definition is None:
            continue
        passed += 1
        chance = random.Random(seed)
        for _ in range(6):
            where = stands_still(reading.definition, variables, chance)
            assert where == "", f"seed {seed}: a token stands at {where}"
    assert passed > 150


def test_what_the_checker_says_can_stand_still_does() -> None:
    refused = 0
    for seed in range(2_000, 2_700):
        content, variables = diagram(seed)
        found = errors(read_bpmn(content).findings)
        if not found or not found <= STANDS:
            continue
        refused += 1
        definition = read_bpmn(content, check=False).definition
        assert definition is not None
        chance = random.Random(seed)
        assert any(stands_still(definition, variables, chance) for _ in range(400)), f"seed {seed}: a false alarm"
    assert refused > 15


def test_an_inclusive_join_that_an_early_reminder_can_fire_alone_is_found() -> None:
    # The timer's token opens the join n before a is done; then a second token comes to m, and nobody else does.
    content = bpmn(
        '<startEvent id="s"/><userTask id="a"/><userTask id="b"/><inclusiveGateway id="n"/><parallelGateway id="m"/>'
        '<endEvent id="e"/>'
        f'<boundaryEvent id="t" attachedToRef="a" cancelActivity="false">{TIMER}</boundaryEvent>',
        "s -> a\na -> b\na -> n\nt -> n\nb -> m\nn -> m\nm -> e",
    )
    found = [(one.rule, one.element) for one in read_bpmn(content).findings]
    assert found == [("bpmn.join_never", "m")]


# --- structured diagrams --------------------------------------------------------------------------------------------------------

QUIET = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def rules(content: bytes) -> set[str]:
    """Give the rules that a diagram breaks, but for variables, which these do not declare, and for its being very large."""
    return {one.rule for one in read_bpmn(content).findings} - {"bpmn.variable_unknown", "bpmn.markings_many"}


@QUIET
@given(block=blocks(nested=True), data=st.data())
def test_structured_diagrams_give_no_false_alarm_and_come_to_their_end(block: Block, data: Any) -> None:
    drawn = draw(block, lambda n: data.draw(st.integers(0, n - 1)))
    assert rules(drawn.xml) == set()
    definition = read_bpmn(drawn.xml).definition
    assert definition is not None
    chance = random.Random(data.draw(st.integers(0, 999)))
    free = [name for name in drawn.variables if not name.startswith("v")]
    assert stands_still(definition, free, chance, fixed=drawn.variables) == ""


@QUIET
@given(block=blocks(nested=True), data=st.data())
def test_a_structured_diagram_that_lost_a_flow_is_found(block: Block, data: Any) -> None:
    drawn = draw(block, lambda n: data.draw(st.integers(0, n - 1)))
    text = drawn.xml.decode()
    flows = re.findall(r"<sequenceFlow.*?</sequenceFlow>", text)
    flows = [one for one in flows if not re.search(r'id="x\d+-b\d+"', one)]  # without its way back a loop is a sequence
    lost = data.draw(st.sampled_from(flows))
    assert rules(text.replace(lost, "").encode()) != set()


@QUIET
@given(block=blocks(nested=True, loops=False).filter(lambda one: has(one, "and", "or")), data=st.data())
def test_parallel_branches_without_their_join_are_found(block: Block, data: Any) -> None:
    drawn = draw(
        block, lambda n: data.draw(st.integers(0, n - 1)), joins={"and": "exclusiveGateway", "or": "exclusiveGateway"}
    )
    assert "bpmn.not_synchronised" in rules(drawn.xml)


@QUIET
@given(block=blocks(nested=True, loops=False).filter(lambda one: has(one, "xor", "or")), data=st.data())
def test_branches_of_a_choice_that_wait_for_each_other_are_found(block: Block, data: Any) -> None:
    drawn = draw(
        block, lambda n: data.draw(st.integers(0, n - 1)), joins={"xor": "parallelGateway", "or": "parallelGateway"}
    )
    assert "bpmn.join_never" in rules(drawn.xml)
