"""Cards held against the register. Each difference is a task; where the register is wrong, it is corrected, once.

The register lies in another database: the decision commits here with a job; the job corrects the register under the task's own
key as effect, which the register carries out once however often it is asked; then the task is closed.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from furong.foundation.access import queries as access
from furong.foundation.access.values import Actor, ActorKind, Basis
from furong.foundation.audit.commands import command, current
from furong.foundation.codes.errors import Refusal
from furong.foundation.codes.ids import new_id
from furong.foundation.jobs.commands import defer

from . import ports
from .errors import EvidenceMissing, MismatchNotFound, NotCorrectable
from .models import Card, Mismatch, Production
from .rights import COMPARE
from .steps import DATABASE, stated, take
from .values import CORRECTABLE, State, Step, Verdict

JOB = "identity_cards.correct_register"
_UNDER_WAY = (Verdict.OPEN, Verdict.CORRECTING)
LEGAL_BASIS = "户口登记条例 第十七条"


def compare(shown: Mapping[UUID, Mapping[str, str]], *, actor: Actor, basis: Basis, now: datetime) -> int:
    """Hold what stands on cards (facts by card) against the register, and return how many differences are new.

    For commands: writes in their transaction. A difference that is open already stays one task.
    """
    cards = {card.pk: card for card in Card.objects.filter(pk__in=shown)}
    facts = ports.register().facts(
        person_ids=[card.person_id for card in cards.values()], actor=actor, basis=basis, now=now
    )
    found = []
    for card_id, card in cards.items():
        known = facts.get(card.person_id)
        if known is None:
            continue
        register = known.shown()
        for fact, on_card in shown[card_id].items():
            if on_card != register[fact]:
                found.append(
                    Mismatch(
                        id=new_id(),
                        card=card,
                        person_id=card.person_id,
                        division_code=card.division_code,
                        fact=fact,
                        on_card=on_card,
                        in_register=register[fact],
                        found_at=now,
                    )
                )
    there = set(Mismatch.objects.filter(card__in=cards, verdict__in=_UNDER_WAY).values_list("card_id", "fact"))
    new = [one for one in found if (one.card.pk, one.fact) not in there]
    Mismatch.objects.bulk_create(new)
    return len(new)


@command("identity_cards.decide_mismatch", database=DATABASE)
def decide_mismatch(
    *, mismatch_id: UUID, register_is_wrong: bool, evidence: str, actor: Actor, basis: Basis, now: datetime
) -> Verdict:
    """Settle which of the two is right, and return how the task stands.

    Is the register wrong, a job corrects it, once. Is the card wrong, it is not handed out: what was made is withdrawn, and it
    is made anew with the register's facts; of one already handed out, the holder is to apply for another. Raises
    `MismatchNotFound`, `EvidenceMissing`, `NotCorrectable`, ``AccessRefused``.
    """
    stated(basis)
    found = Mismatch.objects.select_for_update().filter(pk=mismatch_id, verdict=Verdict.OPEN).first()
    if found is None:
        raise MismatchNotFound
    access.require(actor=actor, right=COMPARE, division_code=found.division_code)
    if not evidence.strip():
        raise EvidenceMissing
    if register_is_wrong and found.fact not in CORRECTABLE:
        raise NotCorrectable
    found.verdict = (Verdict.CORRECTING if register_is_wrong else Verdict.CARD_WRONG).value
    found.evidence, found.decided_at, found.note = evidence.strip(), now, ""
    found.decided_by_post_id, found.decided_by_organization_id = actor.post_id, actor.organization_id
    found.save()
    current().object("card_mismatch", found.pk)
    current().subject(found.person_id, fields=(found.fact,))
    current().detail(register_is_wrong=register_is_wrong, fact=found.fact)
    if register_is_wrong:
        defer(JOB, mismatch_id=found.pk)
    else:
        _make_anew(found, actor=actor, basis=basis, now=now)
    return Verdict(found.verdict)


def _make_anew(found: Mismatch, *, actor: Actor, basis: Basis, now: datetime) -> None:
    card = Card.objects.select_for_update().get(pk=found.card.pk)
    if card.state in {State.PRODUCED, State.DELIVERED}:
        Production.objects.filter(card=card, state="made").update(state="withdrawn", told_at=now)
        known = ports.register().facts(person_ids=[card.person_id], actor=actor, basis=basis, now=now)
        if card.person_id in known:
            card.facts = known[card.person_id].shown()
        card.chip = ""
        take(card, Step.CARD_WRONG, to=State.READY, actor=actor, now=now, note=found.fact, save=("facts", "chip"))
        others = Mismatch.objects.filter(card=card, verdict=Verdict.OPEN)
        others.update(verdict=Verdict.CARD_WRONG.value, decided_at=now, evidence=found.evidence)
    else:
        take(card, Step.CARD_WRONG, to=None, actor=actor, now=now, note=found.fact)


def correct(*, mismatch_id: UUID, now: datetime) -> None:
    """Correct the register as was decided, and close the task. For the job; a repeat changes nothing."""
    found = Mismatch.objects.filter(pk=mismatch_id, verdict=Verdict.CORRECTING).first()
    if found is None:
        return
    actor = Actor(
        kind=ActorKind.SYSTEM,
        label=JOB,
        post_id=found.decided_by_post_id,
        assurance=Actor.system(JOB).assurance,
    )
    basis = Basis(purpose="证件与人口库比对更正", legal_basis=LEGAL_BASIS, about=found.person_id)
    problem = ""
    try:
        ports.register().correct(
            effect_id=found.pk,
            person_id=found.person_id,
            fact=found.fact,
            value=found.on_card,
            evidence=found.evidence,
            actor=actor,
            basis=basis,
            now=now,
        )
    except Refusal as refusal:
        problem = refusal.code
    correct_once(mismatch_id=mismatch_id, problem=problem, actor=actor, now=now)


@command("identity_cards.correct_once", database=DATABASE)
def correct_once(*, mismatch_id: UUID, problem: str, actor: Actor, now: datetime) -> None:
    """Close the task of a difference whose correction the register took, or open it again with why not."""
    found = Mismatch.objects.select_for_update().filter(pk=mismatch_id, verdict=Verdict.CORRECTING).first()
    if found is None:
        return
    found.verdict = (Verdict.OPEN if problem else Verdict.CORRECTED).value
    found.note = problem
    found.save(update_fields=["verdict", "note"])
    if not problem:
        card = Card.objects.select_for_update().get(pk=found.card.pk)
        card.facts = {**card.facts, found.fact: found.on_card}
        card.save(update_fields=["facts"])
    current().object("card_mismatch", found.pk)
    current().subject(found.person_id, fields=(found.fact,))
    current().detail(problem=problem)
