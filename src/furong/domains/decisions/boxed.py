"""Boxed expressions to closures (DMN 1.5, 7.3 and 10.2): each kind of box is a small composition of FEEL's closures."""

from __future__ import annotations

from furong.domains.decisions.closures import (
    after,
    coerced,
    conditional,
    fault,
    only_booleans,
    typed_function,
    whole_or_null,
)
from furong.domains.decisions.item_types import ItemType, ItemTypes
from furong.domains.decisions.reading import Element, Findings, child, children, line_of, name_of, tag, text_of
from furong.domains.decisions.tabling import compile_decision_table
from furong.foundation.feel import FeelSyntaxError, loops, operators
from furong.foundation.feel.compiler import Program, Scope
from furong.foundation.feel.operators import Fn
from furong.foundation.feel.parser import Site
from furong.foundation.feel.unary import Test

__all__ = ["BOXES", "BoxedCompiler"]

_FEEL_URIS = ("https://www.omg.org/spec/DMN/20", "http://www.omg.org/spec/DMN/20", "http://www.omg.org/spec/FEEL/")
BOXES = frozenset(
    (
        *("literalExpression", "decisionTable", "context", "list", "relation", "invocation", "functionDefinition"),
        *("conditional", "filter", "for", "some", "every"),
    )
)
_ASIDE = frozenset(("description", "extensionElements", "variable", "formalParameter", "parameter", "typeRef"))
_MOST_NESTING = 20

Scopes = tuple[Scope, ...]
Tests = tuple[Test, "tuple[object, ...] | None"]


