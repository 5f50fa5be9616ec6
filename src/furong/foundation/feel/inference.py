"""Checks an expression against the types of its variables before it runs: what the checker of processes asks.

Nothing is reported that could be right: what is not known is ``Any``, and ``Any`` and null go with everything.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from lark import Token, Tree

from furong.foundation.feel import temporal
from furong.foundation.feel.compiler import Program
from furong.foundation.feel.errors import FeelSyntaxError
from furong.foundation.feel.functions import BUILTINS, Builtin, Overload
from furong.foundation.feel.parser import parse, site_of
from furong.foundation.feel.returns import result_of
from furong.foundation.feel.shapes import ANY, BOOLEAN, NULL, NUMBER, STRING, FeelType, Named, parse_type, together
from furong.foundation.feel.types import Check
from furong.foundation.feel.values import FeelFunction, FeelRange, YearsMonths, kind
from furong.foundation.feel.wide import WideDate, WideMoment, WideTime

__all__ = ["Inferred", "TypeFinding", "check_expression", "check_unary_tests", "infer"]


@dataclass(frozen=True, slots=True)
class TypeFinding:
    """A mistake that can be seen before the expression runs.

    ``code`` is one of ``FeelSyntaxError``'s or ``feel.not_boolean``, ``feel.not_comparable``, ``feel.no_operator``,
    ``feel.unknown_entry``, ``feel.no_entries``, ``feel.not_a_function``, ``feel.argument_type``, ``feel.result_type``.
    ``message_id`` is a template for gettext with ``values`` to fill in; ``type`` is what the part at that place gives.
    """

    line: int
    column: int
    code: str
    message_id: str
    values: Mapping[str, str] = field(default_factory=dict)
    type: FeelType = ANY

    @property
    def message(self) -> str:
        """The message in English."""
        return self.message_id % self.values if self.values else self.message_id


@dataclass(frozen=True, slots=True)
class Inferred:
    """What an expression gives, and its mistakes in the order of the text."""

    type: FeelType
    findings: tuple[TypeFinding, ...]


def infer(
    text: str, *, types: Mapping[str, FeelType], named: Named | None = None, expected: FeelType | None = None
) -> Inferred:
    """Tell the type of an expression over variables of ``types`` and what is wrong with it.

    A name that ``types`` does not have is unknown; one of type ``ANY`` may be anything. ``named`` finds types that
    ``instance of`` and parameters name. ``expected`` is what the whole must give, ``BOOLEAN`` for a condition. A text
    that is not FEEL is one finding. Costs about twice what compiling costs.
    """
    return _checked(text, types, named, None, expected)


def check_expression(
    text: str, *, types: Mapping[str, FeelType], named: Named | None = None, expected: FeelType | None = None
) -> list[TypeFinding]:
    """Return the mistakes of an expression, as ``infer`` does; an empty list when there are none."""
    return list(infer(text, types=types, named=named, expected=expected).findings)


def check_unary_tests(
    text: str, *, input_type: FeelType, types: Mapping[str, FeelType], named: Named | None = None
) -> list[TypeFinding]:
    """Return the mistakes of a decision table's cell whose input is of ``input_type``."""
    return list(_checked(text, types, named, input_type, None).findings)


def _checked(
    text: str, types: Mapping[str, FeelType], named: Named | None, cell: FeelType | None, expected: FeelType | None
) -> Inferred:
    known = frozenset(types)
    spellings = {name for one in types.values() for name in one.names()}
    checker = _Checker(types, named, cell)
    try:
        tree = parse(text, known_names=known | spellings, unary=cell is not None)
        if cell is not None:
            checker.cell(tree)
            found = BOOLEAN
        else:
            found = checker.visit(tree.children[0])
            if expected is not None and not _fits(found, expected):
                message = "The expression gives %(found)s, where %(expected)s is wanted."
                values = {"found": str(found), "expected": str(expected)}
                checker.report(tree, "feel.result_type", message, values, found)
        if not checker.findings:
            # What only the compiler refuses, such as two parameters of one name.
            program = Program(known_names=known, spellings=spellings, resolve=_resolver(named))
            if cell is None:
                program.expression(text)
            else:
                program.unary_tests(text)
    except FeelSyntaxError as fault:
        checker.findings.append(TypeFinding(fault.line, fault.column, fault.code, fault.message))
        found = ANY
    return Inferred(found, tuple(sorted(checker.findings, key=lambda one: (one.line, one.column))))


