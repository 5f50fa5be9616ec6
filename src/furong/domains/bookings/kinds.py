"""The room's kind of pack content: ``bookings/CODE.yaml``, a book of times (`values.Book`)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import time
from typing import Any

from furong.domains.bookings.values import Book, Closure, Hours, Stretch
from furong.foundation.packs.values import (
    CODE,
    Day,
    Finding,
    Int,
    Kind,
    ListOf,
    MapOf,
    Pack,
    Parsed,
    RefTo,
    Report,
    Str,
    Texts,
    both,
    optional,
    register_kind,
    required,
    yaml_parse,
)

_CLOCK = Str(pattern=r"([01][0-9]|2[0-3]):[0-5][0-9]")
_STRETCH = MapOf({"opens": required(_CLOCK), "closes": required(_CLOCK)})
_CLOSURE = MapOf({"from": required(Day()), "last": optional(Day()), "reason": required(Texts(max_length=200))})
_OFFICE = MapOf(
    {
        "division": required(Str(pattern=r"[0-9]{6}")),
        "capacity": optional(Int(1, 500)),
        "hours": optional(ListOf(_STRETCH, minimum=1)),
        "closures": optional(ListOf(_CLOSURE), list),
    }
)
_BOOK = MapOf(
    {
        "code": required(CODE),
        "name": required(Texts(max_length=100)),
        "items": required(ListOf(RefTo(pattern=r"[a-z][a-z0-9_]*"), minimum=1, unique="")),
        "slot_minutes": required(Int(5, 480)),
        "capacity": required(Int(1, 500)),
        "days_ahead": optional(Int(1, 180), 20),
        "notice_hours": optional(Int(0, 240), 2),
        "hold_minutes": optional(Int(5, 240), 20),
        "change_until_hours": optional(Int(0, 240), 2),
        "hours": required(ListOf(_STRETCH, minimum=1)),
        "closures": optional(ListOf(_CLOSURE), list),
        "offices": optional(ListOf(_OFFICE, unique="division"), list),
    }
)


def _book(parsed: Parsed, report: Report) -> tuple[Book, tuple[Any, ...]]:
    stretches = _stretches(parsed["hours"], report)
    closures = _closures(parsed["closures"], report)
    offices = {}
    for one in parsed["offices"]:
        offices[str(one["division"])] = Hours(
            stretches=_stretches(one["hours"], report) if one["hours"] else stretches,
            capacity=one["capacity"] or parsed["capacity"],
            closures=(*closures, *_closures(one["closures"], report)),
        )
    book = Book(
        code=parsed["code"],
        name=parsed["name"].as_dict(),
        items=tuple(str(item) for item in parsed["items"]),
        slot_minutes=parsed["slot_minutes"],
        days_ahead=parsed["days_ahead"],
        notice_hours=parsed["notice_hours"],
        hold_minutes=parsed["hold_minutes"],
        change_until_hours=parsed["change_until_hours"],
        hours=Hours(stretches=stretches, capacity=parsed["capacity"], closures=closures),
        offices=offices,
    )
    return book, tuple(parsed["items"])


def _stretches(given: Iterable[Parsed], report: Report) -> tuple[Stretch, ...]:
    found: list[Stretch] = []
    for one in given:
        stretch = Stretch(opens=time.fromisoformat(one["opens"]), closes=time.fromisoformat(one["closes"]))
        if stretch.opens >= stretch.closes or (found and stretch.opens < found[-1].closes):
            report.add(
                one.line,
                "hours",
                "booking.hours",
                both("开放时段的先后不对，或者互相重叠。", "Stretches of hours are out of order or overlap."),
                both("请按先后写，每段先开后关。", "Write them in order, each opening before it closes."),
            )
        found.append(stretch)
    return tuple(found)


def _closures(given: Iterable[Parsed], report: Report) -> tuple[Closure, ...]:
    found = []
    for one in given:
        last = one["last"] or one["from"]
        if last < one["from"]:
            report.add(
                one.line,
                "closures",
                "booking.closure",
                both("停办的最后一天早于第一天。", "A closure ends before it begins."),
                both("请改正日期。", "Correct the days."),
            )
        found.append(Closure(from_on=one["from"], last_on=last, reason=one["reason"].as_dict()))
    return tuple(found)


def _check(pack: Pack) -> Iterable[Finding]:
    items: dict[str, Any] = pack.values("item")
    taken: dict[str, str] = {}
    for code, file in sorted(pack.of("booking").items()):
        report = Report(file.shown, pack.frame.languages)
        for item_code in file.value[1]:
            item = items.get(item_code)
            if item is None:
                report.add(
                    item_code.line,
                    "items",
                    "booking.item_unknown",
                    both(f"没有事项 {item_code}。", f"There is no item {item_code}."),
                    both("请改正事项代码。", "Correct the item's code."),
                )
            elif not item.appointment:
                report.add(
                    item_code.line,
                    "items",
                    "booking.item_without",
                    both(
                        f"事项 {item_code} 没有写明需要预约。",
                        f"The item {item_code} does not say that it wants a time.",
                    ),
                    both("请在事项中写 appointment: true。", "Write appointment: true in the item."),
                )
            if (other := taken.setdefault(str(item_code), code)) != code:
                report.add(
                    item_code.line,
                    "items",
                    "booking.item_twice",
                    both(f"事项 {item_code} 已在 {other} 中。", f"The item {item_code} is in {other} already."),
                    both("一个事项只归一本预约。", "An item belongs to one book."),
                )
        yield from report.findings


register_kind(Kind(name="booking", folder="bookings", parse=yaml_parse(_BOOK, _book), cross_check=_check, order=71))
