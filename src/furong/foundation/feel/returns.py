"""What each built-in function gives, for checks before anything runs."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from furong.foundation.feel.shapes import ANY, BOOLEAN, NUMBER, STRING, FeelType, together

__all__ = ["result_of"]

_DATE, _TIME, _MOMENT = FeelType("date"), FeelType("time"), FeelType("date and time")
_MONTHS = FeelType("years and months duration")
Result = FeelType | Callable[[Sequence[FeelType]], FeelType]


def _items(types: Sequence[FeelType]) -> FeelType:
    """What the items are, given as one list or one by one."""
    if len(types) == 1 and types[0].kind == "list":
        return types[0].item or ANY
    return together(types)


def _first(types: Sequence[FeelType]) -> FeelType:
    return _listed(types[0]) if types else ANY


def _listed(one: FeelType) -> FeelType:
    """A list stays one, anything else counts as the list of itself."""
    return one if one.kind == "list" else FeelType("list", item=None if one.is_open else one)


def _with(types: Sequence[FeelType], more: Sequence[FeelType]) -> FeelType:
    if not types:
        return FeelType("list")
    item = _listed(types[0]).item
    return FeelType("list", item=None if item is None else together((item, *more)))


def _joined(types: Sequence[FeelType]) -> FeelType:
    items = [_listed(one).item for one in types]
    known = [one for one in items if one is not None]
    return FeelType("list", item=together(known) if len(known) == len(items) and known else None)


def _duration(types: Sequence[FeelType]) -> FeelType:
    return types[0] if types and types[0].kind.endswith("duration") else ANY


def _same_or(types: Sequence[FeelType]) -> FeelType:
    return types[0] if types and not types[0].kind.startswith("list") else ANY


_ENTRIES = FeelType.list_of(FeelType.context({"key": STRING, "value": ANY}))
_RESULTS: dict[str, Result] = {
    "date": _DATE,
    "time": _TIME,
    "date and time": _MOMENT,
    "years and months duration": _MONTHS,
    "duration": _duration,
    "range": FeelType("range"),
    "abs": _same_or,
    "min": _items,
    "max": _items,
    "sum": _items,
    "mean": _items,
    "mode": FeelType.list_of(NUMBER),
    "split": FeelType.list_of(STRING),
    "index of": FeelType.list_of(NUMBER),
    "get entries": _ENTRIES,
    "get value": ANY,
    "context": FeelType("context"),
    "context put": FeelType("context"),
    "context merge": FeelType("context"),
    "sublist": _first,
    "remove": _first,
    "reverse": _first,
    "distinct values": _first,
    "duplicate values": _first,
    "sort": _first,
    "append": lambda types: _with(types, types[1:]),
    "insert before": lambda types: _with(types, types[2:]),
    "list replace": lambda types: _with(types, types[2:]),
    "concatenate": _joined,
    "union": _joined,
    "flatten": FeelType("list"),
    "now": _MOMENT,
    "today": _DATE,
}
for _names, _result in (
    (
        "number,count,product,median,stddev,decimal,floor,ceiling,round up,round down,round half up,round half down,"
        "modulo,sqrt,log,exp,string length,day of year,week of year,last day of month",
        NUMBER,
    ),
    (
        "string,substring,upper case,lower case,substring before,substring after,replace,string join,day of week,"
        "month of year",
        STRING,
    ),
    (
        "not,is,contains,starts with,ends with,matches,list contains,all,any,odd,even,before,after,meets,met by,"
        "overlaps,overlaps before,overlaps after,finishes,finished by,includes,during,starts,started by,coincides",
        BOOLEAN,
    ),
):
    _RESULTS |= dict.fromkeys(_names.split(","), _result)


def result_of(name: str, arguments: Sequence[FeelType]) -> FeelType:
    """Return the type that the built-in ``name`` gives for arguments of these types."""
    found = _RESULTS.get(name, ANY)
    return found if isinstance(found, FeelType) else found(arguments)
