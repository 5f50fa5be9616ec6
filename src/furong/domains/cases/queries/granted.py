"""What registers of other departments filled in, shown to a clerk only as far as the clerk's organisation holds a grant of it.

An application is filled in for its applicant, who may see all that is theirs. The clerk of a department reads it as data of the
resource that is the element's one authoritative source, and by its terms: an item that is not granted, or not for this service,
is withheld, and said to be. What the applicant typed, and what is in no resource, is bound by no terms.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from furong.domains.catalogue import queries as catalogue
from furong.foundation.access.errors import SharingRefused
from furong.foundation.access.sharing import decide_sharing
from furong.foundation.access.terms import SharingDecision
from furong.foundation.access.values import Actor, Basis

REGISTER = "register"


@dataclass(frozen=True, slots=True, kw_only=True)
class Withheld:
    """Why an answer is not shown: the refusal's code, and the resource to ask for."""

    code: str
    resource_code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Granted:
    """Which answers are withheld, by element, and by which decisions the others are shown."""

    withheld: Mapping[str, Withheld] = field(default_factory=dict)
    decisions: tuple[SharingDecision, ...] = ()

    def traces(self) -> dict[str, Any]:
        """Give what the audit entry names: grants by resource, and what was withheld of whom; nothing when no terms bind."""
        named = [one.trace() for one in self.decisions if one.ground in {"grant", "provider"}]
        found: dict[str, Any] = {"terms": named} if named else {}
        if self.withheld:
            found["withheld"] = {element: one.code for element, one in sorted(self.withheld.items())}
        return found

    def shown(self, answers: Mapping[str, Any]) -> dict[str, Any]:
        """Give the answers without the values that are withheld."""
        return {
            element: {**answer, "value": None} if element in self.withheld else answer
            for element, answer in answers.items()
        }


def decide_answers(
    *,
    answers: Mapping[str, Any],
    actor: Actor,
    basis: Basis,
    division_code: str,
    now: datetime,
    subjects: int = 1,
) -> Granted:
    """Decide which of the answers that registers filled in ``actor`` may read.

    ``basis`` names case and service item; ``division_code`` is where the case lies; ``subjects`` of how many persons they are.
    Cost: one statement, and microseconds for each resource.
    """
    filled = [element for element, answer in answers.items() if answer.get("source") == REGISTER]
    if not filled:
        return Granted()
    by_resource: dict[str, dict[str, str]] = {}
    for element, (resource, item) in catalogue.sources_of(elements=filled).items():
        by_resource.setdefault(resource, {})[element] = item
    withheld: dict[str, Withheld] = {}
    decisions: list[SharingDecision] = []

    def decide(resource: str, items: Iterable[str]) -> SharingDecision:
        return decide_sharing(
            actor=actor,
            resource=resource,
            fields=sorted(set(items)),
            basis=basis,
            now=now,
            divisions=[division_code] if division_code else None,
            subjects=subjects,
        )

    for resource, items in sorted(by_resource.items()):
        try:
            decisions.append(decide(resource, items.values()))
        except SharingRefused:
            # Not all of them: then each by itself, for another grant may cover some.
            for element, item in sorted(items.items()):
                try:
                    decisions.append(decide(resource, [item]))
                except SharingRefused as refused:
                    withheld[element] = Withheld(code=refused.code, resource_code=resource)
    return Granted(withheld=withheld, decisions=_once(decisions))


def _once(decisions: Iterable[SharingDecision]) -> tuple[SharingDecision, ...]:
    return tuple({(one.resource, one.grant_id): one for one in decisions}.values())
