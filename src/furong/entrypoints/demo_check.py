"""`furong demo --check`: the newborn's story over HTTP, as each actor, a line a step.

Starts what `furong demo` starts, in a folder and on ports of its own, and walks with a visitor that has no script. What it reads
is what people read: pages, messages, certificates.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from furong.entrypoints.children import NotStartedError
from furong.entrypoints.demo import PACK, Demo, prepare
from furong.entrypoints.postgres import PostgresError, free_port
from furong.entrypoints.visitor import Page, VisitError, Visitor

if TYPE_CHECKING:
    from furong.entrypoints.exchanging import Exchange

CHILD = "周芷沅"
# What the mother says; everything else comes from registers.
ANSWERS = {
    "newborn-name": CHILD,
    "newborn-household_with": "mother",
    "newborn-ethnicity": "01",
    "benefit-account_number": "6222020000000000000",
    "delivery-method": "electronic",
}
OFFICERS = ("hospital", "police", "insurance", "social", "vaccination")
# In the order in which a clerk takes them.
ACTS = ("accept", "approve")
PATIENCE_SECONDS = 60.0


class StoryError(Exception):
    """A step did not happen as the story tells it."""


@dataclass
class Story:
    """The walk: one visitor for each actor, and what was learnt on the way."""

    address: str
    password: str
    say: Callable[[str], None]
    visitors: dict[str, Visitor] = field(default_factory=dict)
    application: str = ""
    number: str = ""
    consented: bool = False
    gateways: Exchange | None = None

    def visitor(self, name: str) -> Visitor:
        """Give the signed-in visitor of a demo account."""
        if name not in self.visitors:
            visitor = Visitor(self.address)
            page = visitor.submit(visitor.get("account/sign-in"), {"username": name, "password": self.password})
            if page.status != 200 or "sign-in" in page.url:
                raise StoryError(f"{name} could not sign in: {page.errors or page.title}")
            self.visitors[name] = visitor
        return self.visitors[name]

    # --- the steps -----------------------------------------------------------------------------------------------------------

    def open_home(self) -> None:
        """Anybody opens the first page."""
        page = Visitor(self.address).get("/")
        _expect(page, "新生儿出生")
        self.say("home page: the life event 新生儿出生 is offered")

    def apply(self) -> None:
        """The mother answers what nobody knows yet, and hands it in."""
        mother = self.visitor("mother")
        page = mother.get("life/newborn/start")
        if page.has_link("/apply/"):
            page = mother.get(page.link("/apply/"))
        else:
            page = mother.submit(page, {"division": "430202"}, form="division")
        asked = 0
        for _page in range(10):
            if "/apply/" not in page.url or page.url.rstrip("/").endswith("check"):
                break
            names = {e.get("name") for e in page.form().xpath(".//input|.//select|.//textarea")}
            values = {name: value for name, value in ANSWERS.items() if name in names}
            asked += len(values)
            here = page.url
            page = mother.submit(page, values)
            if page.errors or page.url == here:
                raise StoryError(f"the form did not go on at {page.title}: {page.errors}")
        _expect(page, CHILD)
        self.say(f"mother: {asked} facts typed, the rest filled in from registers with its source")
        page = mother.submit(page, _ticked(page), button="")
        if "/my/applications/" not in page.url:
            raise StoryError(f"the application was not handed in: {page.title} {page.errors}")
        self.application = page.url.split("?")[0]
        self.number = next(w for w in page.words.split() if w.count("·") >= 2 and w[:2].isdigit())
        self.say(f"mother: application {self.number} handed in, six cases")

    def consent(self) -> bool:
        """The father consents to the name and to where the child is registered, once he is asked."""
        father = self.visitor("father")
        page = father.get("my/")
        if not page.has_link("/my/consents/"):
            return False
        page = father.get(page.link("/my/consents/"))
        page = father.submit(page, _ticked(page), button="give")
        if page.status != 200 or page.errors:
            raise StoryError(f"the father could not consent: {page.errors or page.title}")
        self.say("father: asked for his consent, and gave it")
        return True

    def handle(self) -> None:
        """Each department works on its own case, until none is left."""
        deadline = time.monotonic() + PATIENCE_SECONDS * 3
        while time.monotonic() < deadline:
            moved = not self.consented and self.consent()
            self.consented = self.consented or moved
            for officer in OFFICERS:
                while self._one_act(officer):
                    moved = True
            page = self.visitor("mother").get(self.application)
            if not _open_lanes(page):
                return
            if not moved:
                time.sleep(0.3)
        raise StoryError("the departments did not finish in time")

    def _one_act(self, officer: str) -> bool:
        visitor = self.visitor(officer)
        page = visitor.get("work/list")
        for row in page.tree.xpath("//main//tbody/tr"):
            text = " ".join(row.itertext())
            if self.number not in text:
                continue
            link = str(row.xpath(".//a/@href")[0]).split("#")[0]
            case = visitor.get(page.url.split("?")[0] + link)
            return self._take(officer, visitor, case)
        return False

    def _take(self, officer: str, visitor: Visitor, page: Page) -> bool:
        for form in page.tree.xpath("//form[contains(@action, '/complete')]"):
            outcome = form.xpath(".//input[@name='outcome']/@value")[0]
            visitor.submit(page, {}, form=f'value="{outcome}"')
            self.say(f"{officer}: {page.tree.xpath('string(//aside//h2)').strip()} · {outcome}")
            return True
        for act in ACTS:
            if not page.has_link(f"/acts/{act}"):
                continue
            form_page = visitor.get(page.link(f"/acts/{act}"))
            done = visitor.submit(form_page, {})
            if "/acts/" in done.url:
                raise StoryError(f"{officer} could not {act}: {done.words[:300]}")
            self.say(f"{officer}: {form_page.title}")
            return True
        return False

    def look(self) -> None:
        """The mother finds the child and the certificates, and sees who read her data."""
        mother = self.visitor("mother")
        page = self.until(
            lambda: mother.get("my/licences"),
            lambda p: len(_certificates(p)) >= 6,
            "six certificates are in the folder",
        )
        _expect(page, "出生医学证明")
        links = _certificates(page)
        found = len(links)
        self.say(f"mother: {found} certificates in her folder")
        one = mother.get(links[0])
        pdf = mother.get(one.link("/file"))
        if not pdf.body.startswith(b"%PDF-"):
            raise StoryError("the certificate is no PDF")
        verify = mother.get(one.link("/verify/"))
        if verify.status != 200:
            raise StoryError(f"the certificate cannot be verified: {verify.title}")
        self.say(f"anybody: the certificate's page says: {verify.title}")
        reads = mother.get("my/reads")
        if not any(sign in reads.words for sign in ("派出所", "医保", "人社", "疾控", "妇幼保健院")):
            raise StoryError("no department stands on the page of who read her data")
        self.say("mother: sees who read her data, when, and on what basis")

    def exchange(self) -> None:
        """The births came over the hospital's gateway; the housing office asks the marriage register, signed, and she sees it."""
        from furong.entrypoints import exchanging

        if self.gateways is None:
            return
        births, record = exchanging.count_answers(self.gateways, "hospital-1"), exchanging.ask_marriage(self.gateways)
        above = exchanging.ask_nation(self.gateways)
        if not births:
            raise StoryError("no birth record arrived over the hospital's gateway")
        self.say(f"exchange: the hospital's gateway answered {births} questions for birth records, signed and recorded")
        if (record.get("peer"), above.get("peer")) != ("province-1", "nation-1"):
            raise StoryError("a question did not go from gateway to gateway")
        self.say(
            f"exchange: the marriage register answered the housing office over two gateways; record {record['index']} "
            f"verifies and names the province's {record['peer_index']}"
        )
        self.say(
            f"exchange: the nation's twin answered the province; its record {above['peer_index']} is named in ours"
        )
        reads = self.visitor("mother").get("my/reads")
        if "住房和城乡建设" not in reads.words and "住建" not in reads.words:
            raise StoryError("the housing office does not stand on the page of who read her data")
        if "SQ" not in reads.words:
            raise StoryError("the page of who read her data names no grant")
        self.say("mother: sees the housing office's read, with its purpose and the number of the grant")

    def search(self) -> None:
        """The police officer finds the child in the population register, with a stated purpose."""
        police = self.visitor("police")
        page = police.get(police.get("work/").link("人口"))
        values = {"purpose": "counter", "legal_basis": "户口登记条例第七条", "name": CHILD}
        page = police.submit(page, values)
        if page.status != 200 or not page.tree.xpath("//main//tbody/tr"):
            raise StoryError(f"the child is not found in the register: {page.title} {page.errors}")
        self.say("police: the child is in the population register, found with a stated purpose")

    def centres(self) -> None:
        """Every city centre is abreast, and the child is kept by the centre of the household's city."""
        from django.utils import timezone

        from furong.foundation.access.values import Actor
        from furong.registries.population import centres, demo
        from furong.registries.population.centres import directory, watching

        if not centres.is_divided():
            return
        actor, deadline = Actor.system("furong demo --check"), time.monotonic() + PATIENCE_SECONDS
        while True:
            found = watching.list_centres(actor=actor, now=timezone.now())
            behind = [one.code for one in found if one.state != "live"]
            if not behind:
                break
            if time.monotonic() > deadline:
                raise StoryError(f"city centres are not abreast: {', '.join(behind)}")
            time.sleep(0.3)
        mother = directory.centre_of_person(demo.person_id("mother"))
        people = sum(one.people or 0 for one in found)
        self.say(
            f"population: {len(found)} city centres abreast, {people} people; the family is kept by centre {mother}"
        )

    def rate(self) -> None:
        """The mother rates one case, once."""
        mother = self.visitor("mother")
        page = mother.get(self.application)
        page = mother.get(page.link("/rate"))
        page = mother.submit(page, {"level": "5"})
        if page.status != 200 or page.errors:
            raise StoryError(f"the rating was not taken: {page.errors}")
        self.say("mother: rated the service")

    def audit(self) -> None:
        """The log verifies, offline."""
        from furong.foundation.audit import verification

        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            verdicts = verification.verify_all()
            if all(v.is_sound and not v.unsealed for v in verdicts.values()) or time.monotonic() > deadline:
                break
            time.sleep(0.5)
        for alias, verdict in verdicts.items():
            if not verdict.is_sound:
                raise StoryError(f"the audit log of {alias} does not verify: {verdict.findings[:3]}")
        entries = sum(v.size for v in verdicts.values())
        self.say(f"audit: {entries} entries sealed, {len(verdicts)} logs verify")

    def until(self, look: Callable[[], Page], good: Callable[[Page], bool], what: str) -> Page:
        """Look again until the page is good."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            page = look()
            if good(page):
                return page
            if time.monotonic() > deadline:
                raise StoryError(f"waited in vain: {what}")
            time.sleep(0.3)

    def steps(self) -> Iterator[Callable[[], object]]:
        """Give the story's steps in order."""
        yield from (
            self.open_home,
            self.apply,
            self.consent,
            self.handle,
            self.look,
            self.exchange,
            self.search,
            self.centres,
            self.rate,
            self.audit,
        )


