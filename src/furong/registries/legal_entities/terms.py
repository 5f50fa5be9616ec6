"""The catalogue's terms over this register: other organisations than the provider and the registrars read by a grant."""

from __future__ import annotations

from furong.foundation.access.terms import SharingDecision

RESOURCE = "legal_entities"
# What the resource publishes of an entity, and of those who stand in it.
ITEMS = ("credit_code", "name", "kind", "state", "head", "address", "scope", "established_on")
PEOPLE = ("roles", "history")


def told(decision: SharingDecision) -> dict[str, object] | None:
    """Return what the audit entry names of a decision: nothing for residents and for what no terms bind."""
    return {"terms": [decision.trace()]} if decision.ground in {"grant", "provider"} else None
