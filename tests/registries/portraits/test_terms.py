"""Portraits and identity cards are published by no resource: no other organisation sees one, whatever its posts may do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from furong.foundation.access.errors import SharingRefused
from furong.foundation.access.values import Actor, PostRight
from furong.foundation.codes.ids import new_id
from furong.foundation.organizations import queries as organizations
from furong.registries.identity_cards import commands as cards
from furong.registries.identity_cards import queries as card_queries
from furong.registries.identity_cards.models import Batch, Mismatch
from furong.registries.identity_cards.values import Reason
from furong.registries.population import demo
from furong.registries.portraits import queries
from furong.registries.portraits.values import Size
from tests.domains.catalogue.test_queries import staff
from tests.registries.portraits.people import NOW, SYSTEM, WHY, new, rejoin, take

pytestmark = pytest.mark.usefixtures("platform")
RIGHTS = ("portraits.view", "identity_cards.handle", "identity_cards.produce", "identity_cards.compare")


def clerk(department: str) -> Actor:
    body = organizations.get_responsible(department=department, division_code="430202")
    rights = [PostRight(right=right, everywhere=True) for right in RIGHTS]
    return replace(staff(*rights), organization_id=body.id, organization_label=body.name.zh)


def test_nobody_but_the_police_reads_portraits_and_cards() -> None:
    rejoin()
    person = demo.person_id("mother")
    kept = take(new(person))
    card = cards.apply_for_card(
        effect_id=new_id(), person_id=person, reason=Reason.FIRST, actor=SYSTEM, basis=WHY, now=NOW
    )
    ask: dict[str, Any] = {"basis": WHY, "now": NOW}

    def readings(actor: Actor) -> list[Callable[[], object]]:
        return [
            lambda: queries.open_portrait(portrait_id=kept.portrait_id, size=Size.FULL, actor=actor, **ask),  # type: ignore[arg-type]
            lambda: queries.get_pictures(portrait_ids=[kept.portrait_id], actor=actor, **ask),  # type: ignore[list-item]
            lambda: queries.find_portrait(person_id=person, actor=actor, **ask),
            lambda: card_queries.list_of_person(person_id=person, actor=actor, **ask),
            lambda: card_queries.list_on_the_way(actor=actor, **ask),
            lambda: card_queries.open_order(batch_id=batch, actor=actor, **ask),
            lambda: card_queries.list_mismatches(actor=actor, **ask),
        ]

    batch = cards.order_cards(actor=SYSTEM, **ask)
    Mismatch.objects.create(
        card_id=card,
        person_id=person,
        division_code="430202",
        fact="name",
        on_card="甲",
        in_register="乙",
        found_at=NOW,
    )
    for department in ("police", "human_resources"):
        actor = clerk(department)
        Batch.objects.update(organization_id=actor.organization_id)
        for reading in readings(actor):
            if department == "police":
                assert reading()
            else:
                with pytest.raises(SharingRefused):
                    reading()
