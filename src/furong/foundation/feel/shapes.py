"""Static types of FEEL: what an expression will give, as far as it can be told before it runs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from furong.foundation.feel.types import SIMPLE_TYPES, type_parts
from furong.foundation.feel.values import FeelFunction, FeelRange, kind

__all__ = ["ANY", "BOOLEAN", "NULL", "NUMBER", "STRING", "FeelType", "parse_type", "together", "type_of"]

Named = Callable[[str], "FeelType | None"]


@dataclass(frozen=True, slots=True)
class FeelType:
    """A type: its kind, the type of its items, its fields or its parameters; what is None is not known.

    ``kind`` is ``any``, ``null``, ``number``, ``string``, ``boolean``, ``date``, ``time``, ``date and time``,
    ``days and time duration``, ``years and months duration``, ``list``, ``range``, ``context`` or ``function``.
    """

    kind: str
    item: FeelType | None = None  # of a list or range
    fields: tuple[tuple[str, FeelType], ...] | None = None  # of a context
    parameters: tuple[FeelType, ...] | None = None  # of a function
    result: FeelType | None = None

    @staticmethod
    def list_of(item: FeelType) -> FeelType:
        """A list of such items."""
        return FeelType("list", item=item)

    @staticmethod
    def range_of(item: FeelType) -> FeelType:
        """A range between such ends."""
        return FeelType("range", item=item)

    @staticmethod
    def context(fields: Mapping[str, FeelType]) -> FeelType:
        """A context with these entries and no others."""
        return FeelType("context", fields=tuple(fields.items()))

    @staticmethod
    def function(parameters: Iterable[FeelType], result: FeelType) -> FeelType:
        """A function of these parameters."""
        return FeelType("function", parameters=tuple(parameters), result=result)

    @property
    def is_open(self) -> bool:
        """Whether nothing is known that could be wrong."""
        return self.kind in ("any", "null")

    def field(self, name: str) -> FeelType | None:
        """The type of an entry; None if the context has none of that name."""
        return dict(self.fields or ()).get(name)

    def names(self) -> set[str]:
        """The names of all entries, however deep."""
        found = {name for name, _ in self.fields or ()}
        for one in (self.item, *(inner for _, inner in self.fields or ())):
            if one is not None:
                found |= one.names()
        return found

    def __str__(self) -> str:
        if self.kind == "any":
            return "Any"
        if self.kind == "null":
            return "Null"
        if self.kind in ("list", "range") and self.item is not None:
            return f"{self.kind}<{self.item}>"
        if self.kind == "context" and self.fields is not None:
            return f"context<{', '.join(f'{name}: {one}' for name, one in self.fields)}>"
        if self.kind == "function" and self.parameters is not None:
            return f"function<{', '.join(map(str, self.parameters))}> -> {self.result or ANY}"
        return self.kind


ANY, NULL = FeelType("any"), FeelType("null")
NUMBER, STRING, BOOLEAN = FeelType("number"), FeelType("string"), FeelType("boolean")
_OTHER_NAMES = {
    "Any": "any", "Null": "null", "dateTime": "date and time", "dayTimeDuration": "days and time duration",
    "yearMonthDuration": "years and months duration",
}  # fmt: skip


def together(types: Iterable[FeelType]) -> FeelType:
    """Return the type of a value that has one of ``types``: theirs if they agree, else ``Any``.

    Null is no type of its own here, for every value may be null.
    """
    found: FeelType | None = None
    for one in types:
        if one.kind == "null":
            continue
        if found is None:
            found = one
        elif found != one:
            if found.kind != one.kind:
                return ANY
            found = _both(found, one)
    return NULL if found is None else found


def _both(one: FeelType, other: FeelType) -> FeelType:
    """Two types of one kind."""
    if one.kind in ("list", "range"):
        if one.item is None or other.item is None:
            return FeelType(one.kind)
        return FeelType(one.kind, item=together((one.item, other.item)))
    if one.kind == "context" and one.fields is not None and other.fields is not None:
        # An entry that only one of them has may be missing, which is null: asking for it is no mistake.
        fields = dict(one.fields)
        for name, inner in other.fields:
            fields[name] = together((fields[name], inner)) if name in fields else inner
        return FeelType.context(fields)
    return FeelType(one.kind)


def type_of(value: object, depth: int = 20) -> FeelType:
    """Return the type of a FEEL value, such as an example of a variable; null may become anything."""
    if value is None or depth <= 0:
        return ANY
    if isinstance(value, list):
        item = together(type_of(one, depth - 1) for one in value)
        return FeelType("list", item=None if item.is_open else item)
    if isinstance(value, dict):
        return FeelType.context({str(key): type_of(one, depth - 1) for key, one in value.items()})
    if isinstance(value, FeelRange):
        return FeelType("range", item=together((type_of(value.start), type_of(value.end))))
    if isinstance(value, FeelFunction):
        return FeelType("function")
    return FeelType(kind(value))


def parse_type(text: str, named: Named | None = None) -> FeelType:
    """Read a type such as ``list<context<a: number>>``; ``named`` finds a model's own types.

    Raises ``ValueError``.
    """
    parts = type_parts(text)
    found, rest = _read(parts, 20, named)
    if rest:
        raise ValueError(f"{text} is no type.")
    return found


def _read(parts: list[str], depth: int, named: Named | None) -> tuple[FeelType, list[str]]:
    if not parts or depth <= 0:
        raise ValueError("A type is missing.")
    name, rest = parts[0], parts[1:]
    own = named(name) if named is not None else None
    if own is not None:
        return own, rest
    if name not in SIMPLE_TYPES:
        raise ValueError(f"FEEL has no type {name!r}.")
    if not rest or rest[0] != "<":
        return FeelType(_OTHER_NAMES.get(name, name)), rest
    inner: list[tuple[str, FeelType]] = []
    rest = rest[1:]
    while rest and rest[0] != ">":
        key = ""
        if len(rest) > 1 and rest[1] == ":":
            key, rest = rest[0], rest[2:]
        one, rest = _read(rest, depth - 1, named)
        inner.append((key, one))
        if rest and rest[0] == ",":
            rest = rest[1:]
    if not rest:
        raise ValueError("> is missing in a type.")
    rest = rest[1:]
    if name in ("list", "range") and len(inner) == 1:
        return FeelType(name, item=inner[0][1]), rest
    if name == "context" and all(key for key, _ in inner):
        return FeelType.context(dict(inner)), rest
    if name == "function":
        result = ANY
        if rest and rest[0] == "->":
            result, rest = _read(rest[1:], depth - 1, named)
        return FeelType.function((one for _, one in inner), result), rest
    raise ValueError(f"{name} takes no such parameters.")
