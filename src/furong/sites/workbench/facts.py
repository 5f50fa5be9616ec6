"""A person's facts as words: codes become their names, places their path, dates the reader's form."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from furong.foundation.access.values import Actor
from furong.foundation.codes import queries as codes
from furong.foundation.organizations import queries as organizations
from furong.foundation.web.texts import content_language, day, moment, text
from furong.registries.population.values import FIELDS, ChangeKind, PersonStatus, ResidenceKind

_TABLES = {
    "sex": "sex",
    "ethnicity": "ethnic_group",
    "marital": "marital_status",
    "number_type": "identity_document",
    "household_relation": "household_relation",
}
# What a page may ask for by name; the links to others have a part of their own.
CHOOSABLE = tuple(
    name for name in FIELDS if name not in {"name_masked", "household_id", "mother_id", "father_id", "spouse_id"}
)
FIRST_SHOWN = ("name", "sex", "born_on", "number_masked", "status", "division_code")


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A term and its value, for the component of facts."""

    term: str
    value: str
    source: str = ""
    change_href: str = ""


def word(table: str, code: object) -> str:
    """Give the name of a code of a national table; the code itself when the table lacks it, nothing for nothing."""
    return codes.get_table(name=table).label(str(code), content_language()) if code else ""


def field_label(name: str) -> str:
    """Give the name of a field of the population register."""
    zh, en = FIELDS[name]
    return text({"zh": zh, "en": en})


def townships(actor: Actor) -> list[tuple[str, str]]:
    """Give the townships and streets of an actor's area to choose from, with the twelve digits that an address carries."""
    found = organizations.list_divisions(parent_code=actor.division_code)
    own = organizations.find_division(code=actor.division_code)
    if not found and own is not None:
        found = [own]
    return [(one.code.ljust(12, "0"), text(one.name)) for one in found]


class Places:
    """Names of divisions, each looked up once a page."""

    def __init__(self) -> None:
        self._known: dict[str, str] = {}

    def name(self, code: str) -> str:
        """Give the path of a division from its city down, in one word. The province's own name is left out."""
        if not code:
            return ""
        if code not in self._known:
            self._known[code] = self._path(code)
        return self._known[code]

    @staticmethod
    def _path(code: str) -> str:
        tries = (code, code[:9], code[:6])
        for given in tries:
            path = organizations.path_of_division(code=given)
            if path:
                names = [one.name.pick(content_language()) for one in (path[1:] or path)]
                return "".join(names) if content_language() == "zh" else ", ".join(reversed(names))
        found = codes.find_division(code=code[:6])
        return found.name if found is not None else code


def shown(name: str, value: Any, places: Places) -> str:
    """Give the words for a field's value; nothing for what the register does not know."""
    if value in (None, ""):
        return ""
    if name in _TABLES:
        return word(_TABLES[name], value)
    if name in {"division_code", "native_place", "native_division_code", "born_division_code"}:
        return places.name(str(value))
    if name == "status":
        return status_words(str(value))[0]
    if isinstance(value, dt.datetime):
        return moment(value)
    if isinstance(value, dt.date):
        return day(value)
    if name == "born_at":
        return moment(dt.datetime.fromisoformat(str(value)))
    if name in {"born_on", "died_on", "missing_since"}:
        return day(dt.date.fromisoformat(str(value)[:10]))
    return str(value)


def rows(values: Mapping[str, Any], names: Iterable[str], places: Places) -> list[Row]:
    """Give the named fields as rows of facts."""
    return [Row(term=field_label(name), value=shown(name, values[name], places)) for name in names]


def status_words(status: str) -> tuple[str, str]:
    """Give a registration's status as words and a tone."""
    return {
        PersonStatus.REGISTERED.value: (_("Registered"), "ok"),
        PersonStatus.DECEASED.value: (_("Deceased"), "wait"),
        PersonStatus.DEREGISTERED.value: (_("Deregistered"), "wait"),
        PersonStatus.MOVED.value: (_("Moved away"), "wait"),
    }.get(status, (status, "wait"))


def change_words(kind: str) -> str:
    """Give the name of a change of the register."""
    return {
        ChangeKind.BIRTH.value: _("Birth registration"),
        ChangeKind.ENTRY.value: _("First entry"),
        ChangeKind.AMENDMENT.value: _("Amendment"),
        ChangeKind.CORRECTION.value: _("Correction"),
        ChangeKind.DEATH.value: _("Death"),
        ChangeKind.MOVE.value: _("Move"),
        ChangeKind.TEMPORARY_STAY.value: _("Temporary stay"),
        ChangeKind.MARRIAGE.value: _("Marriage"),
        ChangeKind.DIVORCE.value: _("Divorce"),
        ChangeKind.PARENTHOOD.value: _("Parenthood"),
        ChangeKind.NAME_CHANGE.value: _("Change of name"),
        ChangeKind.ADOPTION.value: _("Adoption"),
        ChangeKind.HOUSEHOLD_SPLIT.value: _("Split of a household"),
        ChangeKind.HOUSEHOLD_MERGE.value: _("Merger of households"),
        ChangeKind.HEAD_CHANGE.value: _("Another head of household"),
        ChangeKind.EMIGRATION.value: _("Settled abroad"),
        ChangeKind.ENLISTMENT.value: _("Entered military service"),
        ChangeKind.DISCHARGE.value: _("Back from military service"),
        ChangeKind.DUPLICATE.value: _("Entered twice"),
        ChangeKind.RETURN.value: _("Registration restored"),
        ChangeKind.MISSING.value: _("Reported missing"),
        ChangeKind.FOUND.value: _("Found"),
        ChangeKind.IMPORT.value: _("Taken in from a file"),
    }.get(kind, kind)


def residence_words(kind: ResidenceKind) -> str:
    """Give the name of a kind of residence."""
    return _("Permanent residence") if kind is ResidenceKind.PERMANENT else _("Temporary stay")


_HISTORY_LABELS: Mapping[str, Callable[[], str]] = {
    "born_division_code": lambda: _("Division of birth"),
    "native_division_code": lambda: field_label("native_place"),
}


def changes(before: Mapping[str, Any], after: Mapping[str, Any], places: Places) -> list[Row]:
    """Give the facts of a version that differ from the one before it; all that are known when there is none."""
    found = []
    for name, value in after.items():
        if before.get(name) != value and (before or value not in (None, "")):
            label = _HISTORY_LABELS[name]() if name in _HISTORY_LABELS else field_label(name)
            found.append(Row(term=label, value=shown(name, value, places)))
    return found
