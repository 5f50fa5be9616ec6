"""Diagrams in few words, for the comparison with SpiffWorkflow: an element's kind is the first letter of its name.

``s`` start, ``e`` end, ``z`` terminate, ``x`` exclusive, ``p`` parallel, ``o`` inclusive, ``v`` event gateway, ``m`` passes at
once, ``t`` waits for a timer, ``r`` for a message of its own name; all others are user tasks. ``x -> a else`` is a default flow.
"""

from __future__ import annotations

import re
from itertools import pairwise

from tests.domains.processes.diagrams import HEAD, bpmn

ERRORS = "".join(f'<error id="err{n}" name="E{n}" errorCode="E{n}"/>' for n in (1, 2)) + "".join(
    f'<escalation id="esc{n}" name="C{n}" escalationCode="C{n}"/>' for n in (1, 2)
)
DURATION = "<timerEventDefinition><timeDuration>P1D</timeDuration></timerEventDefinition>"


def trigger(what: str) -> str:
    """Give an event's definition: ``timer``, ``error:1``, ``error``, ``escalation:2``, ``message:r1``, ``terminate``."""
    kind, _, which = what.partition(":")
    if kind == "timer":
        return DURATION
    if kind == "terminate":
        return "<terminateEventDefinition/>"
    if kind == "message":
        return f'<messageEventDefinition messageRef="msg-{which}"/>'
    reference = "err" if kind == "error" else "esc"
    return f"<{kind}EventDefinition" + (f' {kind}Ref="{reference}{which}"/>' if which else "/>")


def boundary(name: str, host: str, what: str, *, interrupting: bool = True) -> str:
    cancel = "" if interrupting else ' cancelActivity="false"'
    return f'<boundaryEvent id="{name}" attachedToRef="{host}"{cancel}>{trigger(what)}</boundaryEvent>'


def throw(name: str, what: str) -> str:
    return f'<intermediateThrowEvent id="{name}">{trigger(what)}</intermediateThrowEvent>'


def end(name: str, what: str) -> str:
    return f'<endEvent id="{name}">{trigger(what)}</endEvent>'


def task(name: str, inside: str) -> str:
    return f'<userTask id="{name}" name="{name}">{inside}</userTask>'


def times(count: str, *, sequential: bool = False, until: str = "") -> str:
    """A repetition by cardinality."""
    more = f"<completionCondition>{until}</completionCondition>" if until else ""
    attributes = ' isSequential="true"' if sequential else ""
    inside = f"<loopCardinality>{count}</loopCardinality>{more}"
    return f"<multiInstanceLoopCharacteristics{attributes}>{inside}</multiInstanceLoopCharacteristics>"


def each(*, sequential: bool = False, output: bool = True) -> str:
    """A repetition over the variable ``items``, in BPMN's own words, that gives ``results``."""
    attributes = ' isSequential="true"' if sequential else ""
    given = (
        '<loopDataOutputRef>results</loopDataOutputRef><outputDataItem id="result" name="result"/>' if output else ""
    )
    first, _, second = given.partition("</loopDataOutputRef>")
    first += "</loopDataOutputRef>" if given else ""
    return (
        f"<multiInstanceLoopCharacteristics{attributes}><loopDataInputRef>items</loopDataInputRef>{first}"
        f'<inputDataItem id="item" name="item"/>{second}</multiInstanceLoopCharacteristics>'
    )


def loop(condition: str, *, before: bool = False, most: int | None = None) -> str:
    attributes = ' testBefore="true"' if before else ""
    attributes += f' loopMaximum="{most}"' if most is not None else ""
    inside = f"<loopCondition>{condition}</loopCondition>" if condition else ""
    return f"<standardLoopCharacteristics{attributes}>{inside}</standardLoopCharacteristics>"


def sub(name: str, flows: str, *more: str, repeated: str = "", event: str = "", interrupting: bool = True) -> str:
    """A sub-process; with ``event`` it is started by that trigger at its start ``s…``."""
    elements, lines = _elements(flows, more)
    if event:
        start = re.findall(r'<startEvent id="(\w+)"/>', elements)[0]
        cancel = "" if interrupting else ' isInterrupting="false"'
        own = f'<startEvent id="{start}"{cancel}>{trigger(event)}</startEvent>'
        elements = elements.replace(f'<startEvent id="{start}"/>', own)
    body = bpmn(elements, lines).decode().splitlines()[2:-2]
    attributes = ' triggeredByEvent="true"' if event else ""
    return f'<subProcess id="{name}" name="{name}"{attributes}>' + "".join(body) + repeated + "</subProcess>"


def diagram(flows: str, *more: str, other: str = "") -> bytes:
    """A file; ``more`` holds elements that are not what their name says, ``other`` further processes."""
    elements, lines = _elements(flows, more)
    messages = sorted(set(re.findall(r'messageRef="msg-(\w+)"', elements + other)))
    head = ERRORS + "".join(f'<message id="msg-{name}" name="{name}"/>' for name in messages)
    content = bpmn(elements, lines, more=head)
    return content.replace(b"</definitions>", other.encode() + b"</definitions>")


def process(code: str, flows: str, *more: str) -> str:
    """A process that others call."""
    elements, lines = _elements(flows, more)
    whole = bpmn(elements, lines, code=code).decode()
    inner = whole.removeprefix(HEAD).removesuffix("</definitions>").strip()
    return inner.replace('isExecutable="true"', 'isExecutable="false"')


def _elements(flows: str, more: tuple[str, ...]) -> tuple[str, str]:
    given = {match.group(1) for one in more if (match := re.match(r'<\w+ id="(\w+)"', one))}
    lines, defaults = [], {}
    for line in re.split(r"[;\n]", flows):
        if not line.strip():
            continue
        way, _, condition = line.partition(" if ")
        names = [name.strip() for name in way.removesuffix(" else").split("->")]
        if way.endswith(" else"):
            defaults[names[0]] = f"{names[0]}-{names[1]}"
        for source, target in pairwise(names):
            lines.append(f"{source} -> {target}" + (f" if {condition}" if condition else ""))
    names = dict.fromkeys(name.strip() for line in lines for name in line.partition(" if ")[0].split("->"))
    drawn = [_element(name, defaults.get(name)) for name in names if name not in given]
    own = [
        one.replace(">", f' default="{defaults[n]}">', 1) if (n := one.split('"')[1]) in defaults else one
        for one in more
    ]
    return "\n".join(drawn + own), "\n".join(lines)


_TAGS = {
    "s": "startEvent",
    "e": "endEvent",
    "z": "endEvent",
    "x": "exclusiveGateway",
    "p": "parallelGateway",
    "o": "inclusiveGateway",
    "v": "eventBasedGateway",
    "m": "intermediateThrowEvent",
    "t": "intermediateCatchEvent",
    "r": "intermediateCatchEvent",
}


def _element(name: str, default: str | None) -> str:
    tag = _TAGS.get(name[0], "userTask")
    inside = {"z": trigger("terminate"), "t": DURATION, "r": trigger(f"message:{name}")}.get(name[0], "")
    more = f' default="{default}"' if default else ""
    if tag == "userTask":
        more += f' name="{name}"'
    return f'<{tag} id="{name}"{more}>{inside}</{tag}>' if inside else f'<{tag} id="{name}"{more}/>'
