"""Boxed expressions to closures (DMN 1.5, 7.3 and 10.2): each kind of box is a small composition of FEEL's closures."""

from __future__ import annotations

from collections.abc import Sequence

from furong.domains.decisions.item_types import ItemTypes
from furong.domains.decisions.reading import Element, Findings, child, children, line_of, tag, text_of
from furong.domains.decisions.tables import Input, Output, Rule, Table, compile_table
from furong.domains.decisions.values import HitPolicy
from furong.foundation.feel import FeelSyntaxError, loops, operators
from furong.foundation.feel.compiler import Program, Scope
from furong.foundation.feel.operators import Fn, Site
from furong.foundation.feel.types import Check
from furong.foundation.feel.unary import Test

__all__ = ["BoxedCompiler"]

_FEEL_URIS = ("https://www.omg.org/spec/DMN/20", "http://www.omg.org/spec/DMN/20", "feel")
_POLICIES = {
    "UNIQUE": HitPolicy.UNIQUE, "ANY": HitPolicy.ANY, "PRIORITY": HitPolicy.PRIORITY, "FIRST": HitPolicy.FIRST,
    "RULE ORDER": HitPolicy.RULE_ORDER, "OUTPUT ORDER": HitPolicy.OUTPUT_ORDER, "COLLECT": HitPolicy.COLLECT,
}  # fmt: skip
_AGGREGATIONS = {
    "SUM": HitPolicy.COLLECT_SUM, "MIN": HitPolicy.COLLECT_MIN, "MAX": HitPolicy.COLLECT_MAX,
    "COUNT": HitPolicy.COLLECT_COUNT,
}  # fmt: skip
_MOST_NESTING = 20

Scopes = tuple[Scope, ...]


