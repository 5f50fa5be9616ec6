"""A small world for cases: the Hunan pack, a couple with a newborn, their accounts, an officer in each department.

Time is the test's: ``World.now`` is a working day, ``World.on`` moves it, and ``run_jobs`` runs what was deferred with that time.
"""

from __future__ import annotations

import inspect
import typing
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import yaml
from django.db import connection

from furong.domains.cases import commands, queries, twins
from furong.domains.catalogue.grants.demo import load_grants
from furong.domains.processes import queries as process_queries
from furong.foundation.access.values import Actor, ActorKind, Assurance, Basis
from furong.foundation.codes.identity_numbers import make_identity_number
from furong.foundation.events.values import from_json
from furong.foundation.identity import queries as identity
from furong.foundation.identity.commands import accounts, demo
from furong.foundation.jobs.commands import JOBS
from furong.foundation.organizations import queries as organizations
from furong.foundation.packs import commands as packs
from furong.registries.population import commands as population

PACK = Path(__file__).resolve().parents[2] / "packs" / "hunan"
SYSTEM = Actor.system("tests")
WHY = Basis(purpose="test", legal_basis="test")
ZONE = ZoneInfo("Asia/Shanghai")
# A Monday without a holiday near.
MONDAY = datetime(2026, 11, 23, 9, 0, tzinfo=ZONE).astimezone(UTC)
DIVISION = "430202001000"


def fill() -> None:
    """Import the pack and make the couple, the hospital's record and the accounts."""
    packs.import_pack(path=PACK, actor=SYSTEM, now=MONDAY)
    mother, father = couple(0)
    spec = yaml.safe_load((PACK / "demo" / "accounts.yaml").read_text())
    demo.create_demo_accounts(spec=spec, persons={"mother": mother, "father": father}, actor=SYSTEM, now=MONDAY)
    load_grants(spec=yaml.safe_load((PACK / "demo" / "grants.yaml").read_text()), actor=SYSTEM, now=MONDAY)


def couple(number: int) -> tuple[UUID, UUID]:
    """Register the ``number``-th couple of the world with their marriage, a birth on record and her insurance."""
    home = population.open_household(division_code=DIVISION, address="荷叶街 1 号", actor=SYSTEM, basis=WHY, now=MONDAY)
    father = _person("周亦衡", "1", date(1994, 3, 8), home, 2 * number + 11)
    mother = _person("李芷宁", "2", date(1995, 7, 20), home, 2 * number + 12)
    population.record_marriage(
        person_id=mother,
        spouse_person_id=father,
        married_on=date(2023, 5, 20),
        evidence="test",
        actor=SYSTEM,
        basis=WHY,
        now=MONDAY,
    )
    twins.load_marriages(couples=[(mother, father)], registered_on=date(2023, 5, 20), division_code="430202", seed=7)
    twins.load_births(
        mothers=[mother],
        hospital_name={"zh": "市妇幼保健院", "en": "Maternity Hospital"},
        hospital_code="124302000000000000",
        division_code="430200",
        born_before=MONDAY,
        seed=7,
    )
    twins.load_insured(people=[mother], seed=7)
    return mother, father


def another_family(number: int) -> dict[str, Actor]:
    """Give the actors of another couple with accounts of their own."""
    actors = {}
    for role, person_id in zip(("mother", "father"), couple(number), strict=True):
        account_id = accounts.register_resident(
            username=f"{role}{number}", password="furong-tests-2026", actor=SYSTEM, now=MONDAY
        )
        accounts.bind_person(account_id=account_id, person_id=person_id, display_name=role, actor=SYSTEM, now=MONDAY)
        actors[role] = actor_of(f"{role}{number}")
    return actors


def _person(name: str, sex: str, born_on: date, home: UUID, sequence: int) -> UUID:
    odd = sequence * 2 + (1 if sex == "1" else 0)
    return population.register_person(
        name=name,
        sex=sex,
        ethnicity="01",
        born_on=born_on,
        number=make_identity_number("430291", born_on, odd),
        household_id=home,
        allow_reserved=True,
        actor=SYSTEM,
        basis=WHY,
        now=MONDAY,
    )


def actor_of(username: str) -> Actor:
    """The actor that a demo account is, in its main post."""
    from django.contrib.auth import get_user_model

    account = get_user_model().objects.get(username=username)
    if account.kind == "resident":
        return Actor(
            kind=ActorKind.RESIDENT,
            account_id=account.id,
            person_id=account.person_id,
            assurance=Assurance(account.assurance),
        )
    seat = organizations.posts_of_account(account_id=account.id, on=MONDAY.date())[0]
    found = identity.get_account(account_id=account.id)
    return Actor(
        kind=ActorKind.STAFF,
        account_id=account.id,
        person_id=found.person_id,
        post_id=seat.post_id,
        organization_id=seat.organization_id,
        division_code=seat.division_code,
        assurance=Assurance.IN_PERSON,
        label=seat.title.zh,
        organization_label=seat.organization.zh,
    )


ANSWERS: Mapping[str, Any] = {
    "newborn.name": "周念荷",
    "newborn.household_with": "mother",
    "benefit.account_number": "6222020000000000000",
    "delivery.method": "electronic",
}
OFFICER = {
    "birth_certificate": "hospital",
    "household_registration": "police",
    "medical_insurance_enrolment": "insurance",
    "maternity_benefit": "insurance",
    "social_security_card": "social",
    "vaccination_record": "vaccination",
}


