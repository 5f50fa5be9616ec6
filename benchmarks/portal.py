"""What a page costs beside the bare rendering of its template, and how long handing in takes with sixteen users.

`home`, `form` and `worklist` are the real pages, signed in: all middleware, session, rights, registers, audit. Beside
each stands the same template rendered from the same values, kept in memory, by a Django view without any middleware. Both go
through Django's WSGI handler in this process, in turns, and the process's CPU is what counts; there is no response cache. Each
ratio may be 3 at most.

Sixteen users then hand in prepared newborn applications over HTTP, on a PostgreSQL that syncs every commit, while
the worker works on what they hand in: `submit_p95_ms` is the time from sending the form to the answer that names the application.

    python -m benchmarks.portal [--quick]
"""

from __future__ import annotations

import argparse
import http.client
import io
import json
import platform
import random
import re
import shutil
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from types import ModuleType
from typing import Any
from uuid import UUID

from furong.entrypoints.demo import PACK, Demo, prepare
from furong.entrypoints.postgres import free_port
from furong.entrypoints.visitor import Visitor

USERS = 16
# What a user does between two applications: reads that it arrived, and opens the next. Drawn from a seed.
PAUSE_SECONDS = (0.5, 1.5)
DURABLE = {"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on"}
DIVISION = "430202"
ANSWERS = {
    "newborn.name": "周芷沅",
    "newborn.household_with": "mother",
    "newborn.ethnicity": "01",
    "benefit.account_number": "6222020000000000000",
    "delivery.method": "electronic",
}


# --- the platform ---------------------------------------------------------------------------------------------------------------


@contextmanager
def platform_of(residents: int) -> Iterator[Demo]:
    """Start the demo's cluster, durable, and fill it, in a folder of its own."""
    home = Path(tempfile.mkdtemp(prefix="furong-bench-"))
    demo: Demo | None = None
    try:
        demo = prepare(home=home, port=free_port(), residents=residents)
        demo.cluster.stop()
        demo.database_settings = DURABLE
        demo.cluster.start(settings=DURABLE)
        yield demo
    finally:
        if demo is not None:
            demo.stop()
        shutil.rmtree(home, ignore_errors=True)


def make_users(count: int) -> dict[str, UUID]:
    """Make accounts for wives of invented couples, whose births the hospital knows; give who each username is."""
    from django.utils import timezone

    from furong.domains.cases import twins
    from furong.entrypoints.loading import demo_password
    from furong.foundation.access.values import Actor
    from furong.foundation.identity import queries as identity
    from furong.foundation.identity.commands.demo import create_demo_accounts
    from furong.registries.population import demo

    now, actor = timezone.now(), Actor.system("benchmarks")
    wives = [couple.wife_id for couple in demo.list_couples(today=timezone.localdate(now), limit=count + 20)]
    wives = [wife for wife in wives if identity.find_account_of_person(person_id=wife) is None][:count]
    persons = {f"user-{n}": wife for n, wife in enumerate(wives)}
    if len(persons) < count:
        raise RuntimeError(f"{len(persons)} couples, {count} needed: load more residents")
    accounts = [{"username": name, "kind": "resident", "name": "周芷宁", "person": name} for name in persons]
    create_demo_accounts(
        spec={"password": demo_password(PACK), "accounts": accounts}, persons=persons, actor=actor, now=now
    )
    twins.load_births(
        mothers=list(persons.values()),
        hospital_name={"zh": "市妇幼保健院", "en": "Maternity Hospital"},
        hospital_code="124302000000000000",
        division_code="430200",
        born_before=now + timedelta(days=25),  # after the births that the demo knows
        seed=7,
    )
    twins.load_insured(people=list(persons.values()), seed=7)
    return persons


