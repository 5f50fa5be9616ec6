from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import UTC, datetime
from uuid import UUID

import pytest
from django.db import connection, transaction

from furong.foundation.access.errors import SignInNeeded
from furong.foundation.access.values import Actor, ActorKind
from furong.foundation.codes.ids import new_id
from furong.foundation.identity import queries as identity
from furong.foundation.jobs import queries as jobs
from furong.foundation.jobs import worker
from furong.foundation.notices import ports
from furong.foundation.notices.commands import mark_all_read, mark_read, send
from furong.foundation.notices.errors import ChannelError, MessageNotFound, TemplateUnknownError
from furong.foundation.notices.queries import count_unread, get_message, list_messages, list_messages_of_case
from furong.foundation.notices.templates import TEMPLATES

NOW = datetime(2026, 11, 3, 8, 30, tzinfo=UTC)
ITEM = {"zh": "出生登记", "en": "birth registration"}
PARAMS = {"item": ITEM, "number": "N-1", "due_on": ""}

pytestmark = pytest.mark.usefixtures("database")


class Directory:
    """Accounts as identity would know them, without its tables."""

    def __init__(self) -> None:
        self.phones: dict[UUID, str] = {}
        self.languages: dict[UUID, str] = {}
        self.accounts: dict[UUID, UUID] = {}

    def add(self, *, phone: str = "13800001234", language: str = "") -> Actor:
        account_id, person_id = new_id(), new_id()
        self.phones[account_id], self.languages[account_id] = phone, language
        self.accounts[person_id] = account_id
        return Actor(kind=ActorKind.RESIDENT, account_id=account_id, person_id=person_id)


class Found:
    def __init__(self, account_id: UUID, language: str) -> None:
        self.id, self.language = account_id, language


@pytest.fixture
def directory(monkeypatch: pytest.MonkeyPatch) -> Directory:
    made = Directory()

    def find(account_id: UUID | None) -> Found | None:
        return Found(account_id, made.languages[account_id]) if account_id in made.phones else None  # type: ignore[arg-type, index]

    monkeypatch.setattr(identity, "find_account", lambda *, account_id: find(account_id))
    monkeypatch.setattr(identity, "find_account_of_person", lambda *, person_id: find(made.accounts.get(person_id)))
    monkeypatch.setattr(identity, "find_account_id", lambda *, person_id: made.accounts.get(person_id))
    monkeypatch.setattr(identity, "phone_of_account", lambda *, account_id: made.phones.get(account_id, ""))
    return made


@pytest.fixture(autouse=True)
def _twin() -> Iterator[None]:
    yield
    ports.use_sms(ports.SmsTwin())


def twin() -> list[tuple[str, str]]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT recipient, text FROM notices_sms_twin ORDER BY sent_at")
        return cursor.fetchall()


def deliveries() -> list[tuple[str, str]]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT channel, state FROM notices_delivery")
        return cursor.fetchall()


def test_a_message_is_in_the_platform_at_once_in_both_languages(directory: Directory) -> None:
    mother = directory.add()
    case_id = new_id()
    message_id = send(
        template="cases.accepted", params={**PARAMS, "due_on": "2026-11-10"}, account_id=mother.account_id,
        case_id=case_id, now=NOW,
    )  # fmt: skip
    [message] = list_messages(actor=mother)
    assert (message.id, message.at, message.case_id, message.is_read) == (message_id, NOW, case_id, False)
    assert message.title == {"zh": "出生登记：已受理", "en": "birth registration: accepted"}
    assert message.body["zh"] == "您的“出生登记”（N-1）已受理，承诺于 2026年11月10日 前办结。"
    assert message.body["en"].endswith("was accepted and is promised by 10 November 2026.")
    assert list_messages_of_case(case_id=case_id) == [message]


def test_a_text_goes_to_the_phone_and_the_number_stays_out_of_twin_and_log(
    directory: Directory, caplog: pytest.LogCaptureFixture
) -> None:
    mother = directory.add()
    with caplog.at_level(logging.DEBUG):
        send(template="cases.rejected", params=PARAMS, account_id=mother.account_id, now=NOW)
        assert deliveries() == [("sms", "queued")]
        worker.run_until_idle()
    [(recipient, text)] = twin()
    assert recipient == "138****1234"
    assert text.startswith("您的“出生登记”（N-1）不予批准")
    assert deliveries() == [("sms", "sent")]
    assert not [r for r in caplog.records if "13800001234" in r.getMessage() or "13800001234" in repr(r.__dict__)]


def test_a_text_is_written_in_the_language_of_the_account(directory: Directory) -> None:
    mother = directory.add(language="en")
    send(template="cases.rejected", params=PARAMS, person_id=mother.person_id, now=NOW)
    worker.run_until_idle()
    [(_, text)] = twin()
    assert text.startswith("Your “birth registration” (N-1) was rejected")


def test_without_a_number_or_an_account_the_text_is_skipped_and_the_message_waits(directory: Directory) -> None:
    silent = directory.add(phone="")
    send(template="cases.rejected", params=PARAMS, account_id=silent.account_id, now=NOW)
    father = new_id()
    send(template="cases.consent_requested", params={**PARAMS, "due_on": "2026-11-10"}, person_id=father, now=NOW)
    worker.run_until_idle()
    assert twin() == []
    assert deliveries() == [("sms", "skipped")] * 2
    later = Actor(kind=ActorKind.RESIDENT, account_id=new_id(), person_id=father)
    assert [m.template for m in list_messages(actor=later)] == ["cases.consent_requested"]


