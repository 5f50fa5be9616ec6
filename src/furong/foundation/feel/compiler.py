"""From lark's tree to Python closures: each part of an expression becomes one function of the environment.

The environment is a list. Place 0 holds the ``Run``, place 1 the input value of unary tests, then come the variables
that the expressions name and the places of iterators, parameters and filters. Several expressions (the cells of a
decision table) may share one ``Program`` and so one environment.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from lark import Token, Tree

from furong.foundation.feel import loops, operators, temporal, unary
from furong.foundation.feel.errors import FeelLimitReached, FeelProblem, FeelSyntaxError
from furong.foundation.feel.functions import BUILTINS, Builtin
from furong.foundation.feel.functions.registry import OMITTED
from furong.foundation.feel.operators import INPUT, Env, Fn, Site
from furong.foundation.feel.parser import cost_of, parse, site_of
from furong.foundation.feel.types import Check, Resolve, type_check
from furong.foundation.feel.unary import Test
from furong.foundation.feel.values import FeelFunction, Run, YearsMonths, kind, to_feel

__all__ = ["Compiled", "Program", "Scope"]

_IMMEDIATE = frozenset((str, bool, type(None), date, datetime, time, timedelta, YearsMonths, FeelFunction))
_COMPARISONS = frozenset(("=", "!=", "<", "<=", ">", ">="))
_MISSING = object()


@dataclass(slots=True)
class Scope:
    """Names bound at one place of the text: places of locals, or the place of a filter's item."""

    names: dict[str, int] = field(default_factory=dict)
    filter_place: int = 0


@dataclass(slots=True)
class Compiled:
    """A closure, and what was learnt about it while it was made."""

    fn: Fn
    constant: bool = False
    value: object = None
    place: int = 0  # of the variable, when the expression is nothing else


class Program:
    """Expressions that share one environment. Not for sharing while it is still being added to."""

    def __init__(
        self,
        *,
        known_names: Collection[str] | None = None,
        spellings: Collection[str] = (),
        resolve: Resolve | None = None,
        lenient: bool = False,
    ) -> None:
        """``resolve`` finds types by name; with ``lenient`` an unknown name, function or argument is null at run time.

        The standard has every mistake but one of syntax give null; authors are better served by a refusal.
        """
        self.resolve = resolve
        self.lenient = lenient
        self.known = None if known_names is None else frozenset(known_names)
        self._spellings = frozenset(spellings)  # names of entries that hold spaces or signs, for the lexer alone
        self.roots: dict[str, int] = {}
        self._soft: set[str] = set()  # roots that may also be entries of a filter's items
        self._template: list[object] = [None, None]

    # --- use ------------------------------------------------------------------------------------------------

    def expression(self, text: str, scopes: Sequence[Scope] = ()) -> Fn:
        """Compile an expression into a function of the environment. Raises ``FeelSyntaxError``.

        ``scopes`` are the names bound around it, outermost first (boxed contexts, parameters).
        """
        return self.compiled(text, scopes).fn

    def compiled(self, text: str, scopes: Sequence[Scope] = ()) -> Compiled:
        """Compile an expression and tell whether it is a constant. Raises ``FeelSyntaxError``."""
        return _Compiler(self, scopes).compile(_only(parse(text, known_names=self._words(scopes))))

    def unary_tests(self, text: str, scopes: Sequence[Scope] = ()) -> tuple[Test, tuple[object, ...] | None]:
        """Compile the tests of a cell: a function of environment and value, and the values it waits for if it is
        nothing but a list of constants. Raises ``FeelSyntaxError``.
        """
        return _Compiler(self, scopes).unary(parse(text, known_names=self._words(scopes), unary=True))

    def scope(self, names: Sequence[str] = ()) -> Scope:
        """Make a scope that binds ``names``, each to a place of its own."""
        return Scope({name: self.new_place() for name in names})

    def filter_scope(self) -> Scope:
        """Make the scope of a filter, whose names are first the entries of its item."""
        return Scope(filter_place=self.new_place())

    def _words(self, scopes: Sequence[Scope]) -> frozenset[str]:
        return (self.known or frozenset()) | self._spellings | {name for scope in scopes for name in scope.names}

    def environment(self, context: Mapping[str, object], now: datetime | None, problems: list[FeelProblem]) -> Env:
        """Make the environment of one evaluation from the caller's variables."""
        env = self._template.copy()
        run = env[0] = Run(now, problems)
        for name, place in self.roots.items():
            value = context.get(name, _MISSING)
            if type(value) in _IMMEDIATE:
                env[place] = value
            elif value is _MISSING:
                if name not in self._soft:
                    run.problem("feel.unknown_name", f"There is no variable {name}.")
            else:
                try:
                    env[place] = to_feel(value)
                except TypeError as why:
                    run.problem("feel.type", f"The variable {name} cannot be used: {why}")
        return env

    @property
    def names(self) -> frozenset[str]:
        """The variables that the expressions name."""
        return frozenset(self.roots)

    # --- for the compiler -----------------------------------------------------------------------------------

    def new_place(self) -> int:
        self._template.append(None)
        return len(self._template) - 1

    def root(self, name: str, *, soft: bool) -> int:
        place = self.roots.get(name)
        if place is None:
            place = self.roots[name] = self.new_place()
            if soft:
                self._soft.add(name)
        elif not soft:
            self._soft.discard(name)
        return place