def prepared_draft(username: str) -> UUID:
    """Save a complete draft of a newborn application of a user and give its key."""
    from django.contrib.auth import get_user_model
    from django.utils import timezone

    from furong.domains.cases import commands as cases
    from furong.domains.services import queries as services
    from furong.foundation.access.values import Actor, ActorKind, Assurance

    now = timezone.now()
    account = get_user_model().objects.get(username=username)
    actor = Actor(
        kind=ActorKind.RESIDENT,
        account_id=account.pk,
        person_id=account.person_id,
        assurance=Assurance(account.assurance),
    )
    event = services.get_life_event(code="newborn", on=timezone.localdate(now))
    draft_id = cases.open_draft(
        life_event_code="newborn",
        item_codes=[str(entry.item) for entry in event.event.items],
        division_code=DIVISION,
        actor=actor,
        now=now,
        fresh=True,
    )
    for page in ("child", "household", "benefits", "delivery"):
        cases.save_draft(draft_id=draft_id, page=page, answers=ANSWERS, actor=actor, now=now)
    return draft_id


# --- sixteen users --------------------------------------------------------------------------------------------------------------


@dataclass
class User:
    """One signed-in browser with one prepared draft, for a birth is applied for once; it looks at status and target alone."""

    name: str
    draft: UUID
    cookies: str = ""
    token: str = ""
    refused: str = ""

    def sign_in(self, demo: Demo) -> bool:
        """Sign in and look at the draft; say whether it can be handed in as it is."""
        from furong.entrypoints.loading import demo_password

        visitor = Visitor(demo.address)
        visitor.submit(visitor.get("account/sign-in"), {"username": self.name, "password": demo_password(PACK)})
        page = visitor.get(f"apply/{self.draft}/check")
        if page.status != 200 or page.errors:
            return False  # the couple's facts want another answer, such as the child's ethnic group
        self.token = page.form("declared").xpath(".//input[@name='csrfmiddlewaretoken']/@value")[0]
        self.cookies = "; ".join(f"{c.name}={c.value}" for c in visitor.cookies)
        return True

    def hand_in(self, connection: http.client.HTTPConnection) -> float:
        """Hand in the draft; give the milliseconds until the answer."""
        path = f"/apply/{self.draft}/check"
        headers = {
            "Cookie": self.cookies,
            "Content-Type": "application/x-www-form-urlencoded",
            "Referer": f"http://127.0.0.1:{connection.port}{path}",
        }
        began = time.perf_counter()
        connection.request("POST", path, f"csrfmiddlewaretoken={self.token}&declared=yes", headers)
        answer = connection.getresponse()
        answer.read()
        ms = (time.perf_counter() - began) * 1000
        if answer.status != 302 or "/my/applications/" not in (answer.headers["Location"] or ""):
            self.refused = f"{answer.status} {answer.headers['Location']}"
        return ms


