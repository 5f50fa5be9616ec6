"""From XML elements to a compiled model: requirements, their order, and each element's logic."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from furong.domains.decisions.boxed import BOXES, BoxedCompiler
from furong.domains.decisions.errors import DecisionFinding
from furong.domains.decisions.item_types import ItemType
from furong.domains.decisions.model import Decision, DecisionModel, InputData, Need, Service
from furong.domains.decisions.reading import MODEL_NAMESPACES, Element, child, children, line_of, name_of, tag
from furong.domains.decisions.units import Resolve, Unit, read_units
from furong.foundation.feel.compiler import Program

__all__ = ["build_model"]

_ELEMENTS = ("inputData", "decision", "businessKnowledgeModel", "decisionService")
_REQUIREMENTS = {
    "requiredInput": ("inputData",), "requiredDecision": ("decision",),
    "requiredKnowledge": ("businessKnowledgeModel", "decisionService"),
}  # fmt: skip
_MOST_ELEMENTS = 10_000
_WORD = re.compile(r"\w+")


@dataclass(slots=True)
class _Draft:
    """An element on its way to be compiled."""

    unit: Unit
    element: Element
    element_id: str
    name: str  # in expressions
    title: str  # as drawn
    key: str
    kind: str
    needs: list[Need] = field(default_factory=list)
    parts: dict[str, list[str]] = field(default_factory=dict)  # of a service: keys by role


def build_model(
    data: bytes, *, file: str, digest: str, lenient: bool = False, resolve: Resolve | None = None
) -> DecisionModel:
    """Compile the DMN ``data``. Raises ``DecisionRefused`` with every finding."""
    units = read_units(data, file=file, lenient=lenient, resolve=resolve)
    main = units[-1]
    drafts: dict[str, _Draft] = {}
    for unit in units:
        _identify(unit, drafts)
    if not any(one.kind == "decision" for one in drafts.values()):
        main.findings.add(main.root, "no_decision", "The model holds no decision.", "Add one.")
    for draft in drafts.values():
        _require(draft, drafts)
    order = _order(drafts)
    main.findings.refuse()
    compiled = _Compiled(units, drafts)
    for draft in order:
        compiled.add(draft)
    main.findings.refuse()
    version = MODEL_NAMESPACES[main.root.nsmap.get(main.root.prefix) or ""]
    return DecisionModel(
        name=main.root.get("name", ""),
        file=file,
        digest=digest,
        version=version,
        inputs={key: one for key, one in compiled.inputs.items() if one.is_own},
        decisions={key: one for key, one in compiled.decisions.items() if one.is_own},
        services={key: one for key, one in compiled.services.items() if one.is_own},
        faults=tuple(main.findings.faults),
        imports={name: unit.namespace for name, unit in main.imports.items()},
        all_inputs=compiled.inputs,
        all_decisions=compiled.decisions,
        all_services=compiled.services,
    )


# --- what there is ------------------------------------------------------------------------------------------------


def _identify(unit: Unit, drafts: dict[str, _Draft]) -> None:
    findings = unit.findings
    for one in children(unit.root, *_ELEMENTS):
        title = name_of(one)
        name = name_of(child(one, "variable")) or title
        element_id = one.get("id") or name
        if not name:
            findings.add(one, "name", "The element has no name.", "Give it a name.")
        if unit.key(name) in drafts:
            findings.add(one, "name_twice", f"The name {name!r} is taken.", "Give each element a name of its own.")
        if element_id in unit.names:
            findings.add(one, "id_twice", f"The id {element_id!r} is taken.", "Give each element an id of its own.")
        unit.names[element_id] = name
        draft = _Draft(unit, one, element_id, name, title or name, unit.key(name), tag(one))
        drafts[draft.key] = draft
        if len(drafts) > _MOST_ELEMENTS:
            findings.add(one, "too_large", f"The model has more than {_MOST_ELEMENTS} elements.", "Split it.")
            findings.refuse()


def _target(unit: Unit, reference: Element, drafts: Mapping[str, _Draft]) -> tuple[Unit, _Draft] | None:
    """The element that an ``href`` names, ``#id`` or ``namespace#id``; notes one that is not there."""
    namespace, sharp, element_id = reference.get("href", "").strip().rpartition("#")
    other = unit.find(namespace) if sharp else None
    name = other.names.get(element_id) if other is not None else None
    if other is None or name is None:
        message = f"What it points to, {reference.get('href', '')!r}, is not in this file."
        mend = "Point to the id of an element of this file, or of one that it imports."
        unit.findings.add(reference, "requirement", message, mend)
        return None
    return other, drafts[other.key(name)]


def _require(draft: _Draft, drafts: Mapping[str, _Draft]) -> None:
    unit = draft.unit
    if draft.kind == "decisionService":
        for role in ("outputDecision", "encapsulatedDecision", "inputDecision", "inputData"):
            found = [_target(unit, one, drafts) for one in children(draft.element, role)]
            draft.parts[role] = [one[1].key for one in found if one is not None]
        if not draft.parts["outputDecision"]:
            unit.findings.add(draft.element, "no_output", "The service has no output decision.", "Name one.")
        return
    for requirement in children(draft.element, "informationRequirement", "knowledgeRequirement"):
        for one in children(requirement, *_REQUIREMENTS):
            found_one = _target(unit, one, drafts)
            if found_one is None:
                continue
            other, target = found_one
            if target.kind not in _REQUIREMENTS[tag(one)]:
                message = f"{tag(one)} points to an element of another kind."
                unit.findings.add(one, "requirement_kind", message, "Use the requirement that fits the element.")
            need = Need(unit.alias(other) or "", target.name, target.key)
            if need not in draft.needs:
                draft.needs.append(need)