def _only(tree: Tree[Token]) -> Tree[Token]:
    return tree.children[0]  # type: ignore[return-value]


class _Compiler:
    def __init__(self, program: Program, scopes: Sequence[Scope]) -> None:
        self.program = program
        self.scopes: list[Scope] = list(scopes)
        self.asks_input = False

    # --- plumbing -------------------------------------------------------------------------------------------

    def compile(self, tree: Any) -> Compiled:
        method: Callable[[Tree[Token], list[Any]], Compiled] = getattr(self, f"_{tree.data}")
        return method(tree, [one for one in tree.children if not (isinstance(one, Token) and one.type in _NOISE)])

    def _folded(self, fn: Fn, parts: Sequence[Compiled]) -> Compiled:
        """Run ``fn`` now if all its parts are constants and it makes no problem."""
        if not all(part.constant for part in parts):
            return Compiled(fn)
        problems: list[FeelProblem] = []
        try:
            value = fn([Run(None, problems), None])
        except FeelLimitReached:
            return Compiled(fn)
        if problems:
            return Compiled(fn)
        # Lists and contexts are made anew each time, so that no caller holds a part of the compiled expression.
        return Compiled(fn, constant=True, value=value) if isinstance(value, list | dict) else _constant(value)

    def _bind(self, names: Sequence[str]) -> tuple[Scope, list[int]]:
        places = [self.program.new_place() for _ in names]
        return Scope(dict(zip(names, places, strict=True))), places

    # --- leaves ---------------------------------------------------------------------------------------------

    def _literal(self, tree: Tree[Token], parts: list[Any]) -> Compiled:
        token: Token = tree.children[0]  # type: ignore[assignment]
        if token.type == "NUMBER":
            number = Decimal(str(token))
            if len(token) > 50 or not -6000 < number.adjusted() < 6000:
                raise _refuse(token, "The number has too many digits.", "feel.too_large")
            return _constant(number)
        if token.type == "STRING":
            return _constant(str(token))
        if token.type == "AT_STRING":
            found = temporal.at_literal(str(token))
            if found is None:
                raise _refuse(token, "The text after @ is no date, time or duration.")
            return _constant(found)
        return _constant({"TRUE": True, "FALSE": False, "NULL": None}[token.type])

    def _primary(self, tree: Tree[Token], parts: list[Any]) -> Compiled:
        return self.compile(parts[0])

    def _name(self, tree: Tree[Token], parts: list[Any]) -> Compiled:
        token: Token = tree.children[0]  # type: ignore[assignment]
        return self._variable(str(token), token)

    def _variable(self, name: str, token: Token) -> Compiled:
        filters: list[int] = []
        place = 0
        for scope in reversed(self.scopes):
            if scope.filter_place:
                filters.append(scope.filter_place)
            elif name in scope.names:
                place = scope.names[name]
                break
        if not place and name == "?":
            self.asks_input = True
            place = INPUT
        if not place and name == "item" and filters:
            place = filters[0]
        builtin: Builtin | None = None
        if not place:
            known = self.program.known
            builtin = BUILTINS.get(name) if known is None or name not in known else None
            if builtin is None:
                if known is not None and name not in known:
                    if not filters and self.program.lenient:
                        message = f"There is no variable {name!r} here."
                        return Compiled(operators.broken("feel.unknown_name", message, _at(token)))
                    if not filters:
                        raise _refuse(token, f"There is no variable {name!r} here.", "feel.unknown_name")
                else:
                    place = self.program.root(name, soft=bool(filters))
        if builtin is not None and self.program.known is None:
            # Nobody said which variables there are: one by this name goes before the function (10.3.2.11).
            outer: Fn = operators.either_value(self.program.root(name, soft=True), _as_value(builtin))
        elif builtin is not None:
            outer = operators.constant(_as_value(builtin))
        elif place:
            outer = operators.variable(place)
        else:
            outer = operators.constant(None)
        if filters:
            return Compiled(operators.in_items(name, tuple(filters), outer))
        return Compiled(outer, place=place)

    # --- logic ----------------------------------------------------------------------------------------------

    def _disjunction(self, tree: Tree[Token], parts: list[Any]) -> Compiled:
        compiled = [self.compile(part) for part in parts]
        return self._folded(operators.either([part.fn for part in compiled], site_of(tree)), compiled)

    def _conjunction(self, tree: Tree[Token], parts: list[Any]) -> Compiled:
        compiled = [self.compile(part) for part in parts]
        return self._folded(operators.both([part.fn for part in compiled], site_of(tree)), compiled)

    def _comparison(self, tree: Tree[Token], parts: list[Any]) -> Compiled:
        left, sign, right = self.compile(parts[0]), str(parts[1]), self.compile(parts[2])
        if left.constant and not right.constant:
            left, right, sign = right, left, operators.MIRRORED[sign]
        site = site_of(tree)
        if right.constant and not left.constant:
            return Compiled(operators.compare_constant(left.fn, left.place, sign, right.value, site))
        return self._folded(operators.compare_two(left.fn, sign, right.fn, site), (left, right))

    def _between(self, tree: Tree[Token], parts: list[Any]) -> Compiled:
        value, low, high = (self.compile(part) for part in parts if isinstance(part, Tree))
        return self._folded(operators.between(value.fn, low.fn, high.fn, site_of(tree)), (value, low, high))

    def _in_test(self, tree: Tree[Token], parts: list[Any]) -> Compiled:
        value = self.compile(parts[0])
        test, _ = self._test(parts[-1], cell=False)
        return Compiled(unary.in_tests(value.fn, (test,)))

    def _in_tests(self, tree: Tree[Token], parts: list[Any]) -> Compiled:
        value = self.compile(parts[0])
        listed = next(part for part in parts[1:] if isinstance(part, Tree))
        return Compiled(
            unary.in_tests(
                value.fn, tuple(self._test(one, cell=False)[0] for one in listed.children if isinstance(one, Tree))
            )
        )

    def _instance_of(self, tree: Tree[Token], parts: list[Any]) -> Compiled:
        value, check = self.compile(parts[0]), self._type(parts[-1])
        return self._folded(operators.instance_of(value.fn, check), (value,))

    def _type(self, token: Token) -> Check:
        try:
            return type_check(str(token), self.program.resolve)
        except ValueError as why:
            raise _refuse(token, str(why)) from None

    def _if_else(self, tree: Tree[Token], parts: list[Any]) -> Compiled:
        condition, yes, no = (self.compile(part) for part in parts if isinstance(part, Tree))
        return Compiled(operators.if_else(condition.fn, yes.fn, no.fn, site_of(tree)))

    # --- arithmetic -----------------------------------------------------------------------------------------

    def _arithmetic(self, tree: Tree[Token], parts: list[Any]) -> Compiled:
        left, sign, right = self.compile(parts[0]), str(parts[1]), self.compile(parts[2])
        return self._folded(operators.arithmetic(left.fn, sign, right.fn, site_of(tree)), (left, right))

    def _negation(self, tree: Tree[Token], parts: list[Any]) -> Compiled:
        value = self.compile(parts[-1])
        return self._folded(operators.negation(value.fn, site_of(tree)), (value,))

    # --- structures -----------------------------------------------------------------------------------------

    def _list(self, tree: Tree[Token], parts: list[Any]) -> Compiled:
        items = [self.compile(part) for part in parts if isinstance(part, Tree)]
        return self._folded(operators.make_list(tuple(item.fn for item in items)), items)

    def _context(self, tree: Tree[Token], parts: list[Any]) -> Compiled:
        scope = Scope()
        self.scopes.append(scope)
        entries: list[tuple[str, int, Fn]] = []
        for entry in (part for part in parts if isinstance(part, Tree)):
            key, value = str(entry.children[0]), entry.children[1]
            if key in scope.names:
                raise _refuse(entry.children[0], f"The key {key!r} stands twice.")  # type: ignore[arg-type]
            place = self.program.new_place()
            if isinstance(value, Tree) and value.data == "function":
                scope.names[key] = place  # a function may call itself by its name
                fn = self._function(value, value.children, own_place=place).fn
            else:
                fn = self.compile(value).fn
                scope.names[key] = place
            entries.append((key, place, fn))
        self.scopes.pop()
        return Compiled(operators.make_context(tuple(entries)))

    def _range(self, tree: Tree[Token], parts: list[Any]) -> Compiled:
        opener, closer = str(parts[0]), str(parts[-1])
        start, end = (self.compile(part) for part in parts if isinstance(part, Tree))
        fn = operators.make_range(start.fn, end.fn, opener == "[", closer == "]", site_of(tree))
        return self._folded(fn, (start, end))

    def _unary_range(self, tree: Tree[Token], parts: list[Any]) -> Compiled:
        end = self.compile(parts[-1])
        return self._folded(operators.unary_range(str(parts[0]), end.fn, site_of(tree)), (end,))

    def _path(self, tree: Tree[Token], parts: list[Any]) -> Compiled:
        value, name = self.compile(parts[0]), str(parts[-1])
        return Compiled(operators.path(value.fn, name, site_of(tree)))

    def _filter(self, tree: Tree[Token], parts: list[Any]) -> Compiled:
        value = self.compile(parts[0])
        place = self.program.new_place()
        self.scopes.append(Scope(filter_place=place))
        condition = self.compile(parts[2])
        self.scopes.pop()
        site = site_of(tree)
        if condition.constant and isinstance(condition.value, Decimal):
            return Compiled(operators.item_at(value.fn, condition.value, site))
        return Compiled(operators.filtered(value.fn, place, condition.fn, site, cost_of(parts[2])))

    # --- loops ----------------------------------------------------------------------------------------------

    def _iterators(self, parts: list[Any]) -> tuple[tuple[loops.Iterator_, ...], int]:
        """Compile ``x in xs, y in ys``: each sees the ones before; leaves the scopes on the stack and counts them."""
        made: list[loops.Iterator_] = []
        for part in parts:
            name = str(part.children[0])
            sources = [self.compile(one).fn for one in part.children if isinstance(one, Tree)]
            scope, (place,) = self._bind((name,))
            self.scopes.append(scope)
            made.append(loops.Iterator_(place, sources[0], sources[1] if len(sources) > 1 else None, site_of(part)))
        return tuple(made), len(made)

    def _for_return(self, tree: Tree[Token], parts: list[Any]) -> Compiled:
        trees = [part for part in parts if isinstance(part, Tree)]
        iterators, count = self._iterators(trees[:-1])
        partial, (place,) = self._bind(("partial",))
        self.scopes.append(partial)
        body = self.compile(trees[-1]).fn
        del self.scopes[-count - 1 :]
        named = any(one == "partial" for one in trees[-1].scan_values(lambda value: isinstance(value, Token)))
        return Compiled(loops.for_return(iterators, place if named else 0, body, cost_of(trees[-1])))

    def _quantified(self, tree: Tree[Token], parts: list[Any]) -> Compiled:
        trees = [part for part in parts if isinstance(part, Tree)]
        iterators, count = self._iterators(trees[:-1])
        body = self.compile(trees[-1]).fn
        del self.scopes[-count:]
        return Compiled(loops.quantified(iterators, body, some=str(parts[0]) == "some", cost=cost_of(trees[-1])))

    # --- functions ------------------------------------------------------------------------------------------

    def _function(self, tree: Tree[Token], parts: list[Any], own_place: int = 0) -> Compiled:
        trees = [part for part in parts if isinstance(part, Tree)]
        names: list[str] = []
        checks: list[Check | None] = []
        for parameter in trees[:-1]:
            names.append(str(parameter.children[0]))
            written = parameter.children[1] if len(parameter.children) > 1 else None
            checks.append(self._type(written) if isinstance(written, Token) else None)
        if len(set(names)) != len(names):
            raise _refuse(parts[0], "Two parameters have the same name.")
        scope, places = self._bind(names)
        self.scopes.append(scope)
        body = self.compile(trees[-1]).fn
        self.scopes.pop()
        return Compiled(
            loops.make_function(tuple(names), tuple(places), tuple(checks), body, own_place, cost=cost_of(trees[-1]))
        )

    def _callee(self, tree: Tree[Token]) -> tuple[str, Builtin | None, Fn | None]:
        if tree.data != "name":
            return "function", None, self.compile(tree).fn
        token: Token = tree.children[0]  # type: ignore[assignment]
        name = str(token)
        bound = any(name in scope.names for scope in self.scopes)
        known = self.program.known
        if not bound and not (known is not None and name in known):
            builtin = BUILTINS.get(name)
            lenient = self.program.lenient
            if builtin is None and not lenient and not any(scope.filter_place for scope in self.scopes):
                raise _refuse(token, f"There is no function {name!r} in FEEL.", "feel.unknown_function")
            if builtin is not None:
                return name, builtin, None
        return name, None, self._variable(name, token).fn

    def _wrong_call(self, site: Site, message: str) -> Compiled:
        if self.program.lenient:
            return Compiled(operators.broken("feel.arguments", message, site))
        raise FeelSyntaxError(site.line, site.column, message, "feel.arguments")

    def _call(self, tree: Tree[Token], parts: list[Any]) -> Compiled:
        trees = [part for part in parts if isinstance(part, Tree)]
        name, builtin, fn = self._callee(trees[0])
        arguments = [self.compile(part) for part in trees[1:]]
        site = site_of(tree)
        if builtin is None:
            assert fn is not None  # noqa: S101  _callee gives one or the other
            return Compiled(loops.call_value(fn, tuple(one.fn for one in arguments), None, site))
        overload = builtin.by_count(len(arguments))
        if overload is None:
            return self._wrong_call(site, f"{name}() does not take {len(arguments)} arguments.")
        made = loops.call_builtin(name, overload, tuple(one.fn for one in arguments), site)
        return self._folded(made, arguments) if builtin.pure else Compiled(made)

    def _call_named(self, tree: Tree[Token], parts: list[Any]) -> Compiled:
        trees = [part for part in parts if isinstance(part, Tree)]
        name, builtin, fn = self._callee(trees[0])
        names = [str(part.children[0]) for part in trees[1:]]
        arguments = [self.compile(part.children[1]) for part in trees[1:]]
        site = site_of(tree)
        if len(set(names)) != len(names):
            return self._wrong_call(site, f"{name}() is given an argument twice.")
        if builtin is None:
            assert fn is not None  # noqa: S101  _callee gives one or the other
            return Compiled(loops.call_value(fn, tuple(one.fn for one in arguments), tuple(names), site))
        fitting = builtin.by_names(names)
        if fitting is None:
            return self._wrong_call(site, f"{name}() has no such named arguments: {', '.join(names)}.")
        overload, order = fitting
        while len(order) > overload.required and order[-1] is None:
            order = order[:-1]
        nothing = operators.constant(OMITTED)
        ordered = tuple(nothing if at is None else arguments[at].fn for at in order)
        made = loops.call_builtin(name, overload.positional(), ordered, site)
        return self._folded(made, arguments) if builtin.pure else Compiled(made)

    # --- unary tests ----------------------------------------------------------------------------------------

    def unary(self, tree: Tree[Token]) -> tuple[Test, tuple[object, ...] | None]:
        if tree.data == "any_value":
            return unary.anything, None
        listed = next(part for part in tree.children if isinstance(part, Tree))
        made = [self._test(part, cell=True) for part in listed.children if isinstance(part, Tree)]
        all_tests = tuple(test for test, _ in made)
        if tree.data == "not_tests":
            return unary.none_of(all_tests), None
        values = [value for _, value in made]
        constants = tuple(value[0] for value in values if value is not None)
        waits_for = constants if len(constants) == len(values) else None
        return (all_tests[0] if len(all_tests) == 1 else unary.any_of(all_tests)), waits_for

    def _test(self, tree: Tree[Token], *, cell: bool) -> tuple[Test, tuple[object] | None]:
        if tree.data == "compare_test":
            operand = self.compile(tree.children[1])
            return unary.compare_test(str(tree.children[0]), operand.fn, site_of(tree)), None
        before, self.asks_input = self.asks_input, False
        compiled = self.compile(tree)
        asked, self.asks_input = self.asks_input, before or self.asks_input
        if cell and asked:
            return unary.is_true(compiled.fn), None
        if compiled.constant and kind(compiled.value) in ("string", "number", "boolean"):
            return unary.equals_constant(compiled.value), (compiled.value,)
        fn = operators.constant(compiled.value) if compiled.constant else compiled.fn
        return unary.matches_value(fn, cell=cell, is_range=tree.data == "range"), None


_NOISE = frozenset(("COMMA", "LPAR", "RPAR", "LBRACE", "RBRACE", "DOT"))


def _constant(value: object) -> Compiled:
    return Compiled(operators.constant(value), constant=True, value=value)


def _at(token: Token) -> Site:
    return Site(token.line or 1, token.column or 1)


def _refuse(token: Token, message: str, code: str = "feel.syntax") -> FeelSyntaxError:
    return FeelSyntaxError(token.line or 1, token.column or 1, message, code)


def _as_value(builtin: Builtin) -> FeelFunction:
    """A built-in as a value, for ``sort(list, f)`` and the like."""

    def call(run: Run, arguments: Sequence[object]) -> object:
        overload = builtin.by_count(len(arguments))
        if overload is None:
            run.problem("feel.arguments", f"{builtin.name}() does not take {len(arguments)} arguments.")
            return None
        return loops.run_builtin(run, builtin.name, overload, arguments, Site(0, 0))

    first = builtin.overloads[0]
    return FeelFunction(tuple(one.name for one in first.parameters), call, builtin.name, True)  # it counts itself
