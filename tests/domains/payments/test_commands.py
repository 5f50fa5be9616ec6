"""A fee is paid once whatever is told twice, ends when nobody pays, and the day's books agree with the provider's."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from furong.domains.payments import commands, models, ports, queries
from furong.domains.payments.errors import (
    DayNotOver,
    MessageRefused,
    NoticeClosed,
    ProviderSilentError,
    ReasonNeeded,
    RefundNotYours,
    RefundTooMuch,
)
from furong.domains.payments.twin import SimulatedProvider
from furong.domains.payments.values import Line, Notice, NoticeState, PaidOrder
from furong.foundation.access.errors import AccessRefused
from furong.foundation.access.values import Actor
from furong.foundation.storage import queries as storage
from tests.factories.newborn import World

SYSTEM = Actor.system("test")


@pytest.fixture
def provider(tmp_path: Path) -> Iterator[SimulatedProvider]:
    before = ports.provider() if ports.is_bound() else None
    made = SimulatedProvider(key_file=tmp_path / "key", address="/pay/{ref}")
    ports.bind(made)
    yield made
    ports.bind(before)


def _notice(world: World, days: int = 15) -> Notice:
    return commands.request_fee(
        effect_id=uuid4(),
        case_id=uuid4(),
        application_id=uuid4(),
        case_number="4302·2026·1123·00001-1",
        item_name={"zh": "普通护照签发"},
        organization_id=world.police.organization_id,
        division_code=world.police.division_code,
        payer_account_id=world.mother.account_id,
        payer_person_id=world.mother.person_id,
        lines=[Line(name="工本费", amount_fen=12000), Line(name="邮寄费", amount_fen=2000)],
        days=days,
        reminder_days=5,
        actor=SYSTEM,
        now=world.now,
    )


def _start(notice: Notice, world: World, now: datetime | None = None) -> str:
    return commands.start_order(notice_id=notice.id, actor=world.mother, now=now or world.now).removeprefix("/pay/")


def _hear(told: tuple[bytes, bytes] | None, now: datetime) -> bool:
    assert told is not None
    return commands.hear(body=told[0], signature=told[1], actor=SYSTEM, now=now)


def _state(notice: Notice) -> NoticeState:
    return queries.get_notice(notice_id=notice.id).state


def test_a_fee_is_asked_paid_and_receipted_once(world: World, provider: SimulatedProvider) -> None:
    notice = _notice(world)
    again = models.Notice.objects.get(id=notice.id)
    assert (
        commands.request_fee(
            effect_id=again.effect_id,
            case_id=notice.case_id,
            application_id=notice.application_id,
            case_number="x",
            item_name={},
            organization_id=notice.organization_id,
            division_code="",
            payer_account_id=None,
            payer_person_id=None,
            lines=notice.lines,
            days=15,
            reminder_days=5,
            actor=SYSTEM,
            now=world.now,
        ).number
        == notice.number
    )
    ref = _start(notice, world)
    assert _start(notice, world) == ref, "an order is taken up again"
    told = provider.take_money(ref=ref, now=world.now)
    assert _hear(told, world.now)
    with pytest.raises(MessageRefused):  # the same bytes once more are somebody's copy
        _hear(told, world.now)
    assert not _hear(provider.take_money(ref=ref, now=world.now), world.now), "told anew, and booked already"
    assert not commands.ask_provider(notice_id=notice.id, actor=SYSTEM, now=world.now)
    paid = queries.get_notice(notice_id=notice.id)
    assert (paid.state, paid.receipt_number.endswith("收〔2026〕1号")) == ("paid", True)
    digest = commands.make_receipt(notice_id=notice.id, actor=SYSTEM, now=world.now)
    assert commands.make_receipt(notice_id=notice.id, actor=SYSTEM, now=world.now) == digest
    assert storage.get(digest).startswith(b"%PDF")
    with pytest.raises(NoticeClosed):
        _start(notice, world)
    assert models.Order.objects.filter(notice_id=notice.id, state="paid").count() == 1


def test_what_the_provider_did_not_sign_or_signed_long_ago_books_nothing(
    world: World, provider: SimulatedProvider
) -> None:
    notice = _notice(world)
    ref = _start(notice, world)
    body, signature = provider.tell(ref=ref, amount_fen=14000, now=world.now)
    forged = b64encode(Ed25519PrivateKey.generate().sign(body))
    wrong_amount = provider.tell(ref=ref, amount_fen=1, now=world.now)
    unknown = provider.tell(ref="nobody", amount_fen=14000, now=world.now)
    for told, now in (
        ((body, forged), world.now),
        ((body, b"no base64!"), world.now),
        ((body, b""), world.now),
        ((body.replace(b"14000", b"14001"), signature), world.now),
        ((body, signature), world.now + timedelta(minutes=6)),
        ((body, signature), world.now - timedelta(minutes=6)),
        ((b" " * 5000, signature), world.now),
        (wrong_amount, world.now),
        (unknown, world.now),
    ):
        with pytest.raises(MessageRefused):
            _hear(told, now)
    assert _state(notice) is NoticeState.REQUESTED
    assert _hear((body, signature), world.now)


def test_who_never_pays_is_reminded_once_and_the_notice_ends(world: World, provider: SimulatedProvider) -> None:
    notice = _notice(world)
    _start(notice, world)
    assert commands.run_due(now=world.now)["reminded"] == 0
    late = world.now + timedelta(days=10)
    assert [commands.run_due(now=late)["reminded"] for _ in range(2)] == [1, 0]
    over = world.now + timedelta(days=16)
    assert commands.run_due(now=over)["expired"] == 1
    assert _state(notice) is NoticeState.EXPIRED
    with pytest.raises(NoticeClosed):
        _start(notice, world, over)


def test_a_payment_whose_message_was_lost_is_found_by_asking_and_at_the_end_at_the_latest(
    world: World, provider: SimulatedProvider
) -> None:
    asked, ended = _notice(world), _notice(world)
    provider.take_money(ref=_start(asked, world), now=world.now)
    assert commands.run_due(now=world.now + timedelta(minutes=11))["asked"] == 1
    assert _state(asked) is NoticeState.PAID
    provider.take_money(ref=_start(ended, world), now=world.now)
    over = world.now + timedelta(days=16)
    assert commands.expire_notice(notice_id=ended.id, actor=SYSTEM, now=over) is NoticeState.PAID


def test_a_provider_that_is_silent_ends_nothing(world: World, provider: SimulatedProvider) -> None:
    notice = _notice(world)
    _start(notice, world)

    class Silent(SimulatedProvider):
        def close_order(self, *, ref: str, now: datetime) -> PaidOrder | None:
            raise ProviderSilentError

        def ask(self, *, ref: str) -> PaidOrder | None:
            raise ProviderSilentError

    ports.bind(Silent(key_file=provider.key_file, address=provider.address))
    assert commands.run_due(now=world.now + timedelta(days=16))["expired"] == 0
    assert _state(notice) is NoticeState.REQUESTED


def test_what_was_paid_for_nothing_is_given_back_and_the_rest_by_two_people(
    world: World, provider: SimulatedProvider
) -> None:
    gone, refused, kept = _notice(world), _notice(world), _notice(world)
    ref = _start(gone, world)
    told = provider.take_money(ref=ref, now=world.now)
    commands.end_of_case(case_id=gone.case_id, granted=False, actor=SYSTEM, now=world.now)
    assert _hear(told, world.now), "paid just as the case ended"
    _hear(provider.take_money(ref=_start(refused, world), now=world.now), world.now)
    commands.end_of_case(case_id=refused.case_id, granted=False, actor=SYSTEM, now=world.now)
    _hear(provider.take_money(ref=_start(kept, world), now=world.now), world.now)
    commands.end_of_case(case_id=kept.case_id, granted=True, actor=SYSTEM, now=world.now)
    for row in models.Refund.objects.all():
        assert commands.carry_out_refund(refund_id=row.id, actor=SYSTEM, now=world.now)
        assert not commands.carry_out_refund(refund_id=row.id, actor=SYSTEM, now=world.now)
    assert [queries.get_notice(notice_id=one.id).refunded_fen for one in (gone, refused, kept)] == [14000, 14000, 0]

    def ask(amount_fen: int, reason: str = "邮寄费多收", actor: Actor = world.police) -> object:
        return commands.request_refund(
            notice_id=kept.id, amount_fen=amount_fen, reason=reason, actor=actor, now=world.now
        )

    with pytest.raises(ReasonNeeded):
        ask(2000, " ")
    with pytest.raises(AccessRefused):
        ask(2000, actor=world.social)
    for amount_fen in (0, -1, 14001):
        with pytest.raises(RefundTooMuch):
            ask(amount_fen)
    refund = ask(2000)
    with pytest.raises(RefundTooMuch):
        ask(12001)
    with pytest.raises((RefundNotYours, AccessRefused)):
        commands.approve_refund(refund_id=refund, actor=world.police, now=world.now)  # type: ignore[arg-type]
    day = world.now.date()
    with pytest.raises(DayNotOver):
        commands.compare_day(on=day, actor=SYSTEM, now=world.now)
    assert commands.compare_day(on=day, actor=SYSTEM, now=world.now + timedelta(days=1)) == 0


def test_the_days_comparison_books_what_was_not_heard_and_shows_what_nobody_can_explain(
    world: World, provider: SimulatedProvider
) -> None:
    lost = _notice(world)
    ref = _start(lost, world)
    provider.take_money(ref=ref, now=world.now)
    models.TwinOrder.objects.create(ref="stray", amount_fen=700, paid_at=world.now, paid_on=world.now.date())
    tomorrow = world.now + timedelta(days=1)
    assert commands.compare_day(on=world.now.date(), actor=SYSTEM, now=tomorrow) == 1
    assert _state(lost) is NoticeState.PAID
    with pytest.raises(AccessRefused):
        queries.list_differences(actor=world.police)
    supervisor = world.supervisor
    open_one = next(one for one in queries.list_differences(actor=supervisor) if one.settled_at is None)
    assert (open_one.kind, open_one.order_ref, open_one.theirs_fen) == ("missing_here", "stray", 700)
    with pytest.raises(ReasonNeeded):
        commands.settle_difference(difference_id=open_one.id, words="", actor=supervisor, now=tomorrow)
    commands.settle_difference(difference_id=open_one.id, words="支付机构测试数据", actor=supervisor, now=tomorrow)
    assert commands.compare_day(on=world.now.date(), actor=SYSTEM, now=tomorrow) == 0
    (line,) = queries.list_days(actor=supervisor)
    assert (line.orders, line.open_differences, line.differences) == (2, 0, 2)
    assert (line.ours_fen, line.theirs_fen) == (14000, 14700)