def _resolver(named: Named | None) -> Callable[[str], Check | None]:
    return lambda name: (lambda value: True) if named is not None and named(name) is not None else None


def _fits(found: FeelType, expected: FeelType) -> bool:
    """Whether a value of one type may be of the other, with the conversions of 10.3.2.9.4."""
    if found.is_open or expected.is_open or found.kind == expected.kind:
        return True
    if found.kind == "list":
        return found.item is None or _fits(found.item, expected)
    if expected.kind == "list":
        return expected.item is None or _fits(found, expected.item)
    return found.kind == "date" and expected.kind == "date and time"


_PYTHON: dict[str, frozenset[type]] = {
    "number": frozenset((Decimal,)),
    "string": frozenset((str,)),
    "boolean": frozenset((bool,)),
    "date": frozenset((date, WideDate)),
    "time": frozenset((time, WideTime)),
    "date and time": frozenset((datetime, WideMoment)),
    "days and time duration": frozenset((timedelta,)),
    "years and months duration": frozenset((YearsMonths,)),
    "context": frozenset((dict,)),
    "range": frozenset((FeelRange,)),
    "function": frozenset((FeelFunction,)),
}
_ORDERED = frozenset(_PYTHON) - {"boolean", "context", "range", "function"}
_DAYS, _MONTHS = FeelType("days and time duration"), FeelType("years and months duration")
_DATE, _TIME, _MOMENT = FeelType("date"), FeelType("time"), FeelType("date and time")
_DAY_PARTS = dict.fromkeys(("year", "month", "day", "weekday"), NUMBER)
_CLOCK_PARTS = {**dict.fromkeys(("hour", "minute", "second"), NUMBER), "time offset": _DAYS, "timezone": STRING}
_PROPERTIES: dict[str, dict[str, FeelType]] = {
    "date": {**_DAY_PARTS, **_CLOCK_PARTS},
    "date and time": {**_DAY_PARTS, **_CLOCK_PARTS},
    "time": _CLOCK_PARTS,
    "days and time duration": dict.fromkeys(("days", "hours", "minutes", "seconds"), NUMBER),
    "years and months duration": dict.fromkeys(("years", "months"), NUMBER),
}


def _arithmetic_table() -> dict[tuple[str, str, str], FeelType]:
    table: dict[tuple[str, str, str], FeelType] = {}
    for sign in ("+", "-", "*", "/", "**"):
        table["number", sign, "number"] = NUMBER
    table["string", "+", "string"] = STRING
    for moment in (_DATE, _TIME, _MOMENT):
        for duration in (_DAYS, _MONTHS):
            if moment is not _TIME or duration is _DAYS:
                table[moment.kind, "+", duration.kind] = table[duration.kind, "+", moment.kind] = moment
                table[moment.kind, "-", duration.kind] = moment
        table[moment.kind, "-", moment.kind] = _DAYS
    table["date", "-", "date and time"] = table["date and time", "-", "date"] = _DAYS
    for duration in (_DAYS, _MONTHS):
        table[duration.kind, "+", duration.kind] = table[duration.kind, "-", duration.kind] = duration
        table[duration.kind, "*", "number"] = table["number", "*", duration.kind] = duration
        table[duration.kind, "/", "number"] = duration
        table[duration.kind, "/", duration.kind] = NUMBER
    return table


_ARITHMETIC = _arithmetic_table()


