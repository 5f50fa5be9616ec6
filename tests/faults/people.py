"""The people of the fault tests, over HTTP: parents who apply and consent, officers who decide, all of them patient.

A request that fails because something was killed is sent again, the same one; a lost reply therefore repeats a command that may
have committed, and the platform has to give the same answer.
"""

from __future__ import annotations

import http.client
import threading
import time
import urllib.error
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from furong.entrypoints.demo import PACK
from furong.entrypoints.loading import demo_password
from furong.entrypoints.visitor import Page, Visitor
from tests.faults.filling import child_of, father_of, mother_of

LOST = (urllib.error.URLError, http.client.HTTPException, ConnectionError, TimeoutError)
OFFICERS = {
    "birth_certificate": "hospital",
    "household_registration": "police",
    "medical_insurance_enrolment": "insurance",
    "maternity_benefit": "insurance",
    "social_security_card": "social",
    "vaccination_record": "vaccination",
}
REQUIRED = ("birth_certificate", "household_registration")
OPTIONAL = tuple(code for code in OFFICERS if code not in REQUIRED)
OPEN_TASKS = """
SELECT t.id, t.kind, t.item_code, t.business_key, t.outcomes FROM processes_task t ORDER BY t.created_at, t.id
"""


class UnservedError(Exception):
    """The platform did not serve a patient person in time."""


@dataclass
class Person:
    """One account's browser; what fails is asked again until it is answered."""

    address: str
    username: str
    patience_seconds: float = 150
    repeated: int = 0
    _visitor: Visitor | None = None

    def visitor(self) -> Visitor:
        if self._visitor is None:
            self._visitor = self._signed_in()
        return self._visitor

    def _signed_in(self) -> Visitor:
        visitor = Visitor(self.address)
        words = {"username": self.username, "password": demo_password(PACK)}
        for _ in range(5):
            page = self._patiently(lambda: visitor.get("account/sign-in"))
            done = self._patiently(lambda at=page: visitor.submit(at, words, form="password"))
            if done.status < 400 and "sign-in" not in done.url:
                return visitor
            # Signed in, and the way to the next page was lost: the form sent again is an old one, as its page says.
            if self._patiently(lambda: visitor.get("account/")).url.endswith("/account/"):
                return visitor
        raise UnservedError(f"{self.username} cannot sign in: {done.status} {done.title} {done.errors}")

    def get(self, path: str) -> Page:
        visitor = self.visitor()
        return self._patiently(lambda: visitor.get(path))

    def submit(self, page: Page, values: Mapping[str, Any] | None = None, **how: Any) -> Page:
        visitor = self.visitor()
        return self._patiently(lambda: visitor.submit(page, values, **how))

    def _patiently(self, ask: Any) -> Page:
        deadline = time.monotonic() + self.patience_seconds
        while True:
            told = ""
            try:
                page: Page = ask()
                if page.status < 500:
                    return page
                told = f"{page.status} {page.title}"
            except LOST as lost:
                told = type(lost).__name__
            self.repeated += 1
            if time.monotonic() > deadline:
                raise UnservedError(f"{self.username}: {told}")
            time.sleep(0.2)


@dataclass(frozen=True)
class Acknowledged:
    """An application that the platform said it has."""

    couple: int
    application_id: UUID
    draft_id: UUID
    items: frozenset[str]


def answers_for(couple: int) -> dict[str, str]:
    return {
        "newborn-name": child_of(couple),
        "newborn-household_with": "father" if couple % 3 == 0 else "mother",
        "newborn-ethnicity": "01",
        "benefit-account_number": "6222020000000000000",
        "delivery-method": "electronic",
    }


