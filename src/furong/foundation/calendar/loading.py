"""From a pack's ``holidays.yaml`` to a ``Calendar``, with findings that name file and line."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import date, time, timedelta
from zoneinfo import ZoneInfo

import yaml

from furong.foundation.calendar.errors import CalendarFinding, CalendarRefused
from furong.foundation.calendar.values import Calendar, Holiday, OfficeHours

__all__ = ["parse_calendar"]

_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_MOST_BYTES = 1_000_000
_LONGEST_HOLIDAY = 60


class _Reader:
    """Walks YAML nodes, which keep their lines, and gathers findings instead of stopping at the first."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.findings: list[CalendarFinding] = []

    def note(self, node: yaml.Node | None, rule: str, message: str, mend: str) -> None:
        line = node.start_mark.line + 1 if node is not None else 1
        self.findings.append(CalendarFinding(self.file, line, f"calendar.{rule}", message, mend))

    def fields(self, node: yaml.Node | None, what: str) -> dict[str, yaml.Node]:
        if not isinstance(node, yaml.MappingNode):
            self.note(node, "shape", f"{what} is not a mapping.", "Write key: value pairs.")
            return {}
        found: dict[str, yaml.Node] = {}
        for key, value in node.value:
            if key.value in found:
                self.note(key, "duplicate", f"{what} has {key.value!r} twice.", "Remove one of them.")
            found[str(key.value)] = value
        return found

    def items(self, node: yaml.Node | None, what: str) -> list[yaml.Node]:
        if node is None:
            return []
        if not isinstance(node, yaml.SequenceNode):
            self.note(node, "shape", f"{what} is not a list.", "Write a list.")
            return []
        return list(node.value)

    def text(self, node: yaml.Node | None, what: str, parent: yaml.Node | None) -> str:
        if not isinstance(node, yaml.ScalarNode) or not node.value:
            self.note(node or parent, "missing", f"{what} is missing.", f"Give {what}.")
            return ""
        return str(node.value)

    def day(self, node: yaml.Node | None, what: str, parent: yaml.Node | None) -> date | None:
        text = self.text(node, what, parent)
        try:
            return date.fromisoformat(text)
        except ValueError:
            if text:
                self.note(node, "date", f"{what} is not a date.", "Write YYYY-MM-DD.")
            return None

    def days(self, node: yaml.Node) -> Iterator[date]:
        """A day, or a stretch ``first..last`` with both ends in it."""
        text = node.value if isinstance(node, yaml.ScalarNode) else ""
        first_text, _, last_text = text.partition("..")
        try:
            first = date.fromisoformat(first_text.strip())
            last = date.fromisoformat(last_text.strip()) if last_text else first
        except ValueError:
            self.note(node, "date", "This is neither a date nor a stretch of dates.", "Write 2024-02-10..2024-02-17.")
            return
        if not 0 <= (last - first).days <= _LONGEST_HOLIDAY:
            self.note(node, "stretch", "The stretch ends before it begins, or is over 60 days.", "Check both ends.")
            return
        for n in range((last - first).days + 1):
            yield first + timedelta(days=n)


