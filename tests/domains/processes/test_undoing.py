"""Compensation that is itself cut short: what was not undone yet is undone by whoever comes next."""

from __future__ import annotations

from collections import Counter

from furong.domains.processes.values import parse_bpmn
from tests.domains.processes.diagrams import bpmn
from tests.domains.processes.memory import Memory

BOOKED = bpmn(
    """<startEvent id="s"/><userTask id="book"/><userTask id="pay"/><userTask id="unbook" isForCompensation="true"/>
    <userTask id="repay" isForCompensation="true"/><userTask id="after"/><endEvent id="e"/>
    <boundaryEvent id="b1" attachedToRef="book"><compensateEventDefinition/></boundaryEvent>
    <boundaryEvent id="b2" attachedToRef="pay"><compensateEventDefinition/></boundaryEvent>
    <association id="l1" associationDirection="One" sourceRef="b1" targetRef="unbook"/>
    <association id="l2" associationDirection="One" sourceRef="b2" targetRef="repay"/>
    <intermediateThrowEvent id="undo"><compensateEventDefinition/></intermediateThrowEvent>""",
    "s -> book\nbook -> pay\npay -> after\nafter -> undo\nundo -> e",
)


def begun(xml: bytes, *done: str) -> Memory:
    memory = Memory(parse_bpmn(xml, check=False), {})
    memory.start()
    for element in done:
        memory.complete_element(element)
    return memory


def test_a_withdrawal_that_is_asked_for_again_goes_on_as_it_was() -> None:
    memory = begun(BOOKED, "book", "pay")
    memory.cancel(undo=True)
    assert memory.waiting == Counter(repay=1)
    memory.cancel(undo=True)
    assert memory.waiting == Counter(repay=1)
    memory.complete_element("repay")
    assert memory.waiting == Counter(unbook=1)
    memory.complete_element("unbook")
    assert memory.ending == "cancelled"


def test_a_withdrawal_undoes_also_what_was_just_being_undone() -> None:
    memory = begun(BOOKED, "book", "pay", "after")
    assert memory.waiting == Counter(repay=1)
    memory.cancel(undo=True)
    assert memory.waiting == Counter(repay=1)
    memory.complete_element("repay")
    memory.complete_element("unbook")
    assert memory.ending == "cancelled"
    assert memory.done["repay"] == memory.done["unbook"] == 1