class BoxedCompiler:
    """Compiles the logic of one decision into its program; what cannot be run becomes a finding and a null."""

    def __init__(self, program: Program, types: ItemTypes, findings: Findings, *, decision: str) -> None:
        self.program = program
        self.types = types
        self.findings = findings
        self.decision = decision
        self._depth = 0

    def compile(self, element: Element, scopes: Scopes) -> Fn:
        """Compile any boxed expression."""
        self._depth += 1
        try:
            if self._depth > _MOST_NESTING:
                self.findings.add(element, "too_deep", f"Boxes are nested deeper than {_MOST_NESTING}.", "Split it.")
                return operators.constant(None)
            compilers = {
                "literalExpression": self._literal, "decisionTable": self._table, "context": self._context,
                "list": self._list, "relation": self._relation, "invocation": self._invocation,
                "functionDefinition": self.function, "conditional": self._conditional, "filter": self._filter,
                "for": self._for, "some": self._quantified, "every": self._quantified,
            }  # fmt: skip
            compiler = compilers.get(tag(element))
            if compiler is None:
                return self._refuse(element, "logic", f"<{tag(element)}> is not run here.", "Use a table or FEEL.")
            return compiler(element, scopes)
        finally:
            self._depth -= 1

    # --- plumbing -------------------------------------------------------------------------------------------

    def _refuse(self, element: Element, rule: str, message: str, mend: str) -> Fn:
        finding = self.findings.add(element, rule, message, mend, local=True)
        return _fault(finding.rule, finding.message, finding.line)

    def _site(self, element: Element) -> Site:
        return Site(line_of(element), 1)

    def _text(self, element: Element, scopes: Scopes) -> Fn:
        """Compile the FEEL text of ``element``."""
        text = text_of(element)
        language = element.get("expressionLanguage")
        if language is not None and not language.startswith(_FEEL_URIS) and "FEEL" not in language.upper():
            return self._refuse(element, "language", f"The language {language!r} is not run here.", "Write FEEL.")
        if not text.strip():
            return self._refuse(element, "empty", "The expression is empty.", "Write one; for nothing write null.")
        try:
            return self.program.expression(text, scopes)
        except FeelSyntaxError as fault:
            return self._feel(element, fault)

    def _feel(self, element: Element, fault: FeelSyntaxError) -> Fn:
        mend = "Mend the expression."
        if fault.code == "feel.unknown_name":
            mend = "Mend the name, or add the requirement that brings it."
        inner = child(element, "text")
        at = element if inner is None else inner
        finding = self.findings.add(
            element, "feel", fault.message, mend, line_offset=_offset(element, at) + fault.line - 1, local=True
        )
        return _fault(finding.rule, finding.message, finding.line)

    def _inner(self, element: Element, scopes: Scopes) -> Fn:
        """Compile the one boxed expression inside of ``element``."""
        for one in children(element):
            if tag(one) not in (
                "description",
                "extensionElements",
                "variable",
                "formalParameter",
                "parameter",
                "typeRef",
            ):
                return self.compile(one, scopes)
        return self._refuse(element, "empty", "There is no expression here.", "Write one; for nothing write null.")

    def _part(self, element: Element, name: str, scopes: Scopes) -> Fn:
        part = child(element, name)
        if part is None:
            return self._refuse(element, "empty", f"<{name}> is missing.", "Add it.")
        return self._inner(part, scopes)

    # --- boxes ----------------------------------------------------------------------------------------------

    def _literal(self, element: Element, scopes: Scopes) -> Fn:
        if child(element, "importedValues") is not None:
            return self._refuse(element, "import", "Imported values are not run here.", "Write them in this file.")
        return self._text(element, scopes)

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
            name = " ".join(variable.get("name", "").split())
            if not name or name in scope.names:
                self.findings.add(entry, "entry_name", "The entry has no name of its own.", "Give it one.")
            place = scope.names[name] = self.program.new_place()
            entries.append((name, place, fn))
        made = operators.make_context(tuple(entries))
        return made if result is None else _after(made, result)

    def _list(self, element: Element, scopes: Scopes) -> Fn:
        items = [one for one in children(element) if tag(one) not in ("description", "extensionElements")]
        return operators.make_list(tuple(self.compile(one, scopes) for one in items))

    def _relation(self, element: Element, scopes: Scopes) -> Fn:
        names = [" ".join(one.get("name", "").split()) for one in children(element, "column")]
        rows: list[Fn] = []
        for row in children(element, "row"):
            cells = [one for one in children(row) if tag(one) not in ("description", "extensionElements")]
            if len(cells) != len(names):
                self.findings.add(row, "columns", "The row has not as many cells as there are columns.", "Fill it up.")
                continue
            fns = [self.compile(cell, scopes) for cell in cells]
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
            parameter = child(binding, "parameter")
            names.append(" ".join(parameter.get("name", "").split()) if parameter is not None else "")
            arguments.append(self._inner(binding, scopes))
        called = next((one for one in children(element) if tag(one) not in ("binding", "description")), None)
        if called is None:
            return self._refuse(element, "empty", "The invocation calls nothing.", "Name what it calls.")
        return loops.call_value(self.compile(called, scopes), tuple(arguments), tuple(names), self._site(element))

    def function(self, element: Element, scopes: Scopes) -> Fn:
        """Compile a function definition, also the logic of a business knowledge model."""
        if element.get("kind", "FEEL") != "FEEL":
            return self._refuse(element, "function_kind", "Java and PMML functions are not run here.", "Write FEEL.")
        names: list[str] = []
        checks: list[Check | None] = []
        for parameter in children(element, "formalParameter"):
            names.append(" ".join(parameter.get("name", "").split()))
            found = self.types.get(parameter.get("typeRef"), parameter)
            checks.append(None if found is None else found.fits)
        if len(set(names)) != len(names):
            self.findings.add(element, "parameter_twice", "Two parameters have the same name.", "Rename one.")
        scope = self.program.scope(names)
        body = self._inner(element, (*scopes, scope))
        return loops.make_function(tuple(names), tuple(scope.names[name] for name in names), tuple(checks), body)

    def _conditional(self, element: Element, scopes: Scopes) -> Fn:
        return operators.if_else(
            self._part(element, "if", scopes), self._part(element, "then", scopes), self._part(element, "else", scopes)
        )

    def _filter(self, element: Element, scopes: Scopes) -> Fn:
        scope = self.program.filter_scope()
        source = self._part(element, "in", scopes)
        condition = self._part(element, "match", (*scopes, scope))
        return operators.filtered(source, scope.filter_place, condition, self._site(element))

    def _iterator(self, element: Element, scopes: Scopes) -> tuple[loops.Iterator_, Scope]:
        name = " ".join(element.get("iteratorVariable", "").split())
        if not name:
            self.findings.add(element, "iterator", "The iterator has no variable.", "Set iteratorVariable.")
        source = self._part(element, "in", scopes)
        scope = self.program.scope((name, "partial"))
        return loops.Iterator_(scope.names[name], source, None, self._site(element)), scope

    def _for(self, element: Element, scopes: Scopes) -> Fn:
        iterator, scope = self._iterator(element, scopes)
        body = self._part(element, "return", (*scopes, scope))
        return loops.for_return((iterator,), scope.names["partial"], body)

    def _quantified(self, element: Element, scopes: Scopes) -> Fn:
        iterator, scope = self._iterator(element, scopes)
        body = self._part(element, "satisfies", (*scopes, scope))
        return loops.quantified((iterator,), body, some=tag(element) == "some")

    # --- decision tables ------------------------------------------------------------------------------------

    def _table(self, element: Element, scopes: Scopes) -> Fn:
        policy = self._policy(element)
        inputs = tuple(self._input(one, scopes) for one in children(element, "input"))
        outputs = tuple(self._output(one, scopes) for one in children(element, "output"))
        if not outputs:
            return self._refuse(element, "no_output", "The table has no output.", "Add a column of results.")
        if len(outputs) > 1:
            names = [one.name for one in outputs]
            if "" in names or len(set(names)) != len(names):
                self.findings.add(element, "output_name", "Several outputs need a name each.", "Name every output.")
            if policy in (HitPolicy.COLLECT_SUM, HitPolicy.COLLECT_MIN, HitPolicy.COLLECT_MAX):
                message = "Several outputs are not summed, or ranked as one (8.2.10)."
                self.findings.add(
                    element, "aggregation", message, "Keep one output, or collect without an aggregation."
                )
        if policy in (HitPolicy.PRIORITY, HitPolicy.OUTPUT_ORDER) and not any(one.order for one in outputs):
            message = "Priorities come from the output values, and none are listed."
            self.findings.add(element, "output_values", message, "List the output values from the highest down.")
        rules = tuple(
            self._rule(number, one, scopes, len(inputs), len(outputs))
            for number, one in enumerate(children(element, "rule"), 1)
        )
        table = Table(self.decision, policy, inputs, outputs, rules, line_of(element))
        return compile_table(table)

    def _policy(self, element: Element) -> HitPolicy:
        written, aggregation = element.get("hitPolicy", "UNIQUE"), element.get("aggregation")
        policy = _POLICIES.get(written)
        if policy is None:
            self.findings.add(element, "hit_policy", f"There is no hit policy {written!r}.", "Use one of DMN's seven.")
            return HitPolicy.UNIQUE
        if aggregation is None:
            return policy
        if policy is not HitPolicy.COLLECT or aggregation not in _AGGREGATIONS:
            message = f"The aggregation {aggregation!r} does not go with {written}."
            self.findings.add(element, "aggregation", message, "Use COLLECT with SUM, MIN, MAX or COUNT.")
            return policy
        return _AGGREGATIONS[aggregation]

    def _tests(self, element: Element, scopes: Scopes) -> tuple[Test, tuple[object, ...] | None] | None:
        text = text_of(element)
        if text.strip() in ("", "-"):
            return None
        try:
            return self.program.unary_tests(text, scopes)
        except FeelSyntaxError as fault:
            self._feel(element, fault)
            return None

    def _input(self, element: Element, scopes: Scopes) -> Input:
        expression = child(element, "inputExpression")
        line = line_of(element)
        if expression is None:
            fn = self._refuse(element, "empty", "The input has no expression.", "Write the variable it tests.")
            return Input("", fn, None, None, line)
        label = element.get("label") or " ".join(text_of(expression).split())[:60]
        values = child(element, "inputValues")
        allowed = self._tests(values, scopes) if values is not None else None
        found = self.types.get(expression.get("typeRef"), expression)
        return Input(label, self._text(expression, scopes), found, allowed[0] if allowed else None, line)

    def _output(self, element: Element, scopes: Scopes) -> Output:
        order: tuple[object, ...] = ()
        values = child(element, "outputValues")
        if values is not None:
            tests = self._tests(values, scopes)
            # Only constants have a place in the order; ranges and the like merely allow.
            order = (tests[1] or ()) if tests else ()
        default = child(element, "defaultOutputEntry")
        return Output(
            name=" ".join((element.get("name") or "").split()),
            type=self.types.get(element.get("typeRef"), element),
            order=order,
            default=None if default is None else self._text(default, scopes),
            line=line_of(element),
        )

    def _rule(self, number: int, element: Element, scopes: Scopes, inputs: int, outputs: int) -> Rule:
        conditions = list(children(element, "inputEntry"))
        results = list(children(element, "outputEntry"))
        if len(conditions) != inputs or len(results) != outputs:
            message = f"Rule {number} has {len(conditions)} conditions and {len(results)} results."
            self.findings.add(element, "columns", message, f"The table has {inputs} inputs and {outputs} outputs.")
        tests: Sequence[tuple[Test, tuple[object, ...] | None] | None]
        tests = [self._tests(one, scopes) for one in conditions]
        return Rule(
            number=number,
            rule_id=element.get("id") or "",
            line=line_of(element),
            tests=tuple(None if one is None else one[0] for one in tests),
            first=tests[0][1] if tests and tests[0] is not None else None,
            results=tuple(self._text(one, scopes) for one in results),
        )


def _fault(rule: str, message: str, line: int) -> Fn:
    """What stands for an expression that cannot be run, where the rest of the file may: null, and why."""

    def note(env: operators.Env) -> object:
        operators.run_of(env).problem(rule, message, line)
        return None

    return note


def _after(first: Fn, then: Fn) -> Fn:
    def both(env: operators.Env) -> object:
        first(env)
        return then(env)

    return both


def _offset(outer: Element, inner: Element) -> int:
    """How many lines below ``outer`` the text of ``inner`` begins."""
    return max(0, line_of(inner) - line_of(outer))
