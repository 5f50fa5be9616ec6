"""Joins portraits and identity cards to the population register and to each other. Translates, and holds no rule."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from furong.foundation.access.values import Actor, Basis
from furong.foundation.events.commands import subscribe
from furong.foundation.events.values import Delivery
from furong.registries.identity_cards import commands as cards
from furong.registries.identity_cards import ports as card_ports
from furong.registries.identity_cards.values import Facts, Held
from furong.registries.population import commands as population_commands
from furong.registries.population import queries as population
from furong.registries.population.events import PersonMoved
from furong.registries.population.values import PersonStatus
from furong.registries.portraits import commands as portrait_commands
from furong.registries.portraits import ports as portrait_ports
from furong.registries.portraits import queries as portraits
from furong.registries.portraits.events import PortraitHeld, PortraitRefusedByEye
from furong.registries.portraits.values import PortraitState

_FIELDS = ("name", "sex", "ethnicity", "born_on", "address", "number", "division_code", "status")


def whereabouts(person_ids: Sequence[UUID], actor: Actor, basis: Basis, now: datetime) -> Mapping[UUID, str]:
    """Ask the population register where people are registered."""
    found = population.list_persons(person_ids=person_ids, fields=("division_code",), actor=actor, basis=basis, now=now)
    return {one.person_id: one.text("division_code") for one in found}


class Register:
    """The population register, as identity cards ask it."""

    def facts(self, *, person_ids: Sequence[UUID], actor: Actor, basis: Basis, now: datetime) -> Mapping[UUID, Facts]:
        """Give what a card shows of each of these people."""
        found = population.list_persons(person_ids=person_ids, fields=_FIELDS, actor=actor, basis=basis, now=now)
        return {one.person_id: _facts(one) for one in found}

    def correct(
        self,
        *,
        effect_id: UUID,
        person_id: UUID,
        fact: str,
        value: str,
        evidence: str,
        actor: Actor,
        basis: Basis,
        now: datetime,
    ) -> None:
        """Correct one fact, once for each effect."""
        population_commands.correct_person(
            person_id=person_id,
            facts={fact: date.fromisoformat(value) if fact == "born_on" else value},
            evidence=evidence,
            effect_id=effect_id,
            actor=actor,
            basis=basis,
            now=now,
        )


def _facts(one: Any) -> Facts:
    return Facts(
        name=one.text("name"),
        sex=one.text("sex"),
        ethnicity=one.text("ethnicity"),
        born_on=one["born_on"],
        address=one.text("address"),
        number=one.text("number"),
        division_code=one.text("division_code"),
        is_registered=one.text("status") == PersonStatus.REGISTERED,
    )


class Pictures:
    """The portraits, as identity cards ask them."""

    def held(self, *, person_id: UUID, actor: Actor, basis: Basis, now: datetime) -> Held | None:
        """Give the portrait that waits to be looked at, else the one in force."""
        asking: dict[str, Any] = {"person_id": person_id, "actor": actor, "basis": basis, "now": now}
        waiting = portraits.find_portrait(state=PortraitState.REVIEW, **asking)
        found = waiting or portraits.find_portrait(**asking)
        return None if found is None else Held(portrait_id=found.portrait_id, waits=waiting is not None)

    def pictures(
        self, *, portrait_ids: Sequence[UUID], actor: Actor, basis: Basis, now: datetime
    ) -> Mapping[UUID, bytes]:
        """Give portraits' bytes by key."""
        return portraits.get_pictures(portrait_ids=portrait_ids, actor=actor, basis=basis, now=now)


def bind() -> None:
    """Join the ports, and have cards follow what becomes of portraits."""
    portrait_ports.bind(whereabouts=whereabouts)
    card_ports.bind(register=Register(), pictures=Pictures())
    subscribe(PersonMoved, _moved, name="portraits.follow_move")
    subscribe(PortraitHeld, _held, name="identity_cards.follow_portrait")
    subscribe(PortraitRefusedByEye, _refused, name="identity_cards.follow_refusal")


def _moved(event: PersonMoved, delivery: Delivery) -> None:
    portrait_commands.follow_move(
        person_id=event.person_id, division_code=event.to_division, actor=_SYSTEM, now=delivery.occurred_at
    )


def _held(event: PortraitHeld, delivery: Delivery) -> None:
    cards.follow_portrait(
        person_id=event.person_id,
        portrait_id=event.portrait_id,
        accepted=True,
        actor=_SYSTEM,
        now=delivery.occurred_at,
    )


def _refused(event: PortraitRefusedByEye, delivery: Delivery) -> None:
    cards.follow_portrait(
        person_id=event.person_id,
        portrait_id=event.portrait_id,
        accepted=False,
        actor=_SYSTEM,
        now=delivery.occurred_at,
    )


_SYSTEM = Actor.system("portraits")