# --- in which order -----------------------------------------------------------------------------------------------


def _next(draft: _Draft) -> list[str]:
    if draft.kind == "decisionService":
        return draft.parts["outputDecision"]
    return [need.key for need in draft.needs]


def _order(drafts: Mapping[str, _Draft]) -> list[_Draft]:
    """Sort each element after those it requires; a circle is a finding, unless knowledge models call each other."""
    order: list[_Draft] = []
    state: dict[str, int] = {}  # 1 while on the way, 2 when done
    for start in drafts:
        stack: list[tuple[str, Iterator[str]]] = []
        if start not in state:
            state[start] = 1
            stack.append((start, iter(_next(drafts[start]))))
        while stack:
            key, rest = stack[-1]
            following = next(rest, None)
            if following is None:
                stack.pop()
                state[key] = 2
                order.append(drafts[key])
            elif following not in state:
                state[following] = 1
                stack.append((following, iter(_next(drafts[following]))))
            elif state[following] == 1:
                circle = [one for one, _ in stack]
                circle = circle[circle.index(following) :]
                if any(drafts[one].kind != "businessKnowledgeModel" for one in circle):
                    message = f"The decision requires itself, by way of {drafts[following].name!r}."
                    draft = drafts[key]
                    draft.unit.findings.add(draft.element, "requirement_cycle", message, "Untie the circle.")
    return order


# --- what it does -------------------------------------------------------------------------------------------------


class _Compiled:
    def __init__(self, units: list[Unit], drafts: Mapping[str, _Draft]) -> None:
        self.inputs: dict[str, InputData] = {}
        self.decisions: dict[str, Decision] = {}
        self.services: dict[str, Service] = {}
        self._drafts = drafts
        self._paths = _paths(units[-1])

    def add(self, draft: _Draft) -> None:
        if draft.kind == "inputData":
            self.inputs[draft.key] = InputData(
                draft.element_id, draft.name, _variable_type(draft), line_of(draft.element), draft.key,
                draft.unit.is_main, self._paths.get(draft.unit.namespace, ()) if not draft.unit.is_main else (),
            )  # fmt: skip
        elif draft.kind == "decisionService":
            self.services[draft.key] = self._service(draft)
        else:
            self.decisions[draft.key] = self._decision(draft)

    def _service(self, draft: _Draft) -> Service:
        return Service(
            draft.element_id, draft.name, draft.title, line_of(draft.element), draft.key, draft.unit.is_main,
            tuple(draft.parts["outputDecision"]), tuple(draft.parts["inputDecision"]), tuple(draft.parts["inputData"]),
            _result_type(draft),
        )  # fmt: skip

    def _decision(self, draft: _Draft) -> Decision:
        unit = draft.unit
        is_knowledge = draft.kind == "businessKnowledgeModel"
        known = {need.alias or need.name for need in draft.needs} | ({draft.name} if is_knowledge else set())
        program = Program(
            known_names=known,
            spellings=_spelled(draft),
            resolve=unit.types.check,
            lenient=unit.findings.lenient,
        )
        boxed = BoxedCompiler(program, unit.types, unit.findings, decision=draft.name)
        parameters: tuple[str, ...] = ()
        logic = child(draft.element, "encapsulatedLogic") if is_knowledge else child(draft.element, *sorted(BOXES))
        before = len(unit.findings.faults)
        if logic is None:
            fn = boxed.refuse(draft.element, "no_logic", "It has no logic.", "Give it a table or an expression.")
        elif is_knowledge:
            parameters = tuple(name_of(one) for one in children(logic, "formalParameter"))
            fn = boxed.function(logic, (), _result_type(draft))
        else:
            fn = boxed.compile(logic, ())
        faults: tuple[DecisionFinding, ...] = tuple(unit.findings.faults[before:])
        return Decision(
            draft.element_id, draft.name, None if is_knowledge else _variable_type(draft), line_of(draft.element),
            tuple(need.key for need in draft.needs), program, fn, is_knowledge, draft.title, draft.key,
            unit.is_main, tuple(draft.needs), parameters, faults,
        )  # fmt: skip


def _spelled(draft: _Draft) -> set[str]:
    """The names that hold signs, or come with an import, and that the element's texts may mean.

    The lexer tries each known name at each word, so it is given no more than it can use.
    """
    names = draft.unit.types.spellings | {need.name for need in draft.needs if need.alias}
    if not names:
        return names
    words = set(_WORD.findall(" ".join(str(one) for one in draft.element.itertext())))
    return {name for name in names if (found := _WORD.search(name)) is not None and found[0] in words}


def _variable_type(draft: _Draft) -> ItemType | None:
    variable = child(draft.element, "variable")
    return None if variable is None else draft.unit.types.get(variable.get("typeRef"), variable)


def _result_type(draft: _Draft) -> ItemType | None:
    """What an invocation gives. The variable's type is that of the function; many tools write the result's there."""
    declared = _variable_type(draft)
    if declared is None or declared.is_function:
        return None if declared is None else declared.output
    return None if declared.name.startswith("function") else declared


def _paths(main: Unit) -> dict[str, tuple[tuple[str, ...], ...]]:
    """By which names of imports each file is reached from the main one."""
    found: dict[str, list[tuple[str, ...]]] = {}
    waiting: list[tuple[Unit, tuple[str, ...]]] = [(main, ())]
    while waiting:
        unit, path = waiting.pop()
        for name, other in unit.imports.items():
            paths = found.setdefault(other.namespace, [])
            if len(paths) < 20:
                paths.append((*path, name))
                waiting.append((other, (*path, name)))
    return {namespace: tuple(paths) for namespace, paths in found.items()}
