"""Timelines: the facts about one thing over periods that touch and never overlap. Pure; the registers store what changes.

Valid time is in days, ``until`` exclusive, None for *still*. A change sets some facts over a period: versions that lie in it are
rewritten, those that stick out are cut. What was believed before stays readable, for rows are superseded and never deleted.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """Facts that hold from a day until another (exclusive)."""

    valid_from: date
    valid_until: date | None
    facts: Mapping[str, object] = field(repr=False)

    def holds_on(self, day: date) -> bool:
        """Tell whether the version is in force on ``day``."""
        return self.valid_from <= day and (self.valid_until is None or day < self.valid_until)


@dataclass(frozen=True, slots=True, kw_only=True)
class Revision:
    """What a change does to a timeline: versions no longer believed, and those that take their place."""

    superseded: tuple[Version, ...]
    added: tuple[Version, ...]


def revise(
    timeline: Sequence[Version], *, facts: Mapping[str, object], since: date, until: date | None = None
) -> Revision:
    """Set ``facts`` over ``[since, until)`` and return the versions superseded and added.

    Versions whose facts already agree stay. Days before the timeline begins stay unknown. Linear in its length.
    """
    superseded: list[Version] = []
    added: list[Version] = []
    for version in timeline:
        start = max(version.valid_from, since)
        end = _earlier(version.valid_until, until)
        if end is not None and start >= end:
            continue
        if all(version.facts.get(name) == value for name, value in facts.items()):
            continue
        superseded.append(version)
        if version.valid_from < start:
            added.append(Version(valid_from=version.valid_from, valid_until=start, facts=version.facts))
        added.append(Version(valid_from=start, valid_until=end, facts={**version.facts, **facts}))
        if end is not None and (version.valid_until is None or end < version.valid_until):
            added.append(Version(valid_from=end, valid_until=version.valid_until, facts=version.facts))
    return Revision(superseded=tuple(superseded), added=tuple(added))


def until_next_change(timeline: Sequence[Version], *, fields: Iterable[str], since: date) -> date | None:
    """Return the first day after ``since`` from which one of the fields was said to be another; None if never.

    An amendment recorded late holds until the change that came after it, not over it.
    """
    names = tuple(fields)
    held = on_day(timeline, since)
    if held is None:
        return None
    later = sorted((one for one in timeline if one.valid_from > since), key=lambda one: one.valid_from)
    return next((one.valid_from for one in later if any(one.facts.get(n) != held.facts.get(n) for n in names)), None)


def after(timeline: Sequence[Version], revision: Revision) -> list[Version]:
    """Return the timeline as it stands after ``revision``, in order of time."""
    kept = [version for version in timeline if version not in revision.superseded]
    return sorted([*kept, *revision.added], key=lambda version: version.valid_from)


def on_day(timeline: Sequence[Version], day: date) -> Version | None:
    """Return the version in force on ``day``, or None."""
    return next((version for version in timeline if version.holds_on(day)), None)


def _earlier(one: date | None, other: date | None) -> date | None:
    if one is None or other is None:
        return one if other is None else other
    return min(one, other)
