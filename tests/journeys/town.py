"""A small town for stories over HTTP: the Hunan pack, one couple with a newborn, an officer in each department, and a clock.

Pages are asked for through Django's client, in this process, so that time is the test's: what reads the clock reads `Town.now`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

import lxml.html
import pytest
from django.test import Client
from django.utils import timezone

from furong.domains.cases import commands as cases
from furong.domains.processes import tasks as processes
from furong.sites.portal import holding
from tests.domains.cases.conftest import _make
from tests.factories.newborn import World

PASSWORD = "furong-demo-2026"
ALL_ITEMS = ["medical_insurance_enrolment", "maternity_benefit", "social_security_card", "vaccination_record"]
CHILD = "周芷沅"
ACCOUNT_NUMBER = "6222020111122220000"
GIVEN = {
    "newborn-name": CHILD,
    "newborn-household_with": "mother",
    "newborn-ethnicity": "01",
    "benefit-account_number": ACCOUNT_NUMBER,
    "delivery-method": "electronic",
}


class Page:
    """An answer as a person reads it."""

    def __init__(self, answer: Any) -> None:
        self.answer = answer
        self.status: int = answer.status_code
        body = b"".join(answer.streaming_content) if answer.streaming else answer.content
        self.body: bytes = body
        self.text = body.decode("utf-8", "replace")
        self.tree = lxml.html.fromstring(body) if "html" in answer.get("Content-Type", "") and body else None

    @property
    def words(self) -> str:
        """What stands on the page, without markup."""
        return re.sub(r"\s+", " ", self.tree.text_content()) if self.tree is not None else self.text

    @property
    def goes_to(self) -> str:
        """Where it leads on; empty when it does not."""
        return str(self.answer.get("Location", ""))

    @property
    def mistakes(self) -> list[str]:
        """The lines of the error summary."""
        found = self.tree.xpath("//*[contains(@class, 'summary')][@role='alert']//li") if self.tree is not None else []
        return [re.sub(r"\s+", " ", one.text_content()).strip() for one in found]

    def value(self, name: str) -> str:
        """What a field of the page holds."""
        (box,) = self.tree.xpath(f"//*[@name='{name}'][not(@type='radio') or @checked]")  # type: ignore[union-attr]
        return str(box.get("value") if box.tag == "input" else box.text or "").strip("\n")

    def links(self, part: str) -> list[str]:
        """Addresses of links that hold ``part``."""
        return [h for h in self.tree.xpath("//a/@href") if part in h]  # type: ignore[union-attr]


class Visitor:
    """One person at one browser without script, who sends forms with their token as a browser does."""

    def __init__(self, username: str = "", *, csrf: bool = False) -> None:
        self.client = Client(HTTP_HOST="localhost", enforce_csrf_checks=csrf, raise_request_exception=False)
        if username:
            self.sign_in(username)

    def sign_in(self, username: str, **more: str) -> Page:
        """Sign in with the demo's password; gives the answer."""
        answer = self.post("/account/sign-in", {"username": username, "password": PASSWORD, **more})
        assert answer.status == 302, answer.mistakes
        return answer

    def get(self, address: str, **query: Any) -> Page:
        return Page(self.client.get(address, query or None))

    def post(self, address: str, data: Any = None, **extra: Any) -> Page:
        return Page(self.client.post(address, data or {}, HTTP_REFERER=f"http://localhost{address}", **extra))

    def read(self, address: str) -> str:
        """Open a page that must be there, and give its words."""
        page = self.get(address)
        assert page.status == 200, f"{address}: {page.status}"
        return page.words


@dataclass
class Town:
    """The world with its clock, seen through pages."""

    world: World
    visitors: dict[str, Visitor] = field(default_factory=dict)

    @property
    def now(self) -> datetime:
        return self.world.now

    def __getattr__(self, name: str) -> Visitor:
        if name.startswith("_"):
            raise AttributeError(name)
        if name not in self.visitors:
            self.visitors[name] = Visitor(name)
        return self.visitors[name]

    def on(self, day: date, hour: int = 9) -> None:
        """Move to a local day and hour. Whoever was signed in before has to sign in again."""
        self.world.on(day, hour)
        self.visitors.clear()

    def later(self, **span: float) -> None:
        """Move on by a span; sessions that run out meanwhile are over."""
        self.world.now += timedelta(**span)

    def tick(self) -> None:
        """Let the worker do what is due now."""
        self.world.run_jobs()
        processes.run_due(now=self.now)
        cases.run_due(now=self.now)
        self.world.run_jobs()

    # --- what the mother does ------------------------------------------------------------------------------------------------

    def begin(self, items: list[str] | None = None, by: str = "mother") -> str:
        """Begin a draft; gives its address."""
        answer = getattr(self, by).post(
            "/life/newborn/start", {"division": "430202", "item": ALL_ITEMS if items is None else items}
        )
        assert answer.status == 302, answer.words
        return answer.goes_to

    def fill(self, draft: str, *, until: str = "/check", by: str = "mother") -> str:
        """Fill in page after page; gives the address that ends with ``until``."""
        visitor: Visitor = getattr(self, by)
        address = visitor.get(draft).goes_to
        for _page in range(10):
            if address.endswith(until):
                return address
            answer = visitor.post(address, form_of(visitor.get(address)))
            assert answer.status == 302, answer.mistakes
            address = answer.goes_to
        raise AssertionError(f"the form does not end: {address}")

    def apply(self, items: list[str] | None = None) -> str:
        """Apply as the mother; gives the application's address."""
        answer = self.mother.post(self.fill(self.begin(items)), {"declared": "yes"})
        assert answer.status == 302, answer.words
        self.world.run_jobs()
        return answer.goes_to.removesuffix("?sent=1")

    def case(self, application: str, item: str) -> UUID:
        """The key of an item's case."""
        return self.world.case(UUID(application.rsplit("/", 1)[1]), item)

    def work(self, application: str, item: str) -> None:
        """Let the officers finish an item."""
        self.world.work(UUID(application.rsplit("/", 1)[1]), item)


def form_of(page: Page) -> dict[str, Any]:
    """What a person sends from a page of the form: what was filled in, and what is theirs to say."""
    assert page.tree is not None
    form = next(f for f in page.tree.forms if f.method == "POST" and "_version" in f.fields)
    data = {name: value for name, value in form.form_values() if name != "leave"}
    for box in form.inputs:
        name = box.get("name") or ""
        if name in GIVEN:
            data[name] = GIVEN[name]
    return data


@contextmanager
def opened(monkeypatch: pytest.MonkeyPatch) -> Iterator[Town]:
    """A town of the test's own, whose clock everything reads."""
    maker = _make()
    world = next(maker)
    monkeypatch.setattr(timezone, "now", lambda: world.now)
    holding._held.clear()
    try:
        yield Town(world)
    finally:
        next(maker, None)