@dataclass
class World:
    """The actors and the time of a test."""

    now: datetime = MONDAY
    actors: dict[str, Actor] = field(default_factory=dict)

    def __getattr__(self, name: str) -> Actor:
        if name.startswith("_"):
            raise AttributeError(name)
        if name not in self.actors:
            self.actors[name] = actor_of(name)
        return self.actors[name]

    def on(self, day: date, hour: int = 9) -> datetime:
        """Move to a local day and return the moment."""
        self.now = datetime(day.year, day.month, day.day, hour, tzinfo=ZONE).astimezone(UTC)
        return self.now

    def later(self, days: int) -> datetime:
        """Move on by natural days."""
        self.now += timedelta(days=days)
        return self.now

    def next_family(self) -> None:
        """Let ``mother`` and ``father`` be another couple with a birth of their own: one birth is applied for once."""
        from django.contrib.auth import get_user_model

        made = get_user_model().objects.filter(username__startswith="mother").count()
        self.actors |= another_family(120 + made)

    # --- acts -------------------------------------------------------------------------------------------------

    def draft(self, *, items: tuple[str, ...] = (), event: str = "newborn", by: str = "mother", **answers: Any) -> UUID:
        """Save a complete draft and return its key."""
        actor = getattr(self, by)
        draft_id = commands.open_draft(
            life_event_code=event,
            item_codes=items,
            division_code=DIVISION,
            actor=actor,
            now=self.now,
            fresh=True,
        )
        commands.save_draft(
            draft_id=draft_id,
            page="child",
            answers={**ANSWERS, **{k.replace("__", "."): v for k, v in answers.items()}},
            actor=actor,
            now=self.now,
        )
        return draft_id

    def submit(
        self, *, items: tuple[str, ...] = (), event: str = "newborn", by: str = "mother", **answers: Any
    ) -> UUID:
        """Submit an application and run what it deferred; returns its key."""
        draft_id = self.draft(items=items, event=event, by=by, **answers)
        done = commands.submit_application(draft_id=draft_id, actor=getattr(self, by), now=self.now)
        self.run_jobs()
        return done.application_id

    def view(self, application_id: UUID, by: str = "mother") -> Any:
        """The application as the applicant sees it."""
        return queries.application_view(application_id=application_id, actor=getattr(self, by), now=self.now)

    def case(self, application_id: UUID, item: str) -> UUID:
        """The key of an item's case."""
        lanes = self.view(application_id).lanes
        return next(lane.case_id for lane in lanes if lane.item_code == item)

    def lane(self, application_id: UUID, item: str) -> Any:
        """The lane of an item."""
        return next(lane for lane in self.view(application_id).lanes if lane.item_code == item)

    def consent(self, application_id: UUID, by: str = "father") -> None:
        """Let the other parent consent."""
        actor = getattr(self, by)
        for asked in queries.list_consents_asked_of(actor=actor, open_only=True):
            if asked.application_id == application_id:
                commands.give_consent(consent_id=asked.id, actor=actor, now=self.now)
        self.run_jobs()

    def work(self, application_id: UUID, item: str, *, until: str = "approved") -> None:
        """Let the officer accept, review and approve an item, step by step, and run what follows."""
        officer = getattr(self, OFFICER[item])
        case_id = self.case(application_id, item)
        for _ in range(6):
            self.run_jobs()
            tasks = process_queries.list_tasks_of(business_key=str(case_id), only_open=True)
            if not tasks:
                break
            task = tasks[0]
            if task.kind == "acceptance":
                commands.accept_case(case_id=case_id, actor=officer, now=self.now)
            elif task.kind == "review":
                commands.complete_step(task_id=task.id, outcome=task.outcomes[0], actor=officer, now=self.now)
            elif until == "approved":
                commands.approve_case(case_id=case_id, actor=officer, now=self.now)
            if task.kind == until:
                break
        self.run_jobs()

    def run_jobs(self, limit: int = 200) -> list[str]:
        """Run what was deferred, with the test's time, each as a worker would; returns the names of what ran."""
        ran: list[str] = []
        for number, name, arguments in self._due(limit):
            declared = JOBS[name]
            hints = typing.get_type_hints(declared.function)
            values = {k: from_json(hints.get(k, Any), v) for k, v in arguments.items()}
            if "now" in inspect.signature(declared.function).parameters:
                values.setdefault("now", self.now)
            declared.function(**values)
            with connection.cursor() as cursor:
                cursor.execute("UPDATE procrastinate_jobs SET status = 'succeeded' WHERE id = %s", [number])
            ran.append(name)
        return ran

    def _due(self, limit: int) -> Iterator[tuple[int, str, dict[str, Any]]]:
        import json

        for _ in range(limit):
            with connection.cursor() as cursor:
                cursor.execute(
                    "SELECT id, task_name, args FROM procrastinate_jobs WHERE status = 'todo' ORDER BY id LIMIT 1"
                )
                row = cursor.fetchone()
            if row is None:
                return
            yield row[0], row[1], json.loads(row[2]) if isinstance(row[2], str) else dict(row[2])
