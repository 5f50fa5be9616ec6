"""The catalogue's terms over this register: as which items its fields are published, and the decision that each reading passes.

Police read their own register. Other organisations read by a grant (政务数据共享条例): only items that it names, only rows that
it covers, with the grant named in the audit entry. What is published as no item is read by nobody else.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from furong.foundation.access.sharing import decide_sharing
from furong.foundation.access.terms import SharingDecision
from furong.foundation.access.values import Actor, Basis

PERSONS, HOUSEHOLDS = "population_persons", "population_households"
# What is derived from an item discloses it; fields that are not here go by their own name (``field:`` of the resource's item).
_SHOWS: Mapping[str, str] = {
    "name_masked": "name",
    "name_pinyin": "name",
    "number_masked": "number",
    "number_type": "number",
    "birth_year": "born_on",
}
_OF_HOUSEHOLDS: Mapping[str, str] = {"household_number": "household_number", "household_relation": "relation"}


def decide(
    *,
    actor: Actor,
    basis: Basis,
    fields: Iterable[str],
    now: datetime,
    divisions: Iterable[str] | None,
    subjects: int,
) -> tuple[SharingDecision, ...]:
    """Decide whether these fields may be read, one decision for each resource that publishes some of them.

    ``divisions`` are those in which the persons are registered; None for a search, which takes the rows of the decision.
    ``subjects``: how many persons. Raises ``SharingRefused``. Cost: microseconds.
    """
    of_persons, of_households = [], []
    for name in fields:
        if name in _OF_HOUSEHOLDS:
            of_households.append(_OF_HOUSEHOLDS[name])
        else:
            of_persons.append(_SHOWS.get(name, name))
    where = None if divisions is None else frozenset(divisions)
    return tuple(
        decide_sharing(
            actor=actor, resource=resource, fields=wanted, basis=basis, now=now, divisions=where, subjects=subjects
        )
        for resource, wanted in ((PERSONS, of_persons), (HOUSEHOLDS, of_households))
        if wanted
    )


def rows_of(decisions: Sequence[SharingDecision], *, division_column: str) -> tuple[str, list[str]]:
    """Return the condition, and its parameters, for the rows that all decisions admit."""
    parts = [one.sql(division_column=division_column) for one in decisions]
    return " AND ".join(["TRUE", *(text for text, _ in parts)]), [value for _, values in parts for value in values]


def told(decisions: Sequence[SharingDecision]) -> dict[str, object]:
    """Return what the audit entry names of the decisions: nothing for residents and for what no terms bind."""
    named = [one.trace() for one in decisions if one.ground in {"grant", "provider"}]
    return {"terms": named} if named else {}