def parse_calendar(data: bytes, *, file: str) -> Calendar:
    """Build the calendar that the YAML ``data`` of a pack describe.

    ``file`` is named in findings. Raises ``CalendarRefused`` with every finding: not YAML, a missing or misshapen
    field, a day outside its year or ``known_until_on``, a day that is off and made up at once, a make-up day that is
    a working day already.
    """
    reader = _Reader(file)
    try:
        root = yaml.compose(data.decode("utf-8"), Loader=yaml.SafeLoader) if len(data) <= _MOST_BYTES else None
    except (UnicodeDecodeError, yaml.YAMLError) as fault:
        mark = getattr(fault, "problem_mark", None)
        line = mark.line + 1 if mark is not None else 1
        finding = CalendarFinding(file, line, "calendar.yaml", "The file is not YAML in UTF-8.", "Mend its syntax.")
        raise CalendarRefused((finding,)) from None
    top = reader.fields(root, "The calendar")
    name = reader.text(top.get("name"), "name", root)
    zone = reader.text(top.get("zone"), "zone", root)
    if zone:
        try:
            ZoneInfo(zone)
        except (KeyError, ValueError, OSError):
            reader.note(top.get("zone"), "zone", "There is no such time zone.", "Write an IANA name: Area/City.")
    weekend = frozenset(_weekdays(reader, top.get("weekend")))
    hours = tuple(_office_hours(reader, top.get("office_hours")))
    known_from_on = reader.day(top.get("known_from_on"), "known_from_on", root)
    known_until_on = reader.day(top.get("known_until_on"), "known_until_on", root)
    holidays = tuple(_years(reader, top.get("years"), weekend))
    if known_from_on and known_until_on:
        if not 0 < (known_until_on - known_from_on).days <= 366 * 200:
            reader.note(top["known_until_on"], "known", "known_until_on is not after known_from_on.", "Swap them.")
        for holiday in holidays:
            for day in (*holiday.days_off, *holiday.make_up_days):
                if not known_from_on <= day < known_until_on:
                    reader.note(
                        top["known_until_on"],
                        "known",
                        f"{day.isoformat()} lies outside of the days that the data claim to know.",
                        "Move known_from_on or known_until_on (exclusive).",
                    )
    if reader.findings or known_from_on is None or known_until_on is None:
        raise CalendarRefused(tuple(reader.findings))
    return Calendar(
        name=name,
        zone=zone,
        weekend=weekend,
        office_hours=hours,
        holidays=holidays,
        known_from_on=known_from_on,
        known_until_on=known_until_on,
        digest=hashlib.sha256(data).hexdigest(),
    )


def _weekdays(reader: _Reader, node: yaml.Node | None) -> Iterator[int]:
    days = reader.items(node, "weekend")
    if len(days) > 6:
        reader.note(node, "weekend", "A week without a working day has no working days to count.", "Leave one out.")
    for one in days:
        if isinstance(one, yaml.ScalarNode) and one.value in _WEEKDAYS:
            yield _WEEKDAYS.index(one.value)
        else:
            reader.note(one, "weekday", "This is no day of the week.", f"Write one of {', '.join(_WEEKDAYS)}.")


def _office_hours(reader: _Reader, node: yaml.Node | None) -> Iterator[OfficeHours]:
    before = time()
    for one in reader.items(node, "office_hours"):
        text = one.value if isinstance(one, yaml.ScalarNode) else ""
        opens_text, _, closes_text = text.partition("-")
        try:
            opens, closes = time.fromisoformat(opens_text.strip()), time.fromisoformat(closes_text.strip())
        except ValueError:
            reader.note(one, "office_hours", "These are no hours.", 'Write "09:00-12:00".')
            continue
        if not before <= opens < closes or opens.tzinfo or closes.tzinfo:
            reader.note(
                one, "office_hours", "Hours must rise through the day.", "Sort them and part those that overlap."
            )
            continue
        before = closes
        yield OfficeHours(opens, closes)


def _years(reader: _Reader, node: yaml.Node | None, weekend: frozenset[int]) -> Iterator[Holiday]:
    off: set[date] = set()
    made_up: dict[date, yaml.Node] = {}
    for key, year_node in reader.fields(node, "years").items():
        if not key.isdigit() or not 1900 <= int(key) <= 9998:
            reader.note(year_node, "year", "This is no year.", "Write four digits.")
            continue
        year = int(key)
        fields = reader.fields(year_node, f"The year {year}")
        for one in reader.items(fields.get("holidays"), "holidays"):
            parts = reader.fields(one, "A holiday")
            names = {k: reader.text(v, "a name", one) for k, v in reader.fields(parts.get("name"), "name").items()}
            days_off: list[date] = []
            for stretch in reader.items(parts.get("off"), "off"):
                for day in reader.days(stretch):
                    if abs(day.year - year) > 1 or day in off:
                        reader.note(stretch, "day_off", f"{day} is off twice or not near its year.", "Check the date.")
                    off.add(day)
                    days_off.append(day)
            make_up_days: list[date] = []
            for stretch in reader.items(parts.get("make_up"), "make_up"):
                for day in reader.days(stretch):
                    if day.weekday() not in weekend:
                        message = f"{day} is a working day already, so it makes up for nothing."
                        reader.note(stretch, "make_up", message, "Check the date, or remove it.")
                    made_up[day] = stretch
                    make_up_days.append(day)
            yield Holiday(year, names, tuple(days_off), tuple(make_up_days))
    for day, stretch in made_up.items():
        if day in off:
            reader.note(stretch, "make_up", f"{day} is off and made up at once.", "Remove one of them.")
