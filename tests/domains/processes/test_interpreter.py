"""Properties of the interpreter: what holds for every structured diagram, in whatever order its tasks are done."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from furong.domains.processes import interpreter
from furong.domains.processes.values import parse_bpmn, read_bpmn
from tests.domains.processes.blocks import Block, blocks, draw, has_loop
from tests.domains.processes.diagrams import bpmn
from tests.domains.processes.memory import Memory

ENDS = '<startEvent id="s"/>\n<endEvent id="e"/>'


def run_to_the_end(memory: Memory, loops: dict[str, int], data: Any) -> Counter[str]:
    """Complete open tasks in an order that hypothesis chooses; give how often each was done."""
    done: Counter[str] = Counter()
    memory.start()
    for _ in range(2_000):
        if memory.ended:
            return done
        assert memory.incidents == []
        assert memory.open, "tokens wait, and nothing can wake them"
        token = data.draw(st.sampled_from(sorted(memory.open)))
        element = memory.open[token]
        done[element] += 1
        given_now = {}
        if element in loops:
            given_now[f"again_{element}"] = done[element] % (loops[element] + 1) != 0
        memory.complete(token, **given_now)
    raise AssertionError("the process does not end")


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(block=blocks(), data=st.data())
def test_every_structured_diagram_is_sound_and_reaches_its_end(block: Block, data: Any) -> None:
    drawn = draw(block, lambda n: data.draw(st.integers(0, n - 1)))
    reading = read_bpmn(drawn.xml)
    hints = {"bpmn.variable_unknown", "bpmn.markings_many"}
    assert [f.format() for f in reading.findings if f.rule not in hints] == []
    assert reading.definition is not None
    done = run_to_the_end(Memory(reading.definition, dict(drawn.variables)), drawn.loops, data)
    if not _loop_within_loop(block):
        assert done == drawn.expected


def _loop_within_loop(block: Block) -> bool:
    """Loops in loops count their rounds with one variable, so how often their tasks run is not foretold here."""
    return (block[0] == "loop" and has_loop(block[1])) or any(
        _loop_within_loop(one) for one in block[1:] if isinstance(one, tuple)
    )


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(block=blocks(loops=False), data=st.data())
def test_the_order_in_which_tasks_are_done_does_not_change_what_is_done(block: Block, data: Any) -> None:
    drawn = draw(block, lambda n: data.draw(st.integers(0, n - 1)))
    definition = parse_bpmn(drawn.xml, check=False)
    first, second = Memory(definition, dict(drawn.variables)), Memory(definition, dict(drawn.variables))
    run_to_the_end(first, {}, data)
    run_to_the_end(second, {}, data)
    assert first.done == second.done


def test_a_join_in_a_loop_takes_one_token_of_each_flow_and_keeps_the_rest() -> None:
    # a may run ahead of b: its second token waits at the join for b's second.
    content = bpmn(
        ENDS + '\n<parallelGateway id="f"/>\n<userTask id="a"/>\n<parallelGateway id="fa"/>\n<userTask id="b"/>'
        '\n<parallelGateway id="fb"/>\n<parallelGateway id="j"/>\n<userTask id="c"/>',
        "s -> f\nf -> a\nf -> b\na -> fa\nfa -> j\nfa -> a\nb -> fb\nfb -> j\nfb -> b\nj -> c\nc -> e",
    )
    memory = Memory(parse_bpmn(content, check=False), {})
    memory.start()
    memory.complete_element("a")
    memory.complete_element("a")
    assert memory.waiting == Counter(a=1, b=1)
    memory.complete_element("b")
    assert memory.waiting == Counter(a=1, b=1, c=1)
    memory.complete_element("b")
    assert memory.waiting == Counter(a=1, b=1, c=2)
    assert sum(token.element == "j" for token in memory.tokens.values()) == 0


def test_an_inclusive_join_waits_for_a_token_that_can_still_come_and_for_no_other() -> None:
    content = bpmn(
        ENDS
        + '\n<inclusiveGateway id="f"/>\n<userTask id="a"/>\n<userTask id="b"/>\n<exclusiveGateway id="x" default="x-e2"/>'
        '\n<endEvent id="e2"/>\n<inclusiveGateway id="j"/>\n<userTask id="c"/>',
        "s -> f\nf -> a if true\nf -> b if true\na -> j\nb -> x\nx -> j if come\nx -> e2\nj -> c\nc -> e",
    )
    for come in (True, False):
        memory = Memory(parse_bpmn(content), {"come": come})
        memory.start()
        memory.complete_element("a")
        assert memory.waiting == Counter(b=1)
        memory.complete_element("b")
        assert memory.waiting == Counter(c=1)
        memory.complete_element("c")
        assert memory.ended


def test_several_flows_out_of_a_task_are_all_taken() -> None:
    content = bpmn(
        ENDS + '\n<userTask id="a"/>\n<userTask id="b"/>\n<userTask id="c"/>', "s -> a\na -> b\na -> c\nb -> e\nc -> e"
    )
    memory = Memory(parse_bpmn(content), {})
    memory.start()
    memory.complete_element("a")
    assert memory.waiting == Counter(b=1, c=1)
    memory.complete_element("b")
    assert not memory.ended
    memory.complete_element("c")
    assert memory.ended


def test_what_is_left_of_a_step_too_long_stands_as_an_incident_and_goes_on_when_retried(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    passes = "\n".join(f'<manualTask id="m{n}"/>' for n in range(40))
    flows = "\n".join(f"m{n} -> m{n + 1}" for n in range(39))
    definition = parse_bpmn(bpmn(f"{ENDS}\n{passes}", f"s -> m0\n{flows}\nm39 -> e"), check=False)
    monkeypatch.setattr(interpreter, "MOST_MOVES", 30)
    memory = Memory(definition, {})
    memory.start()
    assert memory.incidents == ["m29"]
    assert [(token.element, token.stuck) for token in memory.tokens.values()] == [("m29", True)]
    memory.retry("m29")
    assert memory.ended
