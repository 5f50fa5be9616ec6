"""Identity cards from the application to the last day, and a factory's files with every fault that a file can have."""

from __future__ import annotations

import csv
import io
import zipfile
from datetime import date, timedelta

import pytest

from furong.foundation.access.errors import AccessRefused
from furong.foundation.codes.ids import new_id
from furong.foundation.events import dispatcher
from furong.foundation.jobs import worker
from furong.registries.identity_cards import commands, comparing, queries
from furong.registries.identity_cards.errors import (
    AlreadyApplied,
    CardNotFound,
    EvidenceMissing,
    HolderNotRegistered,
    MismatchNotFound,
    MismatchOpen,
    NotCorrectable,
    NothingToOrder,
    NotInThisState,
    PortraitMissing,
    ReasonDoesNotFit,
    ReturnUnreadable,
)
from furong.registries.identity_cards.models import Card, Mismatch, Production
from furong.registries.identity_cards.values import (
    Kind,
    Outcome,
    Reason,
    State,
    Step,
    Verdict,
    valid_years,
    validity,
)
from furong.registries.portraits import commands as portraits
from furong.registries.portraits.drawing import draw_portrait
from tests.registries.population.people import NOW, SYSTEM, household, person, resident
from tests.registries.population.test_queries import get, officer
from tests.registries.population.test_queries import rows as rows_of
from tests.registries.portraits.people import WHY, new, rejoin, take

RIGHTS = ("population.read", "portraits.view", "portraits.take", "portraits.review", "identity_cards.handle",
          "identity_cards.produce", "identity_cards.compare")  # fmt: skip
ASK = {"basis": WHY, "now": NOW}


@pytest.fixture(autouse=True)
def _joined(database: dict[str, str]) -> None:
    rejoin()


def clerk(prefix: str = "4302"):
    return officer(*RIGHTS, prefix=prefix)


def holder(seed: int, actor, name: str = "曾晓雅", born_on: date = date(1992, 8, 9)):
    key = person(name, sex="2", born_on=born_on, household=household())
    take(new(key, seed=seed), actor=actor)
    return key


def apply(person_id, actor, reason: Reason = Reason.FIRST, **more):
    given = {"effect_id": new_id(), **ASK, **more}
    return commands.apply_for_card(person_id=person_id, reason=reason, actor=actor, **given)


def state(card_id) -> str:
    return Card.objects.get(pk=card_id).state


def cards_of(person_id, actor):
    return queries.list_of_person(person_id=person_id, actor=actor, **ASK)


def answer(actor, batch, *rows: dict[str, str], columns: tuple[str, ...] = ()):
    out = io.StringIO()
    names = ["batch", "card", "result", "chip", "remark", *columns]
    writer = csv.DictWriter(out, names)
    writer.writeheader()
    writer.writerows(rows)
    return commands.take_return(batch_id=batch, data=out.getvalue().encode(), actor=actor, **ASK)


def keys(batch) -> dict[object, str]:
    """The factory's key of each card of a batch."""
    return {one.card_id: str(one.pk) for one in Production.objects.filter(batch=batch)}


def number(batch, actor) -> str:
    return queries.find_batch(batch_id=batch, actor=actor).number


def test_how_long_a_card_holds_follows_the_age() -> None:
    assert [valid_years(age) for age in (0, 15, 16, 25, 26, 45, 46, 90)] == [5, 5, 10, 10, 20, 20, None, None]
    assert validity(kind=Kind.REGULAR, born_on=date(2010, 3, 11), made_on=date(2026, 3, 10)) == date(2031, 3, 10)
    assert validity(kind=Kind.REGULAR, born_on=date(2000, 1, 1), made_on=date(2024, 2, 29)) == date(2034, 3, 1)
    assert validity(kind=Kind.REGULAR, born_on=date(1980, 3, 10), made_on=date(2026, 3, 10)) is None
    assert validity(kind=Kind.TEMPORARY, born_on=date(1980, 3, 10), made_on=date(2026, 3, 10)) == date(2026, 6, 8)