class _Checker:
    def __init__(self, types: Mapping[str, FeelType], named: Named | None, cell: FeelType | None) -> None:
        self.types = types
        self.named = named
        self.input = cell
        self.asks_input = False
        # Names bound around the place, innermost last; a filter's item stands under the key "".
        self.scopes: list[dict[str, FeelType]] = []
        self.findings: list[TypeFinding] = []

    # --- plumbing -------------------------------------------------------------------------------------------

    def report(
        self, at: Tree[Token] | Token, code: str, message_id: str, values: Mapping[str, str], found: FeelType = ANY
    ) -> FeelType:
        line, column = (
            (at.line or 1, at.column or 1) if isinstance(at, Token) else (site_of(at).line, site_of(at).column)
        )
        self.findings.append(TypeFinding(line, column, code, message_id, dict(values), found))
        return ANY

    def visit(self, tree: Any) -> FeelType:
        method: Callable[[Tree[Token]], FeelType] = getattr(self, f"_{tree.data}")
        return method(tree)

    @contextmanager
    def bound(self, names: dict[str, FeelType]) -> Iterator[None]:
        self.scopes.append(names)
        try:
            yield
        finally:
            self.scopes.pop()

    def boolean(self, tree: Tree[Token]) -> None:
        found = self.visit(tree)
        if not found.is_open and found.kind != "boolean" and not _one_of(found, "boolean"):
            message = "A condition is %(found)s, not boolean."
            self.report(tree, "feel.not_boolean", message, {"found": str(found)}, found)

    def type(self, token: Token) -> FeelType:
        try:
            return parse_type(str(token), self.named)
        except ValueError as why:
            raise FeelSyntaxError(token.line or 1, token.column or 1, str(why)) from None

    # --- leaves ---------------------------------------------------------------------------------------------

    def _literal(self, tree: Tree[Token]) -> FeelType:
        token: Token = tree.children[0]  # type: ignore[assignment]
        if token.type == "AT_STRING":
            found = temporal.at_literal(str(token))
            return ANY if found is None else FeelType(kind(found))
        return {"NUMBER": NUMBER, "STRING": STRING, "NULL": NULL}.get(token.type, BOOLEAN)

    def _primary(self, tree: Tree[Token]) -> FeelType:
        return self.visit(next(one for one in tree.children if isinstance(one, Tree)))

    def _name(self, tree: Tree[Token]) -> FeelType:
        token: Token = tree.children[0]  # type: ignore[assignment]
        found = self.look_up(str(token))
        if found is None:
            builtin = BUILTINS.get(str(token))
            if builtin is not None:
                return FeelType("function")
            message = "There is no variable %(name)s here."
            return self.report(token, "feel.unknown_name", message, {"name": str(token)})
        return found

    def look_up(self, name: str) -> FeelType | None:
        """The type of a name; None for one that nobody has. In a filter it may be an entry of the item."""
        for scope in reversed(self.scopes):
            item = scope.get("")
            if item is None:
                if name in scope:
                    return scope[name]
                continue
            if name == "item" and item.field("item") is None:
                return item
            if item.is_open or (item.kind == "context" and item.fields is None):
                return ANY
            entry = item.field(name)
            if entry is not None:
                return entry
        return self._outside(name)

    def _outside(self, name: str) -> FeelType | None:
        if name == "?" and self.input is not None:
            self.asks_input = True
            return self.input
        return self.types.get(name)

    # --- logic ----------------------------------------------------------------------------------------------

    def _disjunction(self, tree: Tree[Token]) -> FeelType:
        for part in _trees(tree):
            self.boolean(part)
        return BOOLEAN

    _conjunction = _disjunction

    def _comparison(self, tree: Tree[Token]) -> FeelType:
        left, right = _trees(tree)
        sign = str(next(one for one in tree.children if isinstance(one, Token)))
        self.compare(tree, sign, self.visit(left), self.visit(right))
        return BOOLEAN

    def compare(self, tree: Tree[Token], sign: str, left: FeelType, right: FeelType) -> None:
        if left.is_open or right.is_open:
            return
        ordered = sign not in ("=", "!=")
        if left.kind != right.kind or (ordered and left.kind not in _ORDERED):
            message = "%(sign)s does not compare %(left)s with %(right)s."
            values = {"sign": sign, "left": str(left), "right": str(right)}
            self.report(tree, "feel.not_comparable", message, values, BOOLEAN)

    def _between(self, tree: Tree[Token]) -> FeelType:
        value, low, high = (self.visit(part) for part in _trees(tree))
        self.compare(tree, ">=", value, low)
        self.compare(tree, "<=", value, high)
        return BOOLEAN

    def _in_test(self, tree: Tree[Token]) -> FeelType:
        value, test = _trees(tree)
        self.test(test, self.visit(value))
        return BOOLEAN

    def _in_tests(self, tree: Tree[Token]) -> FeelType:
        value, tests = _trees(tree)
        found = self.visit(value)
        for test in _trees(tests):
            self.test(test, found)
        return BOOLEAN

    def test(self, tree: Tree[Token], value: FeelType) -> None:
        """Check one test of a value: a comparison, a range, a list, an equal value, or a condition with ``?``."""
        if tree.data == "compare_test":
            sign, operand = str(tree.children[0]), self.visit(tree.children[1])
            self.compare(tree, sign, value, operand)
            return
        self.asks_input = False
        wanted = self.visit(tree)
        if self.asks_input or wanted.is_open or value.is_open:
            return
        if self.input is not None and wanted.kind == "boolean":
            return  # a condition about other variables
        candidates = (wanted, wanted.item or ANY) if wanted.kind in ("list", "range") else (wanted,)
        inner = candidates[-1]
        if inner.kind == "range":
            inner = inner.item or ANY
        if any(one.is_open or one.kind == value.kind for one in (*candidates, inner)):
            return
        message = "%(value)s is never in %(tests)s."
        values = {"value": str(value), "tests": str(wanted)}
        self.report(tree, "feel.not_comparable", message, values, BOOLEAN)

    def _instance_of(self, tree: Tree[Token]) -> FeelType:
        self.visit(tree.children[0])
        self.type(tree.children[-1])  # type: ignore[arg-type]
        return BOOLEAN

    def _if_else(self, tree: Tree[Token]) -> FeelType:
        condition, yes, no = _trees(tree)
        self.boolean(condition)
        return together((self.visit(yes), self.visit(no)))

    # --- arithmetic -----------------------------------------------------------------------------------------

    def _arithmetic(self, tree: Tree[Token]) -> FeelType:
        one, other = _trees(tree)
        sign = str(next(part for part in tree.children if isinstance(part, Token))).replace("–", "-")
        left, right = self.visit(one), self.visit(other)
        if left.is_open or right.is_open:
            kinds = {
                result for (a, s, b), result in _ARITHMETIC.items() if s == sign and a == left.kind and right.is_open
            }
            kinds |= {
                result for (a, s, b), result in _ARITHMETIC.items() if s == sign and b == right.kind and left.is_open
            }
            return together(kinds) if kinds else ANY
        found = _ARITHMETIC.get((left.kind, sign, right.kind))
        if found is None:
            message = "%(sign)s is not defined for %(left)s and %(right)s."
            return self.report(
                tree, "feel.no_operator", message, {"sign": sign, "left": str(left), "right": str(right)}
            )
        return found

    def _negation(self, tree: Tree[Token]) -> FeelType:
        found = self.visit(_trees(tree)[0])
        if not found.is_open and found.kind != "number" and not found.kind.endswith("duration"):
            message = "There is no negative %(found)s."
            return self.report(tree, "feel.no_operator", message, {"found": str(found)})
        return found

    # --- structures -----------------------------------------------------------------------------------------

    def _list(self, tree: Tree[Token]) -> FeelType:
        items = [self.visit(part) for part in _trees(tree)]
        item = together(items)
        return FeelType("list", item=None if item.is_open else item)

    def _context(self, tree: Tree[Token]) -> FeelType:
        fields: dict[str, FeelType] = {}
        with self.bound(fields):
            for entry in _trees(tree):
                key, value = str(entry.children[0]), entry.children[1]
                if isinstance(value, Tree) and value.data == "function":
                    fields[key] = FeelType("function", parameters=(ANY,) * (len(_trees(value)) - 1), result=ANY)
                fields[key] = self.visit(value)
        return FeelType.context(fields)

    def _range(self, tree: Tree[Token]) -> FeelType:
        low, high = (self.visit(part) for part in _trees(tree))
        self.compare(tree, "<=", low, high)
        return FeelType("range", item=together((low, high)))

    def _unary_range(self, tree: Tree[Token]) -> FeelType:
        return FeelType("range", item=self.visit(_trees(tree)[0]))

    def _path(self, tree: Tree[Token]) -> FeelType:
        found, name = self.visit(tree.children[0]), tree.children[-1]
        if found.kind == "list" and found.item is not None:
            inner = self.entry(found.item, name)  # type: ignore[arg-type]
            return FeelType("list", item=None if inner.is_open else inner)
        return self.entry(found, name)  # type: ignore[arg-type]

    def entry(self, found: FeelType, name: Token) -> FeelType:
        if found.is_open or found.kind == "list" or (found.kind == "context" and found.fields is None):
            return ANY
        if found.kind == "context":
            inner = found.field(str(name))
        elif found.kind == "range":
            ends = dict.fromkeys(("start", "end"), found.item or ANY)
            inner = {**ends, **dict.fromkeys(("start included", "end included"), BOOLEAN)}.get(str(name))
        elif found.kind in _PROPERTIES:
            inner = _PROPERTIES[found.kind].get(str(name))
        else:
            message = "%(found)s has no entries, so not %(name)s either."
            return self.report(name, "feel.no_entries", message, {"found": str(found), "name": str(name)})
        if inner is None:
            message = "%(found)s has no entry %(name)s."
            return self.report(name, "feel.unknown_entry", message, {"found": str(found), "name": str(name)})
        return inner

    def _filter(self, tree: Tree[Token]) -> FeelType:
        value, condition = _trees(tree)
        found = self.visit(value)
        item = (found.item or ANY) if found.kind == "list" else found
        with self.bound({"": item}):
            holds = self.visit(condition)
        if holds.kind == "number":
            return item
        if holds.kind == "boolean":
            return FeelType("list", item=None if item.is_open else item)
        if not holds.is_open:
            message = "A condition is %(found)s, not boolean."
            self.report(condition, "feel.not_boolean", message, {"found": str(holds)}, holds)
        return ANY

    # --- loops ----------------------------------------------------------------------------------------------

    def iterators(self, tree: Tree[Token]) -> tuple[dict[str, FeelType], Tree[Token]]:
        """Check ``x in xs, y in ys``; leaves their scope on the stack, and returns it and what comes behind."""
        *iterators, body = _trees(tree)
        scope: dict[str, FeelType] = {}
        for one in iterators:
            ends = [self.visit(source) for source in _trees(one)] if not scope else self.inside(scope, _trees(one))
            if len(ends) == 2:
                self.compare(one, "<=", ends[0], ends[1])
                item = together(ends)
            elif ends[0].kind in ("list", "range"):
                item = ends[0].item or ANY
            else:
                item = ends[0]
            scope[str(one.children[0])] = ANY if item.is_open else item
        return scope, body

    def inside(self, scope: dict[str, FeelType], trees: Sequence[Tree[Token]]) -> list[FeelType]:
        with self.bound(scope):
            return [self.visit(tree) for tree in trees]

    def _for_return(self, tree: Tree[Token]) -> FeelType:
        scope, body = self.iterators(tree)
        with self.bound({**scope, "partial": FeelType("list")}):
            found = self.visit(body)
        return FeelType("list", item=None if found.is_open else found)

    def _quantified(self, tree: Tree[Token]) -> FeelType:
        scope, body = self.iterators(tree)
        with self.bound(scope):
            self.boolean(body)
        return BOOLEAN

    # --- functions ------------------------------------------------------------------------------------------

    def _function(self, tree: Tree[Token]) -> FeelType:
        *parameters, body = _trees(tree)
        scope: dict[str, FeelType] = {}
        for one in parameters:
            written = one.children[1] if len(one.children) > 1 else None
            scope[str(one.children[0])] = self.type(written) if isinstance(written, Token) else ANY
        with self.bound(scope):
            result = self.visit(body)
        return FeelType.function(scope.values(), result)

    def _call(self, tree: Tree[Token]) -> FeelType:
        called, *rest = _trees(tree)
        arguments = [self.visit(one) for one in rest]
        name = str(called.children[0]) if called.data == "name" else ""
        if name and self.look_up(name) is None:
            builtin = BUILTINS.get(name)
            if builtin is None:
                return self.report(called, "feel.unknown_function", "There is no function %(name)s.", {"name": name})
            overload = builtin.by_count(len(arguments))
            if overload is None:
                return self._wrong_count(tree, name, len(arguments))
            self.arguments(builtin, overload, rest, arguments)
            return result_of(name, arguments)
        found = self.visit(called)
        if found.is_open:
            return ANY
        if found.kind != "function":
            message = "%(found)s is called, but is no function."
            return self.report(called, "feel.not_a_function", message, {"found": str(found)})
        if found.parameters is not None:
            if len(found.parameters) != len(arguments):
                return self._wrong_count(tree, name or "function", len(arguments))
            for at, wanted, given in zip(rest, found.parameters, arguments, strict=True):
                if not _fits(given, wanted):
                    self._wrong_type(at, name or "function", given)
        return found.result or ANY

    def _wrong_count(self, tree: Tree[Token], name: str, count: int) -> FeelType:
        message = "%(name)s() does not take %(count)s arguments."
        return self.report(tree, "feel.arguments", message, {"name": name, "count": str(count)})

    def _wrong_type(self, tree: Tree[Token], name: str, given: FeelType) -> None:
        message = "%(name)s() does not take %(given)s here."
        self.report(tree, "feel.argument_type", message, {"name": name, "given": str(given)}, given)

    def arguments(
        self, builtin: Builtin, overload: Overload, trees: Sequence[Tree[Token]], given: Sequence[FeelType]
    ) -> None:
        """Check positional arguments where each has a parameter of its own."""
        if overload.variadic in ("items", "pack"):
            return
        overloads = [overload]
        while overloads[-1].otherwise is not None:
            overloads.append(overloads[-1].otherwise)
        for at, (tree, one) in enumerate(zip(trees, given, strict=True)):
            if not any(_takes(each, at, one) for each in overloads):
                self._wrong_type(tree, builtin.name, one)

    def _call_named(self, tree: Tree[Token]) -> FeelType:
        called, *rest = _trees(tree)
        arguments = {str(one.children[0]): self.visit(one.children[1]) for one in rest}
        name = str(called.children[0]) if called.data == "name" else ""
        if not name or self.look_up(name) is not None:
            found = self.visit(called)
            return found.result or ANY
        builtin = BUILTINS.get(name)
        if builtin is None:
            return self.report(called, "feel.unknown_function", "There is no function %(name)s.", {"name": name})
        fitting = builtin.by_names(list(arguments))
        if fitting is None:
            message = "%(name)s() has no arguments of these names: %(names)s."
            return self.report(tree, "feel.arguments", message, {"name": name, "names": ", ".join(arguments)})
        _, order = fitting
        values = list(arguments.values())
        return result_of(name, [ANY if at is None else values[at] for at in order])

    # --- cells ----------------------------------------------------------------------------------------------

    def cell(self, tree: Tree[Token]) -> None:
        """Check the unary tests of a cell."""
        if tree.data == "any_value":
            return
        for test in _trees(next(part for part in tree.children if isinstance(part, Tree))):
            self.test(test, self.input or ANY)


def _trees(tree: Tree[Token]) -> list[Tree[Token]]:
    return [one for one in tree.children if isinstance(one, Tree)]


def _one_of(found: FeelType, kind_: str) -> bool:
    """Whether a list may stand for its one item of this kind."""
    return found.kind == "list" and (found.item is None or found.item.kind in (kind_, "any"))


def _takes(overload: Overload, at: int, given: FeelType) -> bool:
    """Whether the parameter ``at`` takes such a value, with the conversions of 10.3.2.9.4."""
    if overload.variadic == "tail":
        at = min(at, len(overload.parameters) - 1)
        if at == len(overload.parameters) - 1:
            return True
    if at >= len(overload.parameters):
        return False
    parameter = overload.parameters[at]
    if given.is_open or not parameter.types or parameter.is_list:
        return True
    if given.kind == "list":
        return list in parameter.types or given.item is None or _takes(overload, at, given.item)
    return bool(_PYTHON.get(given.kind, parameter.types) & parameter.types)