def _expect(page: Page, words: str) -> None:
    if page.status != 200 or words not in page.words:
        raise StoryError(f"{words!r} is not on the page “{page.title}” ({page.status})")


def _certificates(page: Page) -> list[str]:
    found = [str(href) for href in page.tree.xpath("//main//a/@href") if "/my/licences/" in href]
    return sorted({href for href in found if not href.endswith("file")})


def _ticked(page: Page) -> dict[str, Any]:
    boxes = page.form().xpath(".//input[@type='checkbox']")
    return {box.get("name"): box.get("value") or "on" for box in boxes if box.get("name")}


def _open_lanes(page: Page) -> int:
    return len(
        page.tree.xpath(
            "//li[contains(@class, 'lane') and not(contains(@class, ' ok')) and not(contains(@class, ' over'))]"
        )
    )


def walk(demo: Demo, say: Callable[[str], None]) -> None:
    """Walk the story on a running demo. Raises `StoryError` at the first step that fails."""
    from furong.entrypoints.loading import demo_password

    story = Story(address=demo.address, password=demo_password(PACK), say=say, gateways=demo.exchange)
    for step in story.steps():
        step()


def run_check(*, residents: int) -> int:
    """Start the demo anew on free ports, walk the story, stop. Returns 0, or 1 with the step that failed."""
    home = Path(tempfile.mkdtemp(prefix="furong-check-"))
    began = time.monotonic()

    def say(words: str) -> None:
        print(f"  {time.monotonic() - began:6.1f} s  {words}", flush=True)

    demo: Demo | None = None
    kept = False
    try:
        os.environ["FURONG_HOME"] = str(home)
        demo = prepare(home=home, port=free_port(), residents=residents)
        say(f"PostgreSQL {demo.cluster.server.major} ({demo.cluster.server.source}), {residents:,} residents")
        demo.start()
        demo.wait_until_ready()
        say("web, worker and the exchange's gateways answer")
        walk(demo, say)
    except (NotStartedError, PostgresError, StoryError, VisitError) as exc:
        kept = True
        print(f"furong demo --check: {exc}. Logs: {home}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    finally:
        if demo is not None:
            demo.stop()
        if not kept:
            shutil.rmtree(home, ignore_errors=True)
    print("  the newborn's story holds")
    return 0
