"""Drafts and submission: saved page by page, handed in once."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import textwrap
import threading
from uuid import UUID

import pytest
from django.db import connections

from furong.domains.cases import commands, models, ports, queries
from furong.domains.cases.commands.drafting import KEPT_ASIDE
from furong.domains.cases.errors import (
    DraftAlreadySubmitted,
    DraftChanged,
    DraftNotFound,
    FormChanged,
    FormNotValid,
    ItemNotOffered,
)
from furong.domains.cases.values.drafts import FieldDescription, FormDescription
from furong.foundation.access.errors import AccessRefused, AssuranceTooLow, SignInNeeded
from furong.foundation.access.values import Actor, ActorKind, Assurance
from furong.foundation.codes.ids import new_id
from tests.factories.newborn import DIVISION, World, another_family


def test_a_draft_is_saved_page_by_page_and_waits_for_its_owner(town: World) -> None:
    draft_id = commands.open_draft(
        life_event_code="newborn", item_codes=(), division_code=DIVISION, actor=town.mother, now=town.now
    )
    commands.save_draft(
        draft_id=draft_id, page="child", answers={"newborn.name": "周念荷"}, actor=town.mother, now=town.now
    )
    commands.save_draft(
        draft_id=draft_id,
        page="household",
        answers={"newborn.household_with": "mother"},
        actor=town.mother,
        now=town.later(3),
    )
    again = commands.open_draft(
        life_event_code="newborn", item_codes=(), division_code=DIVISION, actor=town.mother, now=town.now
    )
    found = queries.get_draft(draft_id=again, actor=town.mother)
    assert again == draft_id
    assert found.answers == {"newborn.name": "周念荷", "newborn.household_with": "mother"}
    assert found.pages_done == ("child", "household")


def test_a_draft_is_nobody_elses(town: World) -> None:
    draft_id = town.draft()
    with pytest.raises(DraftNotFound):
        queries.get_draft(draft_id=draft_id, actor=town.father)
    with pytest.raises(DraftNotFound):
        commands.save_draft(draft_id=draft_id, page="child", answers={}, actor=town.father, now=town.now)
    with pytest.raises(DraftNotFound):
        commands.submit_application(draft_id=draft_id, actor=town.father, now=town.now)


def test_staff_and_strangers_open_no_draft(town: World) -> None:
    for actor, refusal in ((town.police, AccessRefused), (Actor.anonymous(), SignInNeeded)):
        with pytest.raises(refusal):
            commands.open_draft(
                life_event_code="newborn", item_codes=(), division_code=DIVISION, actor=actor, now=town.now
            )


def test_the_same_answers_sent_again_with_the_old_version_are_saved_already(town: World) -> None:
    draft_id = town.draft()
    version = queries.get_draft(draft_id=draft_id, actor=town.mother).version

    def send(name: str) -> int:
        return commands.save_draft(
            draft_id=draft_id,
            page="child",
            answers={"newborn.name": name, "newborn.nickname": None},
            expected_version=version,
            actor=town.mother,
            now=town.now,
        )

    saved = send("周甲")
    assert send("周甲") == saved
    assert queries.get_draft(draft_id=draft_id, actor=town.mother).version == saved
    with pytest.raises(DraftChanged):
        send("周乙")
    assert queries.get_draft(draft_id=draft_id, actor=town.mother).answers["newborn.name"] == "周甲"


def test_two_windows_do_not_overwrite_each_other(town: World) -> None:
    draft_id = town.draft()
    version = queries.get_draft(draft_id=draft_id, actor=town.mother).version
    commands.save_draft(
        draft_id=draft_id,
        page="child",
        answers={"newborn.name": "甲"},
        expected_version=version,
        actor=town.mother,
        now=town.now,
    )
    with pytest.raises(DraftChanged):
        commands.save_draft(
            draft_id=draft_id,
            page="child",
            answers={"newborn.name": "乙"},
            expected_version=version,
            actor=town.mother,
            now=town.now,
        )
    assert queries.get_draft(draft_id=draft_id, actor=town.mother).answers["newborn.name"] == "甲"


def test_a_draft_nobody_touches_is_thrown_away_with_its_answers(world: World) -> None:
    draft_id = world.draft()
    assert commands.sweep_old_drafts(now=world.later(100)) == 0
    assert commands.sweep_old_drafts(now=world.later(100)) == 1
    with pytest.raises(DraftNotFound):
        queries.get_draft(draft_id=draft_id, actor=world.mother)
    assert models.Draft.objects.get(id=draft_id).answers == {}


def test_an_application_has_one_case_per_item_and_a_number_that_tells_nothing_of_the_person(world: World) -> None:
    application_id = world.submit()
    view = world.view(application_id)
    assert re.fullmatch(r"4302·2026·1123·00001", view.number)
    assert [lane.number for lane in view.lanes] == [f"{view.number}-{n}" for n in range(1, 7)]
    assert len({lane.item_code for lane in view.lanes}) == 6
    assert queries.find_application_of_draft(
        draft_id=models.Application.objects.get(id=application_id).draft_id, actor=world.mother
    ) == (application_id)


def test_every_fact_names_its_source(town: World) -> None:
    view = town.view(town.submit())
    by_element = {a.element: a for a in view.answers}
    assert by_element["newborn.name"].source == "applicant"
    assert by_element["mother.name"].source == "register"
    assert by_element["mother.name"].source_label["zh"] == "人口库"
    assert by_element["newborn.sex"].source_label["zh"] == "医院出生记录"
    assert by_element["newborn.sex"].legal_basis
    typed = [a for a in view.answers if a.source == "applicant"]
    assert len(typed) == 4
    submitted = next(line for line in view.timeline if line.code == "application.submitted")
    assert "您填写了 4 项" in submitted.text["zh"]


def test_the_same_draft_submitted_twice_is_one_application(world: World) -> None:
    draft_id = world.draft()
    first = commands.submit_application(draft_id=draft_id, actor=world.mother, now=world.now)
    second = commands.submit_application(draft_id=draft_id, actor=world.mother, now=world.later(1))
    assert (second.application_id, second.number, second.repeated) == (first.application_id, first.number, True)
    assert models.Application.objects.count() == 1
    assert models.Case.objects.count() == 6


def test_the_same_draft_submitted_at_once_by_many_is_one_application(world: World) -> None:
    draft_id = world.draft()
    mother, now = world.mother, world.now
    gate, results, errors = threading.Barrier(6), [], []

    def send() -> None:
        try:
            gate.wait()
            results.append(commands.submit_application(draft_id=draft_id, actor=mother, now=now))
        except Exception as error:  # noqa: BLE001 - the assertion below shows it
            errors.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=send) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors
    assert len({r.application_id for r in results}) == 1
    assert [r.repeated for r in results].count(False) == 1
    assert models.Case.objects.count() == 6


def test_numbers_are_unique_and_without_gaps_when_many_apply_at_once(world: World) -> None:
    for number in range(8):
        world.actors[f"mother{number}"] = another_family(number + 1)["mother"]
    mothers = [f"mother{number}" for number in range(8)]
    drafts = [(world.draft(items=("vaccination_record",), by=by), world.actors[by]) for by in mothers]
    now, numbers = world.now, []

    def send(draft_id: UUID, mother: Actor) -> None:
        try:
            numbers.append(commands.submit_application(draft_id=draft_id, actor=mother, now=now).number)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=send, args=d) for d in drafts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(numbers) == [f"4302·2026·1123·{n:05d}" for n in range(1, 9)]


_KILLED = """
import os, signal, sys
from uuid import UUID
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "furong.entrypoints.settings")
import django; django.setup()
from datetime import datetime
from django.db import transaction
from furong.domains.cases import commands
from tests.factories.newborn import actor_of
where, draft_id, now = sys.argv[1], UUID(sys.argv[2]), datetime.fromisoformat(sys.argv[3])
actor = actor_of("mother")
if where == "before_commit":
    with transaction.atomic():
        commands.submit_application(draft_id=draft_id, actor=actor, now=now)
        os.kill(os.getpid(), signal.SIGKILL)