def test_small_steps_and_messages_for_the_platform_alone_send_no_text(directory: Directory) -> None:
    mother = directory.add()
    send(template="cases.accepted", params=PARAMS, account_id=mother.account_id, now=NOW)
    send(template="cases.rejected", params=PARAMS, account_id=mother.account_id, channels=("in_app",), now=NOW)
    assert (deliveries(), jobs.count_open(), count_unread(actor=mother)) == ([], 0, 2)


def test_a_channel_that_fails_is_tried_again_and_sends_once(
    directory: Directory, monkeypatch: pytest.MonkeyPatch
) -> None:
    from furong.foundation.notices import tasks

    mother = directory.add()
    calls: list[UUID] = []

    class Shaky(ports.SmsTwin):
        def send(self, *, number: str, text: str, message_id: UUID, now: datetime) -> None:
            calls.append(message_id)
            if len(calls) == 1:
                raise ChannelError("the gateway is away")
            super().send(number=number, text=text, message_id=message_id, now=now)

    ports.use_sms(Shaky())
    message_id = send(template="cases.rejected", params=PARAMS, account_id=mother.account_id, now=NOW)
    worker.run_until_idle()
    assert deliveries() == [("sms", "queued")]
    assert message_id is not None
    tasks.send_sms(message_id=message_id, now=NOW)
    tasks.send_sms(message_id=message_id, now=NOW)
    assert (calls, len(twin()), deliveries()) == ([message_id] * 2, 1, [("sms", "sent")])


def test_a_rollback_tells_nobody(directory: Directory) -> None:
    mother = directory.add()
    with transaction.atomic():
        send(template="cases.rejected", params=PARAMS, account_id=mother.account_id, now=NOW)
        transaction.set_rollback(True)
    assert (list_messages(actor=mother), jobs.count_open()) == ([], 0)


def test_under_a_key_a_message_is_sent_once(directory: Directory) -> None:
    mother = directory.add()
    for _ in range(2):
        last = send(template="cases.rejected", params=PARAMS, account_id=mother.account_id, key="k", now=NOW)
    assert last is None
    assert (len(list_messages(actor=mother)), jobs.count_open()) == (1, 1)


def test_nobody_reads_anothers_messages(directory: Directory) -> None:
    mother, other = directory.add(), directory.add()
    message_id = send(template="cases.accepted", params=PARAMS, account_id=mother.account_id, now=NOW)
    assert message_id is not None
    assert list_messages(actor=other) == []
    with pytest.raises(MessageNotFound):
        get_message(message_id=message_id, actor=other)
    with pytest.raises(MessageNotFound):
        mark_read(message_id=message_id, actor=other, now=NOW)
    with pytest.raises(SignInNeeded):
        list_messages(actor=Actor.anonymous())
    assert count_unread(actor=Actor.anonymous()) == 0


def test_a_second_account_of_the_person_does_not_show_what_was_sent_to_the_first(directory: Directory) -> None:
    mother = directory.add()
    send(template="cases.accepted", params=PARAMS, person_id=mother.person_id, now=NOW)
    as_staff = Actor(kind=ActorKind.STAFF, account_id=new_id(), person_id=mother.person_id)
    assert len(list_messages(actor=mother)) == 1
    assert list_messages(actor=as_staff) == []


def test_reading_is_noted_once(directory: Directory) -> None:
    mother = directory.add()
    first = send(template="cases.accepted", params=PARAMS, account_id=mother.account_id, now=NOW)
    send(template="cases.accepted", params=PARAMS, account_id=mother.account_id, now=NOW.replace(hour=9))
    assert first is not None
    mark_read(message_id=first, actor=mother, now=NOW)
    mark_read(message_id=first, actor=mother, now=NOW.replace(hour=10))
    assert get_message(message_id=first, actor=mother).read_at == NOW
    assert count_unread(actor=mother) == 1
    assert mark_all_read(actor=mother, now=NOW) == 1
    assert count_unread(actor=mother) == 0


def test_messages_are_paged_newest_first(directory: Directory) -> None:
    mother = directory.add()
    for hour in range(5):
        send(template="cases.accepted", params=PARAMS, account_id=mother.account_id, now=NOW.replace(hour=hour))
    page = list_messages(actor=mother, limit=2)
    assert [m.at.hour for m in page] == [4, 3]
    assert [m.at.hour for m in list_messages(actor=mother, limit=2, before=page[-1].at)] == [2, 1]


@pytest.mark.parametrize(("template", "params"), [("nobody.registered", PARAMS), ("cases.accepted", {"item": ITEM})])
def test_a_notice_that_could_not_be_written_is_a_fault_when_it_is_sent(
    directory: Directory, template: str, params: dict[str, object]
) -> None:
    mother = directory.add()
    with pytest.raises(TemplateUnknownError):
        send(template=template, params=params, account_id=mother.account_id, now=NOW)
    with pytest.raises(TemplateUnknownError):
        send(template="cases.accepted", params=PARAMS, now=NOW)
    assert list_messages(actor=mother) == []


def test_a_message_of_a_template_that_is_gone_still_shows(
    directory: Directory, monkeypatch: pytest.MonkeyPatch
) -> None:
    mother = directory.add()
    send(template="cases.accepted", params=PARAMS, account_id=mother.account_id, now=NOW)
    monkeypatch.delitem(TEMPLATES, "cases.accepted")
    [message] = list_messages(actor=mother)
    assert message.title["zh"] == "cases.accepted"