def test_a_card_goes_from_the_counter_to_the_factory_and_back_and_is_collected_lost_and_replaced() -> None:
    actor = clerk()
    key = holder(1, actor)
    effect = new_id()
    card = apply(key, actor, effect_id=effect)
    assert apply(key, actor, effect_id=effect) == card
    with pytest.raises(AlreadyApplied):
        apply(key, actor)
    temporary = commands.issue_temporary(effect_id=new_id(), person_id=key, actor=actor, **ASK)
    assert state(temporary) == State.VALID

    batch = commands.order_cards(actor=actor, **ASK)
    with pytest.raises(NothingToOrder):
        commands.order_cards(actor=actor, **ASK)
    with zipfile.ZipFile(io.BytesIO(queries.open_order(batch_id=batch, actor=actor, **ASK))) as file:
        (line,) = csv.DictReader(io.StringIO(file.read("cards.csv").decode("utf-8-sig")))
        assert line["name"] == "曾晓雅"
        assert (line["valid_from"], line["valid_until"]) == ("2026-03-10", "2046-03-10")
        assert file.read(line["portrait"]) == draw_portrait(1)
    told = answer(actor, batch, {"batch": line["batch"], "card": line["card"], "result": "ok", "chip": "C1"})
    assert told.counts == {"made": 1}
    with pytest.raises(NotInThisState):
        commands.collect_card(card_id=card, old_card_returned=True, actor=actor, **ASK)
    commands.deliver_card(card_id=card, actor=actor, **ASK)
    commands.collect_card(card_id=card, old_card_returned=True, actor=actor, **ASK)
    assert (state(card), state(temporary)) == (State.VALID, State.REPLACED)
    (regular, _) = sorted(cards_of(key, resident(key)), key=lambda one: one.kind)
    assert [step.step for step in regular.history] == [
        Step.APPLIED, Step.ORDERED, Step.PRODUCED, Step.DELIVERED, Step.COLLECTED,
    ]  # fmt: skip

    for reason in (Reason.FIRST, Reason.EXPIRY, Reason.LOSS):
        with pytest.raises(ReasonDoesNotFit):
            apply(key, actor, reason)
    with pytest.raises(CardNotFound):
        commands.report_loss(card_id=card, actor=resident(new_id()), **ASK)
    commands.report_loss(card_id=card, actor=resident(key), **ASK)
    again = apply(key, actor, Reason.LOSS)
    assert Card.objects.get(pk=again).replaces_id in {card, temporary}
    commands.cancel_application(card_id=again, note="", actor=actor, **ASK)
    assert state(again) == State.CANCELLED

    far = clerk("4331")
    with pytest.raises(AccessRefused):
        apply(key, far)
    with pytest.raises(AccessRefused):
        cards_of(key, resident(new_id()))
    assert cards_of(key, far) == ()


def test_who_has_no_portrait_or_is_not_registered_gets_no_card() -> None:
    actor = clerk()
    key = person("单石生", sex="1", born_on=date(1990, 5, 4), household=household())
    with pytest.raises(PortraitMissing):
        apply(key, actor)
    with pytest.raises(ReasonDoesNotFit):
        commands.issue_temporary(effect_id=new_id(), person_id=key, actor=actor, **ASK)
    with pytest.raises(HolderNotRegistered):
        apply(new_id(), actor)


def test_a_doubtful_portrait_holds_the_card_back_until_somebody_looked() -> None:
    actor = clerk()
    for accept, ended in ((True, State.READY), (False, State.REJECTED)):
        key = person("单石生", sex="1", born_on=date(1990, 5, 4), household=household())
        kept = take(new(key, data=draw_portrait(5 + accept, head=0.45)), actor=actor)
        card = apply(key, actor)
        assert state(card) == State.PHOTO_CHECK
        portraits.review_portrait(portrait_id=kept.portrait_id, accept=accept, reason="模糊", actor=actor, **ASK)
        dispatcher.dispatch_once("default")
        assert state(card) == ended


def test_a_factorys_file_is_taken_whole_and_each_row_is_told() -> None:
    actor = clerk()
    people = [holder(n, actor) for n in range(1, 7)]
    cards = [apply(key, actor) for key in people]
    first = commands.order_cards(actor=actor, most=5, **ASK)
    other = commands.order_cards(actor=actor, **ASK)
    ref, name = keys(first), number(first, actor)
    in_batch = [card for card in cards if card in ref]

    def row(card: str, result: str = "ok", chip: str = "", remark: str = "") -> dict[str, str]:
        return {"batch": name, "card": card, "result": result, "chip": chip, "remark": remark}

    a, b, c, d, missing = (ref[card] for card in in_batch)
    rows = [
        row(a, chip="A"),
        row(a, chip="A2"),
        row(b, "defect", remark="划痕"),
        row(c, chip="A"),
        row(d, "perhaps"),
        row(str(new_id()), chip="X"),
        row("nonsense", chip="Y"),
        row(next(iter(keys(other).values())), chip="Z"),
    ]
    for broken in (
        [row(a, chip="A"), {**row(b, chip="B"), "batch": "20260101-001"}],
        [],
    ):
        with pytest.raises(ReturnUnreadable):
            answer(actor, first, *broken)
    with pytest.raises(ReturnUnreadable):
        commands.take_return(batch_id=first, data=b"\xff\xfe\x00", actor=actor, **ASK)
    assert state(in_batch[0]) == State.ORDERED, "nothing half done"

    told = answer(actor, first, *rows)
    assert [one.outcome for one in told.rows] == [
        Outcome.MADE, Outcome.DOUBLED, Outcome.DEFECTIVE, Outcome.CHIP_TAKEN, Outcome.UNREADABLE, Outcome.UNKNOWN,
        Outcome.UNKNOWN, Outcome.OTHER_BATCH,
    ]  # fmt: skip
    assert answer(actor, first, *rows) == told, "the same file again changes nothing"
    assert [state(card) for card in in_batch] == ["produced", "ready", "ordered", "ordered", "ordered"]
    assert set(queries.list_missing(batch_id=first, actor=actor)) == {c, d, missing}
    assert answer(actor, first, row(a, chip="A")).rows[0].outcome is Outcome.TOLD_BEFORE

    assert commands.withdraw_missing(batch_id=first, actor=actor, **ASK) == 3
    assert commands.withdraw_missing(batch_id=first, actor=actor, **ASK) == 0
    late = answer(actor, first, row(missing, chip="M"))
    assert late.rows[0].outcome is Outcome.WITHDRAWN
    anew = commands.order_cards(actor=actor, **ASK)
    assert queries.find_batch(batch_id=anew, actor=actor).cards == 4
    made = [{**row(one, chip=f"N{n}"), "batch": number(anew, actor)} for n, one in enumerate(keys(anew).values())]
    assert answer(actor, anew, *made).counts == {"made": 4}
    assert Production.objects.filter(state="made").count() == Card.objects.filter(state="produced").count() == 5