commands.submit_application(draft_id=draft_id, actor=actor, now=now)
os.kill(os.getpid(), signal.SIGKILL)  # committed, and the reply never leaves
"""


@pytest.mark.parametrize(("where", "left"), [("before_commit", 0), ("before_reply", 1)])
def test_a_kill_between_commit_and_reply_loses_nothing_and_doubles_nothing(world: World, where: str, left: int) -> None:
    draft_id = world.draft()
    killed = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(_KILLED), where, str(draft_id), world.now.isoformat()],
        env=os.environ | {"PYTHONPATH": "src:."},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert killed.returncode == -signal.SIGKILL, killed.stderr[-2000:]
    assert models.Application.objects.count() == left
    done = commands.submit_application(draft_id=draft_id, actor=world.mother, now=world.later(1))
    assert done.repeated is bool(left)
    assert models.Application.objects.count() == 1
    assert models.Case.objects.count() == 6


def test_an_incomplete_draft_is_refused_with_the_fields_and_kept(town: World) -> None:
    draft_id = town.draft(newborn__name="")
    with pytest.raises(FormNotValid) as refused:
        commands.submit_application(draft_id=draft_id, actor=town.mother, now=town.now)
    assert refused.value.params["fields"] == ["newborn.name"]
    assert queries.get_draft(draft_id=draft_id, actor=town.mother).answers["newborn.household_with"] == "mother"


def test_what_a_register_holds_cannot_be_typed_over(town: World) -> None:
    application_id = town.submit(mother__name="冒名", newborn__sex="9")
    by_element = {a.element: a.value for a in town.view(application_id).answers}
    assert by_element["mother.name"] == "李芷宁"
    assert by_element["newborn.sex"] in {"1", "2"}


def test_a_submitted_draft_can_no_longer_be_changed_and_keeps_no_second_copy(town: World) -> None:
    draft_id = town.draft()
    commands.submit_application(draft_id=draft_id, actor=town.mother, now=town.now)
    with pytest.raises(DraftAlreadySubmitted):
        commands.save_draft(draft_id=draft_id, page="child", answers={}, actor=town.mother, now=town.now)
    assert models.Draft.objects.get(id=draft_id).answers == {}


def test_an_account_that_is_bound_to_nobody_cannot_submit(town: World) -> None:
    stranger = Actor(kind=ActorKind.RESIDENT, account_id=new_id(), person_id=new_id(), assurance=Assurance.REGISTERED)
    draft_id = commands.open_draft(
        life_event_code="newborn", item_codes=(), division_code=DIVISION, actor=stranger, now=town.now
    )
    with pytest.raises(AssuranceTooLow):
        commands.submit_application(draft_id=draft_id, actor=stranger, now=town.now)


def test_an_unknown_service_is_refused(town: World) -> None:
    with pytest.raises(ItemNotOffered):
        commands.open_draft(
            life_event_code="moon_landing", item_codes=(), division_code=DIVISION, actor=town.mother, now=town.now
        )


class NewVersion:
    """The planner with another version of the form: one question gone, one changed, one new and required."""

    def __init__(self, inner: ports.Services) -> None:
        self.inner = inner
        self.old = ""

    def __getattr__(self, name: str) -> object:
        return getattr(self.inner, name)

    def form_digest(self, **kwargs: object) -> str:
        self.old = self.inner.form_digest(**kwargs)  # type: ignore[arg-type]
        return "f" * 64

    def describe_form(self, *, digest: str, **kwargs: object) -> FormDescription:
        if digest != "f" * 64:
            return self.inner.describe_form(digest=digest, **kwargs)  # type: ignore[arg-type]
        old = self.inner.describe_form(digest=self.old, **kwargs)  # type: ignore[arg-type]
        fields = dict(old.fields)
        del fields["benefit.account_number"]
        before = fields["delivery.method"]
        fields["delivery.method"] = FieldDescription(
            key=before.key, label=before.label, page=before.page, element=before.element, required=True, shape="new"
        )
        fields["newborn.nickname"] = FieldDescription(
            key="newborn.nickname", label={"zh": "乳名"}, page="child", element="newborn.nickname", required=True
        )
        return FormDescription(digest=digest, fields=fields)


def test_a_form_that_changed_under_a_draft_loses_nothing_and_lists_what_to_check(town: World) -> None:
    draft_id = town.draft()
    before = queries.get_draft(draft_id=draft_id, actor=town.mother).answers
    usual = ports.services()
    ports.bind(services=NewVersion(usual))  # type: ignore[arg-type]
    try:
        with pytest.raises(FormChanged):
            commands.submit_application(draft_id=draft_id, actor=town.mother, now=town.now)
        assert commands.refresh_draft(draft_id=draft_id, actor=town.mother, now=town.now)
        assert not commands.refresh_draft(draft_id=draft_id, actor=town.mother, now=town.now)
        found = queries.get_draft(draft_id=draft_id, actor=town.mother)
        assert {**found.answers, **found.kept_aside} == before
        assert set(found.kept_aside) == {"benefit.account_number"}
        assert {line["key"]: line["why"] for line in found.to_check} == {
            "benefit.account_number": "removed",
            "delivery.method": "changed",
            "newborn.nickname": "new",
        }
        with pytest.raises(FormChanged):
            commands.submit_application(draft_id=draft_id, actor=town.mother, now=town.now)
        commands.save_draft(
            draft_id=draft_id,
            page=found.to_check[0]["page"] or "benefits",
            answers={"delivery.method": "electronic", "newborn.nickname": "荷荷"},
            actor=town.mother,
            now=town.now,
        )
    finally:
        ports.bind(services=usual)
    # The old version comes back: what was kept aside is taken up again.
    assert commands.refresh_draft(draft_id=draft_id, actor=town.mother, now=town.now)
    stored = models.Draft.objects.get(id=draft_id).answers
    assert stored["benefit.account_number"] == before["benefit.account_number"]
    assert stored[KEPT_ASIDE] == {"newborn.nickname": "荷荷"}