class BoxedCompiler:
    """Compiles the logic of one decision into its program; what cannot be run becomes a finding and a null."""

    def __init__(self, program: Program, types: ItemTypes, findings: Findings, *, decision: str) -> None:
        self.program = program
        self.types = types
        self.findings = findings
        self.decision = decision
        self._depth = 0

    def compile(self, element: Element, scopes: Scopes) -> Fn:
        """Compile any boxed expression; its result has the type that its ``typeRef`` names."""
        self._depth += 1
        try:
            if self._depth > _MOST_NESTING:
                return self.refuse(element, "too_deep", f"Boxes are nested deeper than {_MOST_NESTING}.", "Split it.")
            kind = tag(element)
            if kind == "functionDefinition":
                return self.function(element, scopes)
            if kind == "decisionTable":
                fn = compile_decision_table(self, element, scopes)
            else:
                compilers = {
                    "literalExpression": self.text, "context": self._context, "list": self._list,
                    "relation": self._relation, "invocation": self._invocation, "conditional": self._conditional,
                    "filter": self._filter, "for": self._for, "some": self._quantified, "every": self._quantified,
                }  # fmt: skip
                compiler = compilers.get(kind)
                if compiler is None:
                    return self.refuse(element, "logic", f"<{kind}> is not run here.", "Use a table or FEEL.")
                fn = compiler(element, scopes)
            return coerced(fn, self.type_of(element), line_of(element))
        finally:
            self._depth -= 1

    # --- plumbing -------------------------------------------------------------------------------------------

    def type_of(self, element: Element | None) -> ItemType | None:
        """The type that the element's ``typeRef`` names."""
        return None if element is None else self.types.get(element.get("typeRef"), element)

    def refuse(self, element: Element, rule: str, message: str, mend: str) -> Fn:
        """Note what cannot be run; where the rest of the file may run, it stands for a null with this error."""
        finding = self.findings.add(element, rule, message, mend, local=True)
        return fault(finding.rule, finding.message, finding.line)

    def text(self, element: Element, scopes: Scopes) -> Fn:
        """Compile the FEEL text of ``element``."""
        if child(element, "importedValues") is not None:
            return self.refuse(element, "import", "Imported values are not run here.", "Write them in this file.")
        text = text_of(element)
        language = element.get("expressionLanguage")
        if language is not None and not language.startswith(_FEEL_URIS) and "FEEL" not in language.upper():
            return self.refuse(element, "language", f"The language {language!r} is not run here.", "Write FEEL.")
        if not text.strip():
            return self.refuse(element, "empty", "The expression is empty.", "Write one; for nothing write null.")
        try:
            return self.program.expression(text, scopes)
        except FeelSyntaxError as wrong:
            return self.feel(element, wrong)

    def tests(self, element: Element, scopes: Scopes) -> Tests | None:
        """Compile unary tests, equal ones once; None where anything passes."""
        text = text_of(element).strip()
        if text in ("", "-"):
            return None
        try:
            return self.program.unary_tests(text_of(element), scopes)
        except FeelSyntaxError as wrong:
            refused = self.feel(element, wrong)
            return (lambda env, value: bool(refused(env))), None

    def feel(self, element: Element, wrong: FeelSyntaxError) -> Fn:
        """Note a text that is no FEEL."""
        mend = "Mend the expression."
        if wrong.code == "feel.unknown_name":
            mend = "Mend the name, or add the requirement that brings it."
        inner = child(element, "text")
        at = element if inner is None else inner
        finding = self.findings.add(
            element, "feel", wrong.message, mend, line_offset=_offset(element, at) + wrong.line - 1, local=True
        )
        return fault(finding.rule, finding.message, finding.line)

    def site(self, element: Element) -> Site:
        """Where the element stands, for notes."""
        return Site(line_of(element), 1)

    def _inner(self, element: Element, scopes: Scopes) -> Fn:
        """Compile the one boxed expression inside of ``element``."""
        for one in children(element):
            if tag(one) not in _ASIDE:
                return self.compile(one, scopes)
        return self.refuse(element, "empty", "There is no expression here.", "Write one; for nothing write null.")

    def _part(self, element: Element, name: str, scopes: Scopes) -> Fn:
        part = child(element, name)
        if part is None:
            return self.refuse(element, "empty", f"<{name}> is missing.", "Add it.")
        return self._inner(part, scopes)

    # --- boxes ----------------------------------------------------------------------------------------------

    def _context(self, element: Element, scopes: Scopes) -> Fn:
        scope = self.program.scope()
        inner = (*scopes, scope)
        entries: list[tuple[str, int, Fn]] = []
        result: Fn | None = None
        for entry in children(element, "contextEntry"):
            variable = child(entry, "variable")
            fn = self._inner(entry, inner)
            if variable is None:
                result = fn
                continue
            name = name_of(variable)
            if not name or name in scope.names:
                self.findings.add(entry, "entry_name", "The entry has no name of its own.", "Give it one.")
            place = scope.names[name] = self.program.new_place()
            entries.append((name, place, coerced(fn, self.type_of(variable), line_of(variable))))
        made = operators.make_context(tuple(entries))
        return made if result is None else after(made, result)

    def _list(self, element: Element, scopes: Scopes) -> Fn:
        items = [one for one in children(element) if tag(one) not in _ASIDE]
        return operators.make_list(tuple(self.compile(one, scopes) for one in items))

    def _relation(self, element: Element, scopes: Scopes) -> Fn:
        columns = list(children(element, "column"))
        names = [name_of(one) for one in columns]
        types = [self.type_of(one) for one in columns]
        rows: list[Fn] = []
        for row in children(element, "row"):
            cells = [one for one in children(row) if tag(one) not in _ASIDE]
            if len(cells) != len(names):
                self.findings.add(row, "columns", "The row has not as many cells as there are columns.", "Fill it up.")
                continue
            fns = [
                coerced(self.compile(cell, scopes), wanted, line_of(cell))
                for cell, wanted in zip(cells, types, strict=True)
            ]
            rows.append(
                operators.make_context(
                    tuple((name, self.program.new_place(), fn) for name, fn in zip(names, fns, strict=True))
                )
            )
        return operators.make_list(tuple(rows))

    def _invocation(self, element: Element, scopes: Scopes) -> Fn:
        names: list[str] = []
        arguments: list[Fn] = []
        for binding in children(element, "binding"):
            names.append(name_of(child(binding, "parameter")))
            # A parameter without an expression is given null (DMN 1.5, table 40).
            given = any(tag(one) not in _ASIDE for one in children(binding))
            arguments.append(self._inner(binding, scopes) if given else operators.constant(None))
        called = next((one for one in children(element) if tag(one) not in (*_ASIDE, "binding")), None)
        if called is None:
            return self.refuse(element, "empty", "The invocation calls nothing.", "Name what it calls.")
        return loops.call_value(self.compile(called, scopes), tuple(arguments), tuple(names), self.site(element))

    def function(self, element: Element, scopes: Scopes, output: ItemType | None = None) -> Fn:
        """Compile a function definition, also the logic of a business knowledge model."""
        kind = element.get("kind", "FEEL")
        if kind != "FEEL":
            message, mend = f"{kind} functions are not run here.", "Write the function in FEEL."
            return self.refuse(element, "function_kind", message, mend)
        parameters = list(children(element, "formalParameter"))
        names = tuple(name_of(one) for one in parameters)
        if len(set(names)) != len(names):
            self.findings.add(element, "parameter_twice", "Two parameters have the same name.", "Rename one.")
        scope = self.program.scope(names)
        body = coerced(self._inner(element, (*scopes, scope)), output, line_of(element))
        places = tuple(scope.names[name] for name in names)
        return typed_function(names, places, tuple(self.type_of(one) for one in parameters), body, line_of(element))

    def _conditional(self, element: Element, scopes: Scopes) -> Fn:
        condition, yes, no = (self._part(element, name, scopes) for name in ("if", "then", "else"))
        return conditional(condition, yes, no, self.site(element))

    def _filter(self, element: Element, scopes: Scopes) -> Fn:
        scope = self.program.filter_scope()
        source = self._part(element, "in", scopes)
        condition = only_booleans(self._part(element, "match", (*scopes, scope)))
        site = self.site(element)
        return whole_or_null(operators.filtered(source, scope.filter_place, condition, site), site)

    def _iterator(self, element: Element, scopes: Scopes) -> tuple[loops.Iterator_, Scope]:
        name = " ".join((element.get("iteratorVariable") or "").split())
        if not name:
            self.findings.add(element, "iterator", "The iterator has no variable.", "Set iteratorVariable.")
        source = self._part(element, "in", scopes)
        scope = self.program.scope((name, "partial"))
        return loops.Iterator_(scope.names[name], source, None, self.site(element)), scope

    def _for(self, element: Element, scopes: Scopes) -> Fn:
        iterator, scope = self._iterator(element, scopes)
        body = self._part(element, "return", (*scopes, scope))
        return loops.for_return((iterator,), scope.names["partial"], body)

    def _quantified(self, element: Element, scopes: Scopes) -> Fn:
        iterator, scope = self._iterator(element, scopes)
        body = only_booleans(self._part(element, "satisfies", (*scopes, scope)))
        return whole_or_null(loops.quantified((iterator,), body, some=tag(element) == "some"), self.site(element))


def _offset(outer: Element, inner: Element) -> int:
    """How many lines below ``outer`` the text of ``inner`` begins."""
    return max(0, line_of(inner) - line_of(outer))
