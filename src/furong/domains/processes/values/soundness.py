"""Gateways that can wait for ever, tokens that multiply, branches that nothing joins: what the walks of a part have seen."""

from __future__ import annotations

from furong.domains.processes.values.graph import ProcessDefinition
from furong.domains.processes.values.interleaving import Interleaving, order_matters
from furong.domains.processes.values.markings import Walk
from furong.domains.processes.values.parts import Part, drawn
from furong.domains.processes.values.rules import Findings

# Past so many markings a walk stops and says so; a diagram that large is beyond what people read.
MOST_MARKINGS = 20_000


def check_markings(definition: ProcessDefinition, part: Part, findings: Findings) -> None:
    """Find joins that can wait for ever, tokens that multiply, branches that nothing joins, and markings without an end."""
    walk = Walk(definition, part)
    walk.run(MOST_MARKINGS)
    _report_waits(definition, part, walk, findings)
    if walk.multiplied or walk.stuck:
        return
    _report_meetings(definition, part, walk, findings)
    endless = walk.endless() if walk.whole else None
    if endless is None and order_matters(definition, part):
        walk = every = Interleaving(definition, part)
        walk.run(MOST_MARKINGS)
        _report_waits(definition, part, walk, findings)
        endless = walk.endless() if walk.whole and not every.pruned and not walk.stuck else None
    if not walk.whole:
        first = part.first
        line = first.line if first else 1
        findings.add("bpmn.markings_many", line=line, element=part.id or definition.code, most=MOST_MARKINGS)
    if endless is not None:
        findings.add("bpmn.never_ends", line=endless.line, element=drawn(endless.id))


def _report_waits(definition: ProcessDefinition, part: Part, walk: Walk, findings: Findings) -> None:
    for name, missing in walk.stuck.items():
        words = ", ".join(sorted(drawn(one) for one in missing)) or "–"
        findings.add("bpmn.join_never", line=part.nodes[name].line, element=drawn(name), missing=words)
    for place in sorted(walk.multiplied):
        if place[0] in "@^!":
            node = walk.at(place)
            findings.add("bpmn.tokens_multiply", line=node.line, element=drawn(node.id))
        else:
            findings.add("bpmn.tokens_multiply", line=definition.flows[place].line, element=drawn(place))


def _report_meetings(definition: ProcessDefinition, part: Part, walk: Walk, findings: Findings) -> None:
    """Say where branches meet, and not again for everything behind it."""
    doubled = {place for place in walk.doubled if place[0] not in "@^!"}
    twice = {definition.flows[place].source for place in doubled}
    twice |= {walk.at(place).id for place in walk.doubled if place[0] == "@"}
    meeting = [part.nodes[name] for name in twice if len(part.nodes[name].incoming) > 1]
    first = [node for node in meeting if not any(flow.id in doubled for flow in node.incoming)]
    for node in first or meeting:
        findings.add("bpmn.not_synchronised", line=node.line, element=drawn(node.id))