def test_a_difference_is_a_task_that_corrects_the_register_once() -> None:
    actor = clerk()
    key = holder(1, actor)
    card = apply(key, actor)
    batch = commands.order_cards(actor=actor, **ASK)
    row = {"batch": number(batch, actor), "card": keys(batch)[card], "result": "ok", "chip": "C"}
    engraved = {"name": "曾小雅", "sex": "2", "number": "430291199208090000"}
    answer(actor, batch, row | engraved, columns=tuple(engraved))
    commands.deliver_card(card_id=card, actor=actor, **ASK)
    with pytest.raises(MismatchOpen):
        commands.collect_card(card_id=card, old_card_returned=True, actor=actor, **ASK)
    found = {one.fact: one for one in queries.list_mismatches(actor=actor, **ASK)}
    assert set(found) == {"name", "number"}
    assert (found["name"].on_card, found["name"].in_register) == ("曾小雅", "曾晓雅")

    def decide(fact: str, *, register: bool, evidence: str = "出生医学证明 P430000001"):
        return commands.decide_mismatch(
            mismatch_id=found[fact].mismatch_id, register_is_wrong=register, evidence=evidence, actor=actor, **ASK
        )

    with pytest.raises(EvidenceMissing):
        decide("name", register=True, evidence=" ")
    with pytest.raises(NotCorrectable):
        decide("number", register=True)
    assert decide("name", register=True) is Verdict.CORRECTING
    with pytest.raises(MismatchNotFound):
        decide("name", register=True)
    worker.run_until_idle()
    comparing.correct(mismatch_id=found["name"].mismatch_id, now=NOW)
    assert get(key, SYSTEM, "name")["name"] == "曾小雅"
    made = rows_of("SELECT count(*) FROM population_change WHERE effect_id = %s", found["name"].mismatch_id)
    assert made == [(1,)]
    assert decide("number", register=False) is Verdict.CARD_WRONG
    assert state(card) == State.READY, "made anew"
    anew = commands.order_cards(actor=actor, **ASK)
    assert Card.objects.get(pk=card).facts["name"] == "曾小雅"
    assert [one.state for one in Production.objects.filter(card=card).order_by("id")] == ["withdrawn", "ordered"]
    late = answer(actor, batch, row | {"chip": "C2"})
    assert late.rows[0].outcome is Outcome.WITHDRAWN
    assert anew != batch
    assert not Mismatch.objects.filter(verdict="open").exists()


def test_a_correction_that_the_register_refuses_opens_the_task_again_with_why() -> None:
    actor = clerk()
    key = holder(1, actor)
    card = apply(key, actor)
    batch = commands.order_cards(actor=actor, **ASK)
    row = {"batch": number(batch, actor), "card": keys(batch)[card], "result": "ok", "chip": "C", "name": "曾 3"}
    answer(actor, batch, row, columns=("name",))
    (one,) = queries.list_mismatches(actor=actor, **ASK)
    commands.decide_mismatch(mismatch_id=one.mismatch_id, register_is_wrong=True, evidence="证明", actor=actor, **ASK)
    worker.run_until_idle()
    (again,) = queries.list_mismatches(actor=actor, **ASK)
    assert again.verdict is Verdict.OPEN
    assert again.note.startswith("population.")


def test_cards_end_on_their_last_day() -> None:
    actor = clerk()
    key = holder(1, actor)
    apply(key, actor)
    temporary = commands.issue_temporary(effect_id=new_id(), person_id=key, actor=actor, **ASK)
    last = NOW + timedelta(days=89)
    assert commands.expire_cards(actor=SYSTEM, now=last) == 0
    assert commands.expire_cards(actor=SYSTEM, now=last + timedelta(days=1)) == 1
    assert state(temporary) == State.EXPIRED