def items_of(couple: int) -> frozenset[str]:
    """What a couple applies for: all six, or the two required and one more."""
    return frozenset(OFFICERS if couple % 2 == 0 else (*REQUIRED, OPTIONAL[couple // 2 % len(OPTIONAL)]))


def prepare(person: Person, couple: int) -> Page:
    """Fill in the form up to the page that hands it in."""
    page = person.get("life/newborn/start")
    items = items_of(couple)
    page = person.submit(
        page, {"division": "430202", "item": [i for i in OPTIONAL if i in items]}, form='name="division"'
    )
    answers = answers_for(couple)
    for _ in range(20):
        if "/apply/" not in page.url or page.url.endswith("/check"):
            break
        if page.status == 409:
            # The first sending was saved and its answer lost: the draft is newer than this page. Look at it anew.
            page = person.get("/apply/" + page.url.split("/apply/")[1].split("/")[0])
            continue
        names = {e.get("name") for e in page.form("_version").xpath(".//input|.//select|.//textarea")}
        page = person.submit(page, {k: v for k, v in answers.items() if k in names}, form="_version")
        assert not page.errors, f"{page.url}: {page.errors}"
    assert page.url.endswith("/check"), f"{page.status} {page.url} {page.title}"
    return page


def hand_in(person: Person, couple: int, page: Page) -> Acknowledged:
    """Hand in the prepared draft; the same draft again when the answer is lost."""
    draft_id = UUID(page.url.rstrip("/").split("/")[-2])
    done = person.submit(page, {"declared": "yes"}, form="declared")
    assert "/my/applications/" in done.url, f"{done.status} {done.url} {done.title} {done.errors}"
    return Acknowledged(couple, UUID(done.url.split("?")[0].rstrip("/").split("/")[-1]), draft_id, items_of(couple))


def consent(address: str, couple: int, *, asked_within_seconds: float) -> int:
    """Let the father answer what he is asked, in the affirmative; give how many requests were sent again.

    He is asked once the hospital has decided, so he may have to look for long.
    """
    father = Person(address, father_of(couple))
    deadline = time.monotonic() + asked_within_seconds
    while True:
        page = father.get("my/")
        if page.has_link("/my/consents/"):
            father.submit(father.get(page.link("/my/consents/")), {}, button="give")
            return father.repeated
        if time.monotonic() > deadline:
            raise UnservedError(f"{father.username} was never asked for consent")
        time.sleep(0.5)


def apply(address: str, couple: int) -> tuple[Acknowledged, int]:
    """The mother applies; give what was acknowledged and how many requests were sent again."""
    mother = Person(address, mother_of(couple))
    done = hand_in(mother, couple, prepare(mother, couple))
    return done, mother.repeated


@dataclass
class Office:
    """The officers of all departments, in a thread for each: they take every step that waits, until told to go home."""

    address: str
    look: Any  # gives the rows of OPEN_TASKS
    home_time: threading.Event = field(default_factory=threading.Event)
    taken: int = 0
    troubles: list[str] = field(default_factory=list)
    repeated: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def work(self, username: str) -> None:
        """Take what waits for one officer, over HTTP."""
        officer = Person(self.address, username)
        try:
            while not self.home_time.is_set():
                if not self._take_some(officer):
                    self.home_time.wait(0.5)
        except (UnservedError, AssertionError) as trouble:
            self.troubles.append(f"{username}: {trouble}")
        finally:
            with self._lock:
                self.repeated += officer.repeated

    def _take_some(self, officer: Person) -> int:
        try:
            waiting = [row for row in self.look(OPEN_TASKS) if OFFICERS.get(row[2]) == officer.username]
        except Exception as exc:  # noqa: BLE001 - psycopg while the server restarts; the next look will do
            del exc
            return 0
        taken = 0
        for task_id, kind, _item, case_id, outcomes in waiting:
            if self.home_time.is_set():
                break
            if kind in {"acceptance", "decision"}:
                act = "accept" if kind == "acceptance" else "approve"
                page = officer.get(f"work/cases/{case_id}/acts/{act}")
                if "/acts/" not in page.url or page.status != 200:
                    continue  # done meanwhile
                done = officer.submit(page, {}, form="version")
                assert done.status in {200, 404, 409}, (
                    f"{act}: {done.status} {done.title} {done.url} {done.words[:300]}"
                )
            else:
                page = officer.get(f"work/cases/{case_id}")
                if f"/work/tasks/{task_id}/complete" not in page.text:
                    continue
                done = officer.submit(page, {}, form=f"/work/tasks/{task_id}/complete")
                assert done.status in {200, 404, 409}, f"{kind} {outcomes}: {done.status} {done.title}"
            taken += 1
        with self._lock:
            self.taken += taken
        return taken
