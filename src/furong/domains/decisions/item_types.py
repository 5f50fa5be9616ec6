"""Item definitions and ``typeRef``: what a value must be, and what becomes of one that is not quite (DMN 1.5, 7.3.2)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime

from furong.domains.decisions.reading import Element, Findings, child, children, name_of, text_of
from furong.foundation.feel import FeelFunction, FeelSyntaxError, compile_expression
from furong.foundation.feel.compiler import Program
from furong.foundation.feel.types import SIMPLE_TYPES, type_check
from furong.foundation.feel.unary import Test

__all__ = ["ItemType", "ItemTypes"]

Check = Callable[[object], bool]
Read = Callable[[object], object]

_FEEL_NAMESPACES = ("http://www.omg.org/spec/FEEL/", "http://www.omg.org/spec/DMN/", "https://www.omg.org/spec/DMN/")
_READERS = {
    "date": "date(x)", "time": "time(x)", "date and time": "date and time(x)", "dateTime": "date and time(x)",
    "days and time duration": "duration(x)", "dayTimeDuration": "duration(x)",
    "years and months duration": "duration(x)", "yearMonthDuration": "duration(x)", "duration": "duration(x)",
}  # fmt: skip
_MOMENTS = frozenset(("date and time", "dateTime"))
_ANY = frozenset(("Any", "Undefined", "<Undefined>", ""))
_MOST_NESTING = 40
_SIGNS = re.compile(r"\W")


def _same(value: object) -> object:
    return value


@dataclass(frozen=True, slots=True)
class ItemType:
    """A type: its check, what its values are called in JSON, and what it is made of."""

    name: str
    fits: Check
    shape: Check  # as ``fits``, whatever values it allows: what ``instance of`` asks (10.3.2.9.1)
    is_list: bool = False
    is_moment: bool = False  # a date given for it means its midnight
    read: Read = _same  # JSON's strings to dates, times and durations
    order: tuple[object, ...] = ()  # the constants among its allowed values, in their order
    is_function: bool = False
    output: ItemType | None = None  # what a function of this type gives

    def coerce(self, value: object) -> tuple[object, bool]:
        """Return the value as this type has it, and whether it fits; null fits every type (10.3.2.9.4)."""
        if value is None or self.fits(value):
            return value, True
        if isinstance(value, list):
            if len(value) == 1 and not self.is_list and self.fits(value[0]):
                return value[0], True
        elif self.is_list and self.fits([value]):
            return [value], True
        elif self.is_moment and type(value) is date:
            moment = datetime(value.year, value.month, value.day, tzinfo=UTC)
            return (moment, True) if self.fits(moment) else (None, False)
        return None, False


class ItemTypes:
    """The item definitions of one file, and by way of ``imported`` those of the files that it imports."""

    def __init__(self, root: Element, findings: Findings, imported: Mapping[str, ItemTypes] | None = None) -> None:
        self.namespace = root.get("namespace", "")
        self._findings = findings
        self._imported = imported or {}
        self._elements: dict[str, Element] = {}
        self._made: dict[str, ItemType | None] = {}
        self._making: set[str] = set()
        self.spellings: set[str] = set()
        for one in children(root, "itemDefinition"):
            name = name_of(one)
            if not name or name in self._elements:
                findings.add(one, "item_name", "The item definition has no name of its own.", "Give it one.")
            self._elements[name] = one
        # Entries of contexts whose names hold signs: a path may name them where no type does.
        for one in root.iter("{*}itemComponent", "{*}variable", "{*}column", "{*}output"):
            if _SIGNS.search(name_of(one)):
                self.spellings.add(name_of(one))
        for types in self._imported.values():
            self.spellings |= types.spellings
        for name in self._elements:
            self.get(name, self._elements[name])

    def get(self, reference: str | None, at: Element) -> ItemType | None:
        """Return the type that ``reference`` names; None for no type or ``Any``. Notes an unknown one."""
        name = " ".join((reference or "").split())
        if name in _ANY:
            return None
        if name in self._made:
            return self._made[name]
        if name in self._elements:
            return self._own(name, at)
        return self._elsewhere(name, at)

    def check(self, name: str) -> Check | None:
        """Return the test of the item definition that ``name`` means in an expression, or None (``instance of``)."""
        found = self._made.get(name)
        for alias, types in self._imported.items():
            if found is None and alias and name.startswith(f"{alias}."):
                found = types._made.get(name[len(alias) + 1 :])
            elif found is None and not alias:
                found = types._made.get(name)
        if found is None:
            return None
        shape = found.shape
        return lambda value: value is not None and shape(value)

    def _own(self, name: str, at: Element) -> ItemType | None:
        if name in self._making:
            self._findings.add(at, "item_cycle", f"The item definition {name!r} contains itself.", "Untie it.")
            return None
        if len(self._making) >= _MOST_NESTING:
            self._findings.add(at, "too_deep", f"Types are nested deeper than {_MOST_NESTING}.", "Flatten them.")
            return None
        self._making.add(name)
        self._made[name] = self._definition(self._elements[name])
        self._making.discard(name)
        return self._made[name]

    def _elsewhere(self, name: str, at: Element) -> ItemType | None:
        """A type of FEEL, or of an imported file: ``prefix.name``, or ``prefix:name`` where XML binds the prefix."""
        prefix, colon, local = name.partition(":")
        if colon and "<" not in prefix:
            bound = at.nsmap.get(prefix, "")
            for alias, types in self._imported.items():
                if types.namespace == bound or alias == prefix:
                    return types.get(local, at)
            if bound.startswith(_FEEL_NAMESPACES) or prefix == "feel":
                name = " ".join(local.split())
        for alias, types in self._imported.items():
            if alias and name.startswith(f"{alias}."):
                return types.get(name[len(alias) + 1 :], at)
            if not alias and name in types._elements:
                return types.get(name, at)
        return self._simple(name, at)

    def _simple(self, name: str, at: Element) -> ItemType | None:
        if name in _ANY:
            return None
        if name == "duration":
            both = type_check("days and time duration"), type_check("years and months duration")
            either = lambda value: both[0](value) or both[1](value)  # noqa: E731  said once, used twice
            return ItemType(name, either, either, read=_reader(name))
        try:
            check = type_check(name)
        except ValueError:
            self._findings.add(at, "type_unknown", f"There is no type {name!r}.", "Define it, or use a FEEL type.")
            return None
        is_list = name == "list" or name.startswith("list<")
        read = _reader(name) if name in SIMPLE_TYPES else _same
        return ItemType(name, check, check, is_list, name in _MOMENTS, read)

    # --- definitions ----------------------------------------------------------------------------------------

    def _definition(self, element: Element, depth: int = 0) -> ItemType:
        name = name_of(element)
        if depth > _MOST_NESTING:
            self._findings.add(element, "too_deep", f"Types are nested deeper than {_MOST_NESTING}.", "Flatten them.")
            return ItemType(name, _anything, _anything)
        made = self._plain(element, name, depth)
        values, constraint = child(element, "allowedValues"), child(element, "typeConstraint")
        if values is not None:
            made = self._allowed(made, values)
        if element.get("isCollection") == "true":
            made = ItemType(
                name, _list_check(made.fits), _list_check(made.shape), True, read=_list_reader(made.read),
                order=made.order,
            )  # fmt: skip
        if constraint is not None:  # of the collection itself, where there is one (DMN 1.5, 7.3.3)
            made = self._allowed(made, constraint)
        return made

    def _plain(self, element: Element, name: str, depth: int) -> ItemType:
        components: dict[str, ItemType | None] = {}
        for one in children(element, "itemComponent"):
            components[name_of(one)] = self._definition(one, depth + 1)
        if components:
            readers = {key: one.read for key, one in components.items() if one is not None}
            fits = _context_check({key: None if one is None else one.fits for key, one in components.items()})
            shape = _context_check({key: None if one is None else one.shape for key, one in components.items()})
            return ItemType(name, fits, shape, read=_context_reader(readers))
        function = child(element, "functionItem")
        if function is not None:
            count = sum(1 for _ in children(function, "parameters"))
            output = self.get(function.get("outputTypeRef"), function)
            fits = _function_check(count)
            return ItemType(name, fits, fits, is_function=True, output=output)
        reference = child(element, "typeRef")
        base = self.get(reference.text, reference) if reference is not None else None
        if base is None:
            return ItemType(name, _anything, _anything)
        return replace(base, name=name)

    def _allowed(self, base: ItemType, element: Element) -> ItemType:
        program = Program(known_names=())
        try:
            test, constants = program.unary_tests(text_of(element))
        except FeelSyntaxError as fault:
            self._findings.add(element, "feel", f"Its allowed values are not FEEL: {fault}", "Mend the expression.")
            return base
        each = base.is_list and element.tag.endswith("allowedValues")
        return replace(base, fits=_allowed_check(base.fits, program, test, each=each), order=constants or ())


def _anything(value: object) -> bool:
    return True


def _allowed_check(inner: Check, program: Program, test: Test, *, each: bool) -> Check:
    def check(value: object) -> bool:
        if not inner(value):
            return False
        env = program.environment({}, None, [])
        return all(test(env, one) is True for one in (value if each and isinstance(value, list) else [value]))

    return check


def _list_check(inner: Check) -> Check:
    return lambda value: isinstance(value, list) and all(one is None or inner(one) for one in value)


def _context_check(components: Mapping[str, Check | None]) -> Check:
    def check(value: object) -> bool:
        if not isinstance(value, dict):
            return False
        for key, component in components.items():
            if key not in value:  # a context conforms when it has every entry (10.3.2.9.2)
                return False
            found = value[key]
            if found is not None and component is not None and not component(found):
                return False
        return True

    return check


def _function_check(count: int) -> Check:
    def check(value: object) -> bool:
        if not isinstance(value, FeelFunction):
            return False
        # Built-ins have several signatures; whether one takes so many arguments shows when it is called.
        return value.variadic or value.name != "function" or len(value.parameters) == count

    return check


def _reader(name: str) -> Read:
    written = _READERS.get(name)
    if written is None:
        return _same
    expression = compile_expression(written, known_names=("x",))

    def read(value: object) -> object:
        if not isinstance(value, str):
            return value
        found = expression.evaluate({"x": value})
        return value if found is None else found

    return read


def _list_reader(inner: Read) -> Read:
    if inner is _same:
        return _same
    return lambda value: [inner(one) for one in value] if isinstance(value, list) else inner(value)


def _context_reader(components: Mapping[str, Read]) -> Read:
    telling = {key: read for key, read in components.items() if read is not _same}
    if not telling:
        return _same

    def read(value: object) -> object:
        if isinstance(value, list):
            return [read(one) for one in value]
        if not isinstance(value, dict):
            return value
        return {key: telling[key](one) if key in telling else one for key, one in value.items()}

    return read