def submissions(demo: Demo, users: list[User], *, pauses: bool) -> list[float]:
    """Have sixteen at a time hand in, each one after another; give the time of each submission in milliseconds."""
    times: list[list[float]] = [[] for _ in range(USERS)]

    def one_after_another(place: int) -> None:
        chance = random.Random(f"7:{place}")
        connection = http.client.HTTPConnection("127.0.0.1", demo.port, timeout=60)
        for user in users[place::USERS]:
            if pauses:
                time.sleep(chance.uniform(*PAUSE_SECONDS))
            times[place].append(user.hand_in(connection))
        connection.close()

    threads = [threading.Thread(target=one_after_another, args=(place,)) for place in range(USERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if refused := [user.refused for user in users if user.refused]:
        raise RuntimeError(f"{len(refused)} submissions were not taken: {refused[:3]}")
    return [ms for one in times for ms in one[1:]]  # each one's first warms the server up


# --- pages against their templates ----------------------------------------------------------------------------------------------


class Recorder:
    """Notes the template and the values that the page being answered is rendered from."""

    def __init__(self) -> None:
        self.depth, self.seen = 0, None
        self.template: Any = None
        self.context: dict[str, Any] = {}
        self.request: Any = None

    @contextmanager
    def recording(self) -> Iterator[None]:
        from django.template.backends.jinja2 import Template

        render = Template.render
        recorder = self

        def recorded(self: Any, context: Any = None, request: Any = None) -> Any:
            recorder.depth += 1
            try:
                return render(self, context, request)
            finally:
                recorder.depth -= 1
                if recorder.depth == 0:
                    recorder.template, recorder.context, recorder.request = self, dict(context or {}), request

        Template.render = recorded  # type: ignore[method-assign]
        try:
            yield
        finally:
            Template.render = render  # type: ignore[method-assign]


def wsgi_of(middleware: list[str], urls: Any = None) -> Callable[..., Any]:
    """Give Django's WSGI handler with this middleware; with ``urls`` it serves those instead of the platform's."""
    from django.core.handlers.wsgi import WSGIHandler
    from django.test.utils import override_settings

    with override_settings(MIDDLEWARE=middleware):
        handler = WSGIHandler()
    if urls is None:
        return handler
    plain = handler.get_response

    def with_urls(request: Any) -> Any:
        request.urlconf = urls
        return plain(request)

    handler.get_response = with_urls  # type: ignore[method-assign]
    return handler


def ask(handler: Callable[..., Any], path: str, cookies: str) -> tuple[int, bytes]:
    """Ask for one page; give its status and body."""
    path, _, query = path.partition("?")
    environ = {
        "REQUEST_METHOD": "GET",
        "PATH_INFO": path,
        "QUERY_STRING": query,
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "HTTP_HOST": "127.0.0.1",
        "HTTP_COOKIE": cookies,
        "HTTP_ACCEPT": "text/html",
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(),
        "wsgi.errors": sys.stderr,
        "wsgi.version": (1, 0),
    }
    status: list[str] = []
    answer = handler(environ, lambda s, _h, _e=None: status.append(s))
    body = b"".join(answer)
    answer.close()
    return int(status[0].split()[0]), body


_CHANGING = re.compile(rb'value="[A-Za-z0-9]{64}"|[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}')


def bare_of(path: str, cookies: str, real: Callable[..., Any]) -> Callable[..., Any]:
    """Answer the page once, keep what it was rendered from, and give a handler that renders just that."""
    from django.http import HttpRequest, HttpResponse
    from django.urls import re_path, set_urlconf

    recorder = Recorder()
    with recorder.recording():
        status, body = ask(real, path, cookies)
    if status != 200:
        raise RuntimeError(f"{path} answered {status}")
    template, context, seen = recorder.template, recorder.context, recorder.request

    def view(request: HttpRequest) -> HttpResponse:
        set_urlconf(None)  # links on the page are the platform's
        for name, value in vars(seen).items():  # what middleware has put on it: who asks, the language, the number
            vars(request).setdefault(name, value)
        return HttpResponse(template.render(context, request))

    urls = ModuleType("bare_urls")
    urls.urlpatterns = [re_path("^.*$", view)]  # type: ignore[attr-defined]
    bare = wsgi_of([], urls)
    status, again = ask(bare, path, cookies)
    if status != 200:
        raise RuntimeError(f"{path}: the bare view answered {status}")
    one, other = (_CHANGING.sub(b"", text).decode() for text in (body, again))
    if one != other:
        at = next((n for n, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
        raise RuntimeError(
            f"{path}: the bare view differs: {one[max(0, at - 60) : at + 60]!r}, {other[max(0, at - 60) : at + 60]!r}"
        )
    return bare


def compare(path: str, cookies: str, *, rounds: int, each: int) -> tuple[float, float, int]:
    """Give the CPU milliseconds a request of the real page and of the bare one, and the page's size in bytes."""
    from django.conf import settings

    real = wsgi_of(list(settings.MIDDLEWARE))
    for _ in range(5):
        _, body = ask(real, path, cookies)
    bare = bare_of(path, cookies, real)
    for _ in range(5):
        ask(bare, path, cookies)
    spent: dict[Any, list[float]] = {real: [], bare: []}
    for turn in range(rounds):
        for handler in (real, bare) if turn % 2 else (bare, real):
            began = time.process_time()
            for _ in range(each):
                ask(handler, path, cookies)
            spent[handler].append((time.process_time() - began) * 1000 / each)
    return statistics.median(spent[real]), statistics.median(spent[bare]), len(body)


def cookies_of(demo: Demo, username: str) -> str:
    from furong.entrypoints.loading import demo_password

    visitor = Visitor(demo.address)
    page = visitor.submit(
        visitor.get("account/sign-in"), {"username": username, "password": demo_password(PACK)}, form="password"
    )
    if "sign-in" in page.url:
        raise RuntimeError(f"{username} cannot sign in: {page.title}")
    return "; ".join(f"{c.name}={c.value}" for c in visitor.cookies)


def p95(values: list[float]) -> float:
    return statistics.quantiles(values, n=20)[18]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer rounds, under three minutes")
    parser.add_argument("--pages-only", action="store_true", help="leave the sixteen users out")
    given = parser.parse_args()
    drafts, rounds, each = (6, 10, 10) if given.quick else (20, 30, 20)
    if given.pages_only:
        drafts = 4
    figures: dict[str, Any] = {"benchmark": "portal", "quick": given.quick}
    with platform_of(2_000 if given.quick else 6_000) as demo:
        from django.db import connections

        from furong.domains.cases import twins
        from furong.entrypoints import hospital

        names = make_users(USERS * drafts * 3 // 2)
        # The hospital's records come through its gateway: its own system must know the new births, and run first.
        hospital.write_file(Path(demo.home) / "exchange" / "hospital" / "births.sqlite3", twins.birth_rows())
        demo.start()
        demo.wait_until_ready()
        users = [User(name, prepared_draft(name)) for name in names]
        print(
            f"PostgreSQL {demo.cluster.server.major} ({demo.cluster.server.source}), Python {platform.python_version()}, "
            "fsync on"
        )
        able: list[User] = []
        while users and len(able) < USERS * drafts:
            if (user := users.pop()).sign_in(demo):
                able.append(user)
        if len(able) < USERS * drafts:
            raise RuntimeError(f"{len(able)} of {USERS * drafts} can hand in")
        users = able
        applying = prepared_draft(users[0].name)
        times = submissions(demo, users, pauses=not given.pages_only)
        figures |= {"submit_p95_ms": round(p95(times), 1), "submit_p50_ms": round(statistics.median(times), 1)}
        print(f"\n{'handing in, 16 users':34}{'p50 ms':>10}{'p95 ms':>10}{'n':>8}")
        print(f"{'a pause between two':34}{statistics.median(times):10.1f}{p95(times):10.1f}{len(times):8}")
        wait_for_tasks(demo, at_least=min(50, USERS * drafts))
        pages = {
            "home": ("/", cookies_of(demo, users[0].name)),
            "form": (f"/apply/{applying}/page/household", cookies_of(demo, users[0].name)),
            "worklist": ("/work/list", cookies_of(demo, "hospital")),
        }
        for child in demo.children.values():
            child.terminate()
            child.wait(20)
        demo.children.clear()
        print(f"\n{'CPU a request, ms':34}{'page':>10}{'bare':>10}{'ratio':>8}{'kB':>8}")
        for name, (path, cookies) in pages.items():
            real, bare, size = compare(path, cookies, rounds=rounds, each=each)
            figures |= {f"{name}_ratio": round(real / bare, 2), f"{name}_ms": round(real, 2)}
            print(f"{name:34}{real:10.2f}{bare:10.2f}{real / bare:8.2f}{size / 1000:8.1f}")
        connections.close_all()
    print(json.dumps(figures))
    return 0


def wait_for_tasks(demo: Demo, *, at_least: int) -> None:
    """Wait until the worker has brought the first steps of what was handed in to the hospital's work list."""
    from django.db import connection

    deadline = time.monotonic() + 120
    while True:
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM processes_task WHERE item_code = 'birth_certificate'")
            row = cursor.fetchone()
        if row and row[0] >= at_least:
            return
        if time.monotonic() > deadline:
            raise RuntimeError(f"the worker made {row and row[0]} of {at_least} steps in two minutes")
        time.sleep(0.2)


if __name__ == "__main__":
    sys.exit(main())
