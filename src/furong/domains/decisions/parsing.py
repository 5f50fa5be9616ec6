"""From XML elements to a compiled model: requirements, their order, and each decision's logic."""

from __future__ import annotations

from dataclasses import dataclass

from furong.domains.decisions.boxed import BoxedCompiler
from furong.domains.decisions.item_types import ItemType, ItemTypes
from furong.domains.decisions.model import Decision, DecisionModel, InputData
from furong.domains.decisions.reading import (
    MODEL_NAMESPACES,
    Element,
    Findings,
    child,
    children,
    line_of,
    read_xml,
    tag,
)
from furong.foundation.feel.compiler import Program

__all__ = ["build_model"]

_IGNORED = frozenset(
    (  # these say nothing that is run, or are checked elsewhere
        *("description", "extensionElements", "itemDefinition", "inputData", "decision", "businessKnowledgeModel"),
        *("knowledgeSource", "textAnnotation", "association", "group", "elementCollection", "performanceIndicator"),
        *("organizationUnit", "decisionService"),
    )
)
_LOGIC = (
    *("literalExpression", "decisionTable", "context", "list", "relation", "invocation", "functionDefinition"),
    *("conditional", "filter", "for", "some", "every"),
)


@dataclass(slots=True)
class _Draft:
    element: Element
    element_id: str
    name: str
    type: ItemType | None
    requires: list[str]
    is_knowledge: bool


def build_model(data: bytes, *, file: str, digest: str, lenient: bool = False) -> DecisionModel:
    """This function will compile the DMN ``data``. Raises ``DecisionRefused`` with every finding."""
    findings = Findings(file, lenient)
    root = read_xml(data, findings)
    for one in children(root):
        if tag(one) == "import":
            findings.add(one, "import", "Imports are not run here.", "Bring what is imported into this file.")
        elif tag(one) not in _IGNORED:
            findings.add(one, "element", f"<{tag(one)}> is not run here.", "Remove it, or express it as a decision.")
    types = ItemTypes(root, findings)
    names: dict[str, str] = {}  # ids to names
    taken: set[str] = set()
    inputs: dict[str, InputData] = {}
    for one in children(root, "inputData"):
        element_id, name = _identify(one, names, taken, findings)
        inputs[name] = InputData(element_id, name, _type_of(one, types), line_of(one))
    drafts: dict[str, _Draft] = {}
    for one in children(root, "decision", "businessKnowledgeModel"):
        element_id, name = _identify(one, names, taken, findings)
        drafts[name] = _Draft(one, element_id, name, _type_of(one, types), [], tag(one) == "businessKnowledgeModel")
    if not any(not draft.is_knowledge for draft in drafts.values()):
        findings.add(root, "no_decision", "The model holds no decision.", "Add one.")
    for draft in drafts.values():
        draft.requires = _requirements(draft, names, drafts, findings)
    order = _order(drafts, findings)
    spellings = types.spellings | set(inputs) | set(drafts)
    decisions: dict[str, Decision] = {}
    for draft in order:
        decision = _compile(draft, types, spellings, findings)
        if decision is not None:
            decisions[draft.name] = decision
    findings.refuse()
    version = MODEL_NAMESPACES[root.nsmap.get(root.prefix) or ""]
    return DecisionModel(root.get("name", ""), file, digest, version, inputs, decisions)


def _identify(element: Element, names: dict[str, str], taken: set[str], findings: Findings) -> tuple[str, str]:
    variable = child(element, "variable")
    name = (variable.get("name") if variable is not None else None) or element.get("name") or ""
    name = " ".join(name.split())
    element_id = element.get("id") or name
    if not name:
        findings.add(element, "name", "The element has no name.", "Give it a name.")
    if name in taken:
        findings.add(element, "name_twice", f"The name {name!r} is taken.", "Give each element a name of its own.")
    if element_id in names:
        findings.add(element, "id_twice", f"The id {element_id!r} is taken.", "Give each element an id of its own.")
    taken.add(name)
    names[element_id] = name
    return element_id, name


def _type_of(element: Element, types: ItemTypes) -> ItemType | None:
    variable = child(element, "variable")
    if variable is None or tag(element) == "businessKnowledgeModel":
        return None
    return types.get(variable.get("typeRef"), variable)


def _requirements(draft: _Draft, names: dict[str, str], drafts: dict[str, _Draft], findings: Findings) -> list[str]:
    required: list[str] = []
    for requirement in children(draft.element, "informationRequirement", "knowledgeRequirement"):
        for one in children(requirement, "requiredInput", "requiredDecision", "requiredKnowledge"):
            href = one.get("href", "")
            name = names.get(href.removeprefix("#"))
            if not href.startswith("#") or name is None:
                message = f"What it requires, {href!r}, is not in this file."
                findings.add(one, "requirement", message, "Point to the id of an element of this file.")
                continue
            wrong_kind = (tag(one) == "requiredKnowledge") is not (name in drafts and drafts[name].is_knowledge)
            if wrong_kind or (tag(one) == "requiredInput") is (name in drafts):
                message = f"{tag(one)} points to an element of another kind."
                findings.add(one, "requirement_kind", message, "Use the requirement that fits the element.")
            if name not in required:
                required.append(name)
    return required


def _order(drafts: dict[str, _Draft], findings: Findings) -> list[_Draft]:
    """Sort each decision after those it requires; a circle is a finding."""
    order: list[_Draft] = []
    state: dict[str, int] = {}  # 1 while on the way, 2 when done
    for start in drafts:
        stack: list[tuple[str, int]] = [(start, 0)]
        while stack:
            name, at = stack.pop()
            if state.get(name) == 2:
                continue
            state[name] = 1
            required = [one for one in drafts[name].requires if one in drafts]
            if at < len(required):
                stack.append((name, at + 1))
                following = required[at]
                if state.get(following) == 1:
                    message = f"The decision requires itself, by way of {following!r}."
                    findings.add(drafts[name].element, "requirement_cycle", message, "Untie the circle.")
                elif following not in state:
                    stack.append((following, 0))
                continue
            state[name] = 2
            order.append(drafts[name])
    return order


def _compile(draft: _Draft, types: ItemTypes, spellings: set[str], findings: Findings) -> Decision | None:
    program = Program(known_names=draft.requires, spellings=spellings)
    boxed = BoxedCompiler(program, types, findings, decision=draft.name)
    logic = child(draft.element, "encapsulatedLogic") if draft.is_knowledge else child(draft.element, *_LOGIC)
    if logic is None:
        fn = boxed._refuse(draft.element, "no_logic", "The decision has no logic.", "Give it a table or an expression.")
        return Decision(
            draft.element_id,
            draft.name,
            draft.type,
            line_of(draft.element),
            tuple(draft.requires),
            program,
            fn,
            draft.is_knowledge,
        )
    fn = boxed.function(logic, ()) if draft.is_knowledge else boxed.compile(logic, ())
    return Decision(
        element_id=draft.element_id,
        name=draft.name,
        type=draft.type,
        line=line_of(draft.element),
        requires=tuple(draft.requires),
        program=program,
        fn=fn,
        is_knowledge=draft.is_knowledge,
    )
