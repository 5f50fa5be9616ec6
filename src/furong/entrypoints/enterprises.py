"""Joins ports of lower rooms to the register of legal entities. Translates, and holds no rule."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from furong.domains.catalogue.values import DataElement
from furong.domains.services.values.prefill import Prefilled, Subject
from furong.foundation.access.values import Actor, Basis
from furong.foundation.identity.values import Enterprise
from furong.foundation.packs.values import both
from furong.registries.legal_entities import queries as entities
from furong.registries.legal_entities.values import KINDS, STATES


class LegalEntities:
    """Tells who represents an enterprise, out of the register."""

    def find(self, *, credit_code: str, actor: Actor, now: datetime) -> Enterprise | None:
        """Give the enterprise with this credit code while it is registered, or None."""
        found = entities.find_represented(code=credit_code)
        if found is None:
            return None
        return Enterprise(
            id=found.entity_id,
            credit_code=found.credit_code,
            name=found.name,
            representative_id=found.person_id,
        )


class MarketEntitiesSource:
    """Elements whose source is the register of market entities: those of the enterprise that the applicant acts for."""

    def prefill(
        self, *, elements: Sequence[DataElement], subject: Subject, actor: Actor, basis: Basis, now: datetime
    ) -> Mapping[str, Prefilled]:
        """Give what is registered of the enterprise, by element; nothing for who acts for none."""
        if actor.principal is None or actor.principal.kind != "enterprise":
            return {}
        known = entities.held_by(entity_ids=[actor.principal.id]).get(actor.principal.id)
        if known is None:
            return {}
        found = entities.get_entity(code=known[0], actor=_reader(), basis=basis, now=now).public
        held: dict[str, Any] = {
            "credit_code": found.credit_code,
            "name": found.name,
            "kind": KINDS[found.kind].name.pick("zh"),
            "legal_representative": found.head,
            "registered_capital": found.capital_fen,
            "established_on": found.established_on.isoformat(),
            "address": found.address,
            "business_scope": found.scope,
            "state": STATES[found.state].pick("zh"),
        }
        return {
            element.code: Prefilled(
                element=element.code,
                value=held[element.source.field],
                source=both("法人库", "Register of legal entities"),
                legal_basis=_law(element),
            )
            for element in elements
            if held.get(element.source.field) not in (None, "")
        }


def _reader() -> Actor:
    return Actor.system("services.prefill")


def _law(element: DataElement) -> str:
    law = element.legal_basis[0] if element.legal_basis else None
    return f"{law.law.primary}{law.clause.primary}" if law is not None else ""
