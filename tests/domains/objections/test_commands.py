"""An objection from filing to correction: who may do what, in which term, and who is told."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db import connection

from furong.domains.catalogue.errors import ResourceMissing
from furong.domains.objections import commands, models, queries
from furong.domains.objections.errors import (
    AlreadyObjected,
    ItemUnknown,
    ObjectionMoved,
    ObjectionNotFound,
    SubjectNotYours,
    WordsNeeded,
    WrongSinceLater,
)
from furong.domains.objections.values import Act, State, Subject
from furong.foundation.access.commands import set_post_rights
from furong.foundation.access.errors import AccessRefused, AssuranceTooLow, SignInNeeded
from furong.foundation.access.values import Actor, ActorKind, Assurance, Basis, PostRight
from furong.foundation.audit import queries as audit
from furong.foundation.audit.commands import record_read
from furong.foundation.codes.ids import new_id
from tests.domains.catalogue.reading import NOW
from tests.domains.catalogue.test_queries import officer, organization, reviewer, staff

pytestmark = pytest.mark.usefixtures("platform")

RESOURCE, ITEM = "population_persons", "name"
WORDS = "登记的姓名与户口簿不一致。"


def resident(person_id: UUID | None = None) -> Actor:
    return Actor(
        kind=ActorKind.RESIDENT,
        account_id=new_id(),
        person_id=person_id or new_id(),
        assurance=Assurance.VERIFIED,
    )


def file(actor: Actor, *, person_id: UUID | None = None, **other: Any) -> UUID:
    given: dict[str, Any] = {
        "resource_code": RESOURCE,
        "item_code": ITEM,
        "subject": Subject(person_id=person_id or actor.person_id),
        "found": WORDS,
        "wanted": "",
    }
    return commands.file_objection(**{**given, **other}, actor=actor, now=NOW)


def state(objection_id: UUID) -> State:
    return State(models.Objection.objects.get(id=objection_id).state)


def told(template: str) -> list[UUID]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT account_id FROM notices_message WHERE template = %s ORDER BY created_at", [template])
        return [row[0] for row in cursor.fetchall()]


def reads(actor: Actor, person_id: UUID, field: str, *, days_ago: int) -> None:
    record_read(
        actor=actor,
        basis=Basis(purpose="case", legal_basis="国务院令第716号"),
        what="population.get_person",
        subjects=[person_id],
        fields=[field],
        now=NOW - timedelta(days=days_ago),
    )


def test_every_reader_of_the_wrong_value_is_told_once_it_is_corrected_and_nobody_else() -> None:
    person = resident()
    assert person.person_id is not None
    clerk, other, before = (staff(PostRight(right="cases.handle", everywhere=True)) for _ in range(3))
    for _ in range(3):
        reads(clerk, person.person_id, "name", days_ago=2)
    reads(other, person.person_id, "born_on", days_ago=2)
    reads(before, person.person_id, "name", days_ago=40)
    reads(person, person.person_id, "name", days_ago=1)
    filed = file(person)

    count = commands.correct(
        objection_id=filed,
        words="已按出生证更正。",
        wrong_since=date(2026, 11, 1),
        actor=officer("police"),
        now=NOW,
    )

    assert count == 1
    assert told("objections.read_wrong") == [clerk.account_id]
    assert told("objections.corrected") == [person.account_id]
    view = queries.get_objection(objection_id=filed, actor=person, now=NOW)
    assert (view.line.state, view.line.readers_told) == (State.CORRECTED, 1)
    assert [step.act for step in view.steps] == [Act.FILE, Act.CORRECT]
    assert not view.may


def test_without_a_day_everybody_who_ever_read_it_is_told() -> None:
    person = resident()
    assert person.person_id is not None
    long_ago = staff(PostRight(right="cases.handle", everywhere=True))
    reads(long_ago, person.person_id, "name", days_ago=400)
    filed = file(person)
    assert commands.correct(objection_id=filed, words="已更正", wrong_since=None, actor=officer("police"), now=NOW) == 1


def test_the_provider_has_ten_working_days_and_then_the_data_authority_is_asked_once() -> None:
    person, authority = resident(), reviewer()
    filed = file(person)
    row = models.Objection.objects.get(id=filed)
    assert row.due_on == date(2026, 12, 7)  # ten working days after Monday 23 November
    with pytest.raises(ObjectionMoved):
        commands.rule(objection_id=filed, upheld=True, words="应当更正", actor=authority, now=NOW)
    on_time = NOW + timedelta(days=14)
    assert commands.escalate_late(now=on_time) == 0
    late = NOW + timedelta(days=15)
    assert commands.escalate_late(now=late) == 1
    assert commands.escalate_late(now=late) == 0
    assert queries.list_to_answer(actor=authority, now=late)[0].is_late
    commands.rule(objection_id=filed, upheld=True, words="应当更正", actor=authority, now=late)
    assert state(filed) is State.UPHELD
    commands.correct(objection_id=filed, words="已更正", wrong_since=None, actor=officer("police"), now=late)
    assert state(filed) is State.CORRECTED


def test_a_refusal_is_answered_with_reasons_and_can_be_brought_before_the_data_authority() -> None:
    person, provider, authority = resident(), officer("police"), reviewer()
    filed = file(person)
    with pytest.raises(WordsNeeded):
        commands.refuse(objection_id=filed, words="  ", actor=provider, now=NOW)
    commands.refuse(objection_id=filed, words="与出生医学证明一致。", actor=provider, now=NOW)
    view = queries.get_objection(objection_id=filed, actor=person, now=NOW)
    assert view.may == {Act.ASK_RULING}
    assert view.steps[-1].words == "与出生医学证明一致。"
    too_late = NOW + timedelta(days=20)
    with pytest.raises(ObjectionMoved):
        commands.ask_ruling(objection_id=filed, words="不同意", actor=person, now=too_late)
    commands.ask_ruling(objection_id=filed, words="不同意", actor=person, now=NOW)
    with pytest.raises(AccessRefused):
        commands.rule(objection_id=filed, upheld=False, words="数据无误", actor=provider, now=NOW)
    commands.rule(objection_id=filed, upheld=False, words="数据无误", actor=authority, now=NOW)
    assert state(filed) is State.CONFIRMED
    assert told("objections.ruled")[0] == person.account_id


def test_nobody_but_the_two_sides_and_the_data_authority_sees_an_objection() -> None:
    person = resident()
    filed = file(person)
    strangers = (resident(), officer("civil_affairs"), staff(PostRight(right="cases.handle", everywhere=True)))
    for actor in strangers:
        with pytest.raises(ObjectionNotFound):
            queries.get_objection(objection_id=filed, actor=actor, now=NOW)
        assert queries.list_to_answer(actor=actor, now=NOW) == []
        assert queries.list_filed(actor=actor, now=NOW) == []
        assert queries.list_of_resource(actor=actor, resource_code=RESOURCE, now=NOW) == []
        with pytest.raises((ObjectionNotFound, AccessRefused)):
            commands.correct(objection_id=filed, words="已更正", wrong_since=None, actor=actor, now=NOW)
        with pytest.raises(ObjectionNotFound):
            commands.withdraw(objection_id=filed, actor=actor, now=NOW)
    for actor in (person, officer("police"), reviewer()):
        assert queries.get_objection(objection_id=filed, actor=actor, now=NOW).found == WORDS


def test_staff_who_look_at_an_objection_leave_a_trace_that_the_person_reads() -> None:
    person, provider = resident(), officer("police")
    assert person.person_id is not None
    filed = file(person)
    queries.get_objection(objection_id=filed, actor=provider, now=NOW)
    found = audit.list_reads_of_person(person_id=person.person_id)
    assert [one.purpose for one in found if one.what == "objections.get_objection"] == ["objection"]


def test_a_resident_objects_to_their_own_data_only_and_under_their_confirmed_name() -> None:
    person = resident()
    with pytest.raises(SubjectNotYours):
        file(person, person_id=new_id())
    with pytest.raises(AssuranceTooLow):
        file(replace(person, assurance=Assurance.REGISTERED))
    with pytest.raises(SignInNeeded):
        file(Actor.anonymous(), person_id=new_id())


def test_one_value_is_objected_to_once_at_a_time() -> None:
    person = resident()
    first = file(person)
    with pytest.raises(AlreadyObjected):
        file(person)
    commands.withdraw(objection_id=first, actor=person, now=NOW)
    assert file(person) != first


def test_staff_object_to_what_they_may_see_and_their_office_answers_for_it() -> None:
    post_id, other_post, office = new_id(), new_id(), organization("medical_insurance")
    for post in (post_id, other_post):
        set_post_rights(post_id=post, rights=[PostRight(right="cases.handle", organization_id=office)], now=NOW)
    clerk = Actor(kind=ActorKind.STAFF, account_id=new_id(), post_id=post_id, organization_id=office, label="窗口岗")
    colleague = replace(clerk, account_id=new_id(), post_id=other_post)
    filed = file(clerk, person_id=new_id())
    assert [line.id for line in queries.list_filed(actor=colleague, now=NOW)] == [filed]
    with pytest.raises(ItemUnknown):
        file(clerk, person_id=new_id(), item_code="no_such_item")
    with pytest.raises(ResourceMissing):
        file(clerk, resource_code="adoptions", item_code="adopted", person_id=new_id())
    commands.withdraw(objection_id=filed, actor=colleague, now=NOW)
    assert state(filed) is State.WITHDRAWN


def test_a_value_cannot_have_been_wrong_only_since_after_the_objection() -> None:
    filed = file(resident())
    with pytest.raises(WrongSinceLater):
        commands.correct(
            objection_id=filed, words="已更正", wrong_since=date(2026, 12, 1), actor=officer("police"), now=NOW
        )
    assert state(filed) is State.FILED
