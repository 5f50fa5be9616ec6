"""Reads for an investigation appear when its order of secrecy ends; reads for somebody else's affair name only the body."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from furong.foundation.access.commands import set_post_rights
from furong.foundation.access.errors import AccessRefused, PurposeMissing
from furong.foundation.access.values import Actor, ActorKind, Assurance, Basis, PostRight
from furong.foundation.audit import queries, secrecy
from furong.foundation.audit.commands import record_read
from furong.foundation.audit.errors import SecrecyNotInForce, SecrecyTooLong
from furong.foundation.codes.ids import new_id

pytestmark = pytest.mark.usefixtures("database")
NOW = datetime(2026, 3, 10, 2, 0, tzinfo=UTC)
UNTIL = NOW + timedelta(days=30)
WHY = Basis(purpose="侦查", legal_basis="刑事诉讼法 第一百五十二条")


def staff(organization_id, *, orders: bool = False) -> Actor:
    post = new_id()
    rights = [PostRight(right=secrecy.ORDER, organization_id=organization_id)] if orders else []
    set_post_rights(post_id=post, rights=rights, now=NOW)
    return Actor(
        kind=ActorKind.STAFF, account_id=new_id(), post_id=post, organization_id=organization_id,
        assurance=Assurance.IN_PERSON, label="侦查员", organization_label="公安局",
    )  # fmt: skip


def look(actor: Actor, person_id, basis: Basis, *, at: datetime = NOW) -> None:
    record_read(
        actor=actor, basis=basis, what="a.read", subjects=[person_id], fields=["name"], database="default", now=at
    )


def seen_by(person_id, at: datetime):
    return queries.list_reads_of_person(person_id=person_id, databases=["default"], now=at)


def test_a_read_under_an_order_appears_when_the_order_ends_and_not_before() -> None:
    bureau, person = new_id(), new_id()
    head, detective = staff(bureau, orders=True), staff(bureau)
    order = secrecy.order_secrecy(reference="侦字〔2026〕7号", until=UNTIL, actor=head, basis=WHY, now=NOW)
    secret = replace(WHY, secrecy_order_id=order)
    look(detective, person, WHY)
    look(detective, person, secret)

    assert len(seen_by(person, NOW)) == 1
    assert len(seen_by(person, UNTIL - timedelta(seconds=1))) == 1
    shown = seen_by(person, UNTIL)
    assert sorted(one.kept_back_until is not None for one in shown) == [False, True]
    assert max(one.kept_back_until for one in shown if one.kept_back_until) == UNTIL
    assert len(queries.list_entries(database="default", limit=10)) >= 3  # an auditor sees them at once

    secrecy.end_secrecy(order_id=order, until=UNTIL + timedelta(days=9), actor=head, basis=WHY, now=NOW)
    assert len(seen_by(person, UNTIL)) == 1
    secrecy.end_secrecy(order_id=order, until=NOW, actor=head, basis=WHY, now=NOW + timedelta(hours=1))
    assert len(seen_by(person, NOW + timedelta(hours=1))) == 2
    with pytest.raises(SecrecyNotInForce):
        look(detective, person, secret, at=NOW + timedelta(hours=2))
    with pytest.raises(SecrecyNotInForce):
        secrecy.end_secrecy(order_id=order, until=UNTIL, actor=head, basis=WHY, now=NOW + timedelta(hours=2))


def test_nobody_reads_under_an_order_of_their_own_or_of_another_organisation() -> None:
    bureau, person = new_id(), new_id()
    head = staff(bureau, orders=True)
    order = secrecy.order_secrecy(reference="7", until=UNTIL, actor=head, basis=WHY, now=NOW)
    for actor, key in ((head, order), (staff(new_id()), order), (staff(bureau), new_id())):
        with pytest.raises(SecrecyNotInForce):
            look(actor, person, replace(WHY, secrecy_order_id=key))
    assert seen_by(person, UNTIL) == []


def test_an_order_wants_the_right_a_reason_and_an_end_within_half_a_year() -> None:
    bureau = new_id()

    def order(actor=None, *, until=UNTIL, basis=WHY, reference="7"):
        secrecy.order_secrecy(
            reference=reference, until=until, actor=actor or staff(bureau, orders=True), basis=basis, now=NOW
        )

    with pytest.raises(AccessRefused):
        order(staff(bureau))
    for missing in ({"basis": Basis(purpose="侦查")}, {"reference": " "}):
        with pytest.raises(PurposeMissing):
            order(**missing)
    for until in (NOW, NOW + timedelta(days=200)):
        with pytest.raises(SecrecyTooLong):
            order(until=until)


def test_who_is_read_along_with_somebody_learns_which_body_looked_and_nothing_of_the_affair() -> None:
    bureau, asked_about, mother = new_id(), new_id(), new_id()
    basis = replace(WHY, about=asked_about, case_id=new_id())
    clerk = staff(bureau)
    for person in (asked_about, mother):
        look(clerk, person, basis)
    (own,), (along,) = seen_by(asked_about, NOW), seen_by(mother, NOW)
    assert (own.purpose, own.case_id, own.post_label, own.is_of_other) == (WHY.purpose, basis.case_id, "侦查员", False)
    assert (along.organization_label, along.fields, along.is_of_other) == ("公安局", ("name",), True)
    assert (along.what, along.purpose, along.legal_basis, along.case_id, along.post_label) == ("", "", "", None, "")
