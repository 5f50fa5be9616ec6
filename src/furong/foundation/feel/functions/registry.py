"""How a built-in function is declared: its FEEL signature beside its Python."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from furong.foundation.feel.values import FeelFunction, FeelRange, Run, YearsMonths, kind
from furong.foundation.feel.wide import WideDate, WideMoment, WideTime

__all__ = ["BUILTINS", "OMITTED", "Builtin", "Null", "Overload", "builtin", "whole"]


OMITTED = object()  # stands for an optional argument that a call by names leaves out


class Null(Exception):  # noqa: N818  becomes a null with a problem
    """Raised by a built-in whose arguments make no sense: its result is null, and the text says why."""


_TYPES: dict[str, tuple[type, ...]] = {
    "number": (Decimal,),
    "string": (str,),
    "boolean": (bool,),
    "date": (date, datetime, WideDate, WideMoment),
    "time": (time, WideTime),
    "duration": (timedelta, YearsMonths),
    "list": (list,),
    "context": (dict,),
    "range": (FeelRange,),
    "function": (FeelFunction,),
    "any": (),
}


@dataclass(frozen=True, slots=True)
class _Parameter:
    name: str
    types: frozenset[type]  # empty: anything, null too
    is_list: bool
    optional: bool
    nullable: bool


@dataclass(frozen=True, slots=True)
class Overload:
    """One signature of a built-in, and the Python that runs it."""

    parameters: tuple[_Parameter, ...]
    required: int
    variadic: (
        str  # "items": the arguments may be the items of the one list; "pack": they are; "tail": the last ones are
    )
    python: Callable[..., object]
    otherwise: Overload | None = None  # another signature that takes as many arguments, of other types

    def positional(self) -> Overload:
        """The same with its one list given as a list, for calls by name."""
        return Overload(self.parameters, self.required, "", self.python) if self.variadic in ("items", "pack") else self

    def call(self, run: Run, arguments: Sequence[object]) -> object:
        """Fit the arguments to the signature (a single item and its list stand for each other) and run it."""
        if self.variadic:
            if self.variadic == "tail":
                fixed = len(self.parameters) - 1
                arguments = (*arguments[:fixed], list(arguments[fixed:]))
            elif self.variadic == "pack" or len(arguments) != 1 or not isinstance(arguments[0], list):
                arguments = (list(arguments),)
        run.spend()
        fitted: list[object] = []
        for parameter, value in zip(self.parameters, arguments, strict=False):
            types = parameter.types
            if type(value) is str or type(value) is list:
                size = len(value)
                if size > 200:
                    run.spend(size // 200)  # whatever is done with it takes as long as it is
            if value is OMITTED:
                value = None
            elif types and type(value) not in types:
                if value is None and parameter.nullable:
                    pass
                elif parameter.is_list and value is not None:
                    value = [value]
                elif isinstance(value, list) and len(value) == 1 and type(value[0]) in types:
                    value = value[0]
                elif self.otherwise is not None:
                    return self.otherwise.call(run, arguments)
                else:
                    raise Null(f"Its {parameter.name} is {kind(value)}.")
            fitted.append(value)
        return self.python(run, *fitted)


@dataclass(frozen=True, slots=True)
class Builtin:
    """A built-in function: all of its signatures. ``pure`` ones with constant arguments run once, when compiled."""

    name: str
    overloads: tuple[Overload, ...]
    pure: bool

    def by_count(self, count: int) -> Overload | None:
        """The signature that takes ``count`` positional arguments."""
        found: Overload | None = None
        for one in reversed(self.overloads):
            if one.required <= count <= len(one.parameters) or (one.variadic and count >= one.required):
                found = one if found is None else replace(one, otherwise=found)
        return found

    def by_names(self, names: Sequence[str]) -> tuple[Overload, tuple[int | None, ...]] | None:
        """The signature with these names, and for each of its parameters the place of its argument."""
        for one in self.overloads:
            own = [parameter.name for parameter in one.parameters]
            # An argument that is not given is null, where its parameter may be null (10.3.2.13.1).
            needed = [parameter.name for parameter in one.parameters[: one.required] if parameter.types]
            if set(names) <= set(own) and all(name in names for name in needed):
                return one, tuple(names.index(name) if name in names else None for name in own)
        return None


BUILTINS: dict[str, Builtin] = {}


def builtin(
    name: str, signature: str = "", *, variadic: str = "", pure: bool = True
) -> Callable[[Callable[..., object]], Callable[..., object]]:
    """Register what it decorates as the FEEL function ``name``.

    ``signature`` is ``parameter: type, other: type?``: a type may be several with ``|``; ``?`` makes a parameter
    optional, ``!`` lets it be null, ``?!`` both. The Python function takes the ``Run`` and then the parameters.
    """
    parameters: list[_Parameter] = []
    for part in filter(None, (one.strip() for one in signature.split(","))):
        parameter, _, wanted = part.partition(":")
        wanted = wanted.strip()
        optional, nullable = "?" in wanted, "!" in wanted
        wanted = wanted.rstrip("?!")
        types = frozenset(found for one in wanted.split("|") for found in _TYPES[one.strip()])
        parameters.append(_Parameter(parameter.strip(), types, wanted == "list", optional, nullable))
    required = sum(not one.optional for one in parameters)

    def register(python: Callable[..., Any]) -> Callable[..., Any]:
        overload = Overload(tuple(parameters), required, variadic, python)
        before = BUILTINS.get(name)
        overloads = (*(before.overloads if before else ()), overload)
        BUILTINS[name] = Builtin(name, overloads, pure)
        return python

    return register


def whole(number: Decimal, what: str, least: int = -(10**9), most: int = 10**9) -> int:
    """Return ``number`` without its fraction, or raise ``Null`` when it is out of range."""
    if not least <= number <= most:
        raise Null(f"Its {what} is out of range.")
    return int(number)
