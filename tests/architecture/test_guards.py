"""Guards over the whole: every route, command, queue and form. A new one is covered the day it is born, or named with a reason.

Routes are walked as a stranger, as a resident, and with the wrong method; commands are found by import; forms in the pages that
show them.
"""

from __future__ import annotations

import importlib
import inspect
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django import forms
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

SOURCE = Path(__file__).resolve().parents[2] / "src" / "furong"
NOBODY = UUID("01900000-0000-7000-8000-000000000000")

# What a stranger may open, and why.
PUBLIC = {
    "healthz": "load balancers ask",
    "metrics": "guarded by address or token, not by account",
    "static": "style sheets and pictures",
    "language": "a reader's preference, kept in their browser",
    "size": "a reader's preference, kept in their browser",
    "identity:sign_in": "the way in",
    "identity:sign_in_code": "a step of signing in; nothing under way leads back to the first",
    "identity:sign_in_enrol": "a step of signing in; nothing under way leads back to the first",
    "identity:sign_in_password": "a step of signing in; nothing under way leads back to the first",
    "identity:sign_up": "the way in for who has no account",
    "identity:sign_out": "whoever is out already is out",
    "portal:home": "the front page",
    "portal:search": "finds what the public may read; a test compares it with an index without anything else",
    "portal:search_suggest": "made of titles that the public may read",
    "portal:search_open": "leads to what the asker may read; all else is not found",
    "portal:search_place": "a reader's preference, kept in their browser",
    "portal:office": "what an office does and how it is reached is public by law",
    "portal:life_event": "what services there are is public",
    "portal:guide": "implementation lists are public by law",
    "portal:clusters": "what services there are is public",
    "portal:cluster": "what services there are is public",
    "portal:implementation": "implementation lists are public by law",
    "portal:about": "about the platform",
    "portal:verify": "whoever is shown a certificate may check it",
    "portal:firms": "registration is published by law (企业信息公示暂行条例, art. 6)",
    "portal:firm": "registration is published by law (企业信息公示暂行条例, art. 6)",
    "portal:firm_name": "whether a name is free may be asked by anybody; keeping one wants a person",
    "portal:verify_token": "whoever is shown a certificate may check it",
    "opendata:home": "what may be known of the catalogue is public",
    "opendata:interface": "how programs read what is public",
    "opendata:benefit": "figures of what is public, read as a stranger",
    "opendata:dataset": "read as a stranger, whoever asks",
    "opendata:download": "rows of open resources only",
    "opendata:rows": "rows of open resources only",
    "opendata:catalog": "the feed of what is public",
    "opendata:ckan": "reads as a stranger, writes nothing",
    "opendata:ckan_unversioned": "reads as a stranger, writes nothing",
    "api:openapi-json": "the description of the interface",
    "api:api-root": "leads to the description of the interface",
    "api:entities": "registration is published by law (企业信息公示暂行条例, art. 6)",
    "api:entity": "registration is published by law (企业信息公示暂行条例, art. 6)",
    "api:name_check": "whether a name is free may be asked by anybody",
    "api:life_events": "what services there are is public",
    "api:item": "implementation lists are public by law",
    "api:payment_message": "a provider's message is known by its signature",
    "api:search": "finds what the asker may read",
    "api:suggestions": "made of titles that the public may read",
}
# What takes no GET: acts that have no page of their own.
ACTS_ONLY = {
    "identity:sign_out",
    "identity:end_other_devices",
    "identity:end_device",
    "identity:mandate_revoke",
    "identity:act",
    "workbench:next_task",
    "workbench:task_act",
    "workbench:incident_act",
    "workbench:cause_act",
    "workbench:audit_verify",
    "workbench:booking_attendance",
    "workbench:approve_refund",
    "workbench:settle_difference",
    "portal:case_time_cancel",
    "portal:discard",
}
_FILLINGS: tuple[tuple[str, str], ...] = (
    (r"<uuid:\w+>", str(NOBODY)),
    (r"<int:\w+>", "0"),
    (r"<path:\w+>", "furong/nothing.css"),
    (r"<slug:database>", "default"),
    (r"<(?:slug|str):page>", "privacy"),
    (r"<(?:slug|str):\w+>", "nothing"),
    (r"<\w+_id>", str(NOBODY)),
    (r"<\w+>", "nothing"),
)


def _routes() -> Iterator[tuple[str, str, Callable[..., Any]]]:
    def walk(resolver: Any, prefix: str, space: str) -> Iterator[tuple[str, str, Callable[..., Any]]]:
        for one in resolver.url_patterns:
            path = prefix + str(one.pattern)
            if isinstance(one, URLResolver):
                yield from walk(one, path, f"{space}{one.namespace}:" if one.namespace else space)
            elif isinstance(one, URLPattern):
                yield path, space + (one.name or ""), one.callback

    yield from walk(get_resolver(), "", "")


def _filled(path: str) -> str:
    for pattern, value in _FILLINGS:
        path = re.sub(pattern, value, path)
    return "/" + path


def _client() -> Client:
    # What refuses is answered by the platform's own pages, not raised at the test.
    return Client(SERVER_NAME="127.0.0.1", raise_request_exception=False)


def _signed_in(username: str) -> Client:
    from django.contrib.auth import get_user_model

    client = _client()
    client.force_login(
        get_user_model().objects.get(username=username), backend="django.contrib.auth.backends.ModelBackend"
    )
    return client


# --- routes ---------------------------------------------------------------------------------------------------------------------


def test_every_route_has_a_name_of_its_own_and_every_exception_is_still_a_route() -> None:
    names = [name for _, name, _ in _routes()]
    assert all(name.rpartition(":")[2] for name in names)
    assert len(names) == len(set(names))
    assert set(PUBLIC) <= set(names)
    assert set(ACTS_ONLY) <= set(names)


@pytest.mark.usefixtures("platform")
def test_a_stranger_is_led_to_sign_in_by_every_route_that_is_not_public() -> None:
    wrong = []
    for path, name, _ in _routes():
        if name in PUBLIC:
            continue
        client = _client()
        for method in ("get", "post"):
            answer = getattr(client, method)(_filled(path), HTTP_ACCEPT="text/html")
            target = answer.headers.get("Location", "")
            led = answer.status_code == 302 and target.startswith("/account/sign-in")
            closed = answer.status_code == 405 or (answer.status_code in {401, 403} and path.startswith("api/"))
            if not (led or closed):
                wrong.append(f"{method} {name}: {answer.status_code} {target}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.usefixtures("platform")
def test_public_routes_answer_a_stranger_without_leading_anywhere_to_sign_in() -> None:
    wrong = []
    for path, name, _ in _routes():
        if name not in PUBLIC or name in ACTS_ONLY:
            continue
        answer = _client().get(_filled(path))
        steps = name.startswith("identity:sign_in_")
        if answer.status_code >= 500 and name != "healthz":
            wrong.append(f"{name}: {answer.status_code}")
        if answer.headers.get("Location", "").startswith("/account/sign-in") and not steps:
            wrong.append(f"{name}: leads to sign in, so it is not public")
    assert not wrong, "\n".join(wrong)


@pytest.mark.usefixtures("platform")
def test_residents_open_no_page_of_the_workbench() -> None:
    client, wrong = _signed_in("mother"), []
    for path, name, _ in _routes():
        if not name.startswith("workbench:"):
            continue
        for method in ("get", "post"):
            answer = getattr(client, method)(_filled(path))
            if answer.status_code not in {403, 405}:
                wrong.append(f"{method} {name}: {answer.status_code}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.usefixtures("platform")
def test_staff_without_a_right_open_none_of_the_pages_that_need_one() -> None:
    # The clerk of disease control administers nothing and supervises nobody.
    client, wrong = _signed_in("vaccination"), []
    closed = re.compile(r"^work/(organizations|accounts|audit|supervision|processes|posts|appointments)")
    for path, name, _ in _routes():
        if not closed.match(path):
            continue
        answer = client.get(_filled(path))
        if answer.status_code not in {403, 404, 405}:
            wrong.append(f"{name}: {answer.status_code}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.usefixtures("platform")
def test_acts_take_no_get_and_pages_answer_no_method_that_they_do_not_know() -> None:
    resident, staff, wrong = _signed_in("mother"), _signed_in("administrator"), []
    for path, name, _ in _routes():
        if path.startswith("api/"):
            continue
        client = staff if name.startswith("workbench:") else resident
        if name in ACTS_ONLY:
            answer = client.get(_filled(path))
            if answer.status_code != 405:
                wrong.append(f"get {name}: {answer.status_code}")
        answer = client.delete(_filled(path))
        if answer.status_code not in {403, 404, 405}:
            wrong.append(f"delete {name}: {answer.status_code}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.usefixtures("platform")
def test_no_route_breaks_on_something_that_does_not_exist() -> None:
    clients = [_client(), _signed_in("mother"), _signed_in("administrator"), _signed_in("police")]
    wrong = []
    for path, name, _ in _routes():
        if name == "identity:sign_out":
            continue
        for client in clients:
            for method in ("get", "post"):
                answer = getattr(client, method)(_filled(path), HTTP_ACCEPT="text/html")
                if answer.status_code >= 500 and name != "healthz":
                    wrong.append(f"{method} {name}: {answer.status_code}")
    assert not wrong, "\n".join(sorted(set(wrong)))


@pytest.mark.usefixtures("platform")
def test_every_answer_carries_the_headers_that_protect_its_reader() -> None:
    for path in ("/", "/account/sign-in", "/nothing-here", "/api/services/life-events"):
        headers = _client().get(path).headers
        assert "default-src 'none'" in headers["Content-Security-Policy"]
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["X-Frame-Options"] == "DENY"
        assert headers["X-Request-ID"]


# --- commands -------------------------------------------------------------------------------------------------------------------

# Public functions of a room's commands that leave no entry of their own, and why.
NO_COMMAND = {
    "foundation.access.set_post_rights": "part of the organisations' commands, which name whose rights changed",
    "foundation.audit": "is the log itself",
    "foundation.calendar": "puts a released file in force in one process; the release is what is audited",
    "foundation.events": "written by the command that publishes, in its transaction",
    "foundation.jobs": "deferred by the command that wants the work, in its transaction",
    "foundation.notices.mine": "reads whose message it is; writes nothing",
    "foundation.organizations.compile_posts": "derives rights from posts inside the commands that changed them",
    "foundation.packs.published_files": "reads; writes nothing",
    "foundation.packs.import_pack": "calls a command for each definition it releases",
    "foundation.packs.publish_definition": "delegates to the command of the release",
    "foundation.packs.export_pack": "writes files, no rows",
    "foundation.partitions.prepare_years": "calls a command for each database that lacks a part; reads the catalogue otherwise",
    "foundation.signing.retire": "deletes a file, no rows; the exchange's command that calls it is audited",
    "foundation.storage.discard": "throws a file away for the room that owns its content, by that room's clock",
    "foundation.storage.put": "a file by its content; the command that keeps its digest is audited",
    "foundation.storage.discard_unfinished": "throws away what was never whole",
    "foundation.storage.put_many": "files by their content; the command that keeps their digests is audited",
    "foundation.web": "no rows",
    "registries.licences.local_date": "pure",
    "domains.cases.sweep_old_drafts": "calls the command that throws them away, with the pack's days",
    "domains.cases.run_due": "calls a command for each case whose time has come",
    "domains.payments.run_due": "calls a command for each notice whose time has come",
    "domains.processes.run_due_timers": "calls a command for each timer",
    "domains.processes.run_due_jobs": "calls a command for each job",
    "domains.search.touch": "notes, in the transaction of an audited command, that the index is to follow",
    "domains.search.add_tallies": "counts of questions without who asked",
    "domains.search.tidy": "throws away the follower's own notes by their age",
    "domains.search.mark_applied": "the follower's own note of what it has done",
    "domains.search.store_stamps": "the follower's own note of how a source looked",
    "domains.processes.run_job": "calls a command when the job's work is done",
}


def _public_commands() -> Iterator[tuple[str, Callable[..., Any]]]:
    """Every public function that a room's ``commands`` offers and that is the room's own."""
    for floor in ("foundation", "registries", "domains", "sites"):
        for place in sorted((SOURCE / floor).glob("*/commands*")):
            if place.suffix not in {"", ".py"} or place.name.startswith("commands_"):
                continue
            room = f"{floor}.{place.parent.name}"
            module = importlib.import_module(f"furong.{room}.commands")
            offered = getattr(module, "__all__", None) or [n for n in vars(module) if not n.startswith("_")]
            for name in offered:
                found = vars(module)[name]
                if inspect.isfunction(found) and inspect.unwrap(found).__module__.startswith(f"furong.{room}.commands"):
                    yield f"{room}.{name}", found


def test_every_public_command_leaves_an_audit_entry_or_says_why_not() -> None:
    from furong.foundation.audit.commands import COMMANDS

    audited = {id(inspect.unwrap(function)) for function in COMMANDS.values()}
    found = [
        name
        for name, function in _public_commands()
        if id(inspect.unwrap(function)) not in audited
        and name not in NO_COMMAND
        and name.rpartition(".")[0] not in NO_COMMAND
    ]
    assert not found, "\n".join(found)


def test_every_audited_command_says_who_does_it_and_when() -> None:
    from furong.foundation.audit.commands import COMMANDS

    assert len(COMMANDS) > 80
    for name, function in COMMANDS.items():
        parameters = inspect.signature(inspect.unwrap(function)).parameters
        assert {"actor", "now"} <= set(parameters), name
        assert all(p.kind is inspect.Parameter.KEYWORD_ONLY for p in parameters.values()), name


# --- queues ---------------------------------------------------------------------------------------------------------------------


def test_every_job_lies_on_a_queue_that_the_worker_consumes() -> None:
    from procrastinate.contrib.django import app

    from furong.foundation.jobs import worker
    from furong.foundation.jobs.commands import JOBS
    from furong.foundation.jobs.values import QUEUES

    assert JOBS
    for name, declared in JOBS.items():
        assert declared.queue in QUEUES, name
        assert app.tasks[name].queue == declared.queue
    assert "queues=list(QUEUES)" in inspect.getsource(worker)
    ours = {task.queue for name, task in app.tasks.items() if name in JOBS}
    assert ours <= set(QUEUES)


def test_the_worker_empties_the_outbox_and_seals_the_log_of_every_database() -> None:
    from django.conf import settings

    from furong.entrypoints.wiring import worker_loops

    loops = {loop.name for loop in worker_loops()}
    assert "jobs" in loops
    for alias in settings.DATABASES:
        assert {f"events-{alias}", f"sealer-{alias}"} <= loops


# --- forms ----------------------------------------------------------------------------------------------------------------------


def _form_classes() -> list[type[forms.BaseForm]]:
    """Every form class of the platform's own modules."""
    for path in SOURCE.rglob("forms*.py"):
        importlib.import_module("furong." + ".".join(path.relative_to(SOURCE).with_suffix("").parts))
    found: dict[str, type[forms.BaseForm]] = {}
    waiting: list[type] = [forms.BaseForm]
    while waiting:
        for one in waiting.pop().__subclasses__():
            waiting.append(one)
            if one.__module__.startswith("furong."):
                found[f"{one.__module__}.{one.__qualname__}"] = one
    return [found[name] for name in sorted(found)]


def test_every_field_of_every_form_class_has_a_label_of_its_own() -> None:
    wrong = []
    assert len(_form_classes()) > 15
    for kind in _form_classes():
        for name, field in getattr(kind, "base_fields", {}).items():
            hidden = field.widget.is_hidden or isinstance(field.widget, forms.HiddenInput)
            if not hidden and not str(field.label or "").strip():
                wrong.append(f"{kind.__module__}.{kind.__qualname__}.{name}")
    assert not wrong, "\n".join(wrong)


def _inputs_without_label(page: Any) -> list[str]:
    """Controls of a page that neither a label, an aria-label nor aria-labelledby names."""
    wrong = []
    for control in page.xpath("//main//input | //main//select | //main//textarea"):
        if control.get("type") in {"hidden", "submit", "button"}:
            continue
        named = control.get("aria-label") or control.get("aria-labelledby")
        labelled = control.get("id") and page.xpath("//label[@for=$id]", id=control.get("id"))
        if not (named or labelled or control.xpath("ancestor::label")):
            wrong.append(control.get("name") or "?")
    return wrong


# Pages with a form that a member of the demo can open, and who; sent empty, each says what is missing in an error summary.
FORMS_SENT_EMPTY = [
    ("", "/account/sign-in"),
    ("", "/account/sign-up"),
    ("mother", "/account/password"),
    ("mother", "/account/mandates/new"),
    ("mother", "/life/newborn/start"),
    ("administrator", "/work/accounts/new"),
]


@pytest.mark.parametrize(("who", "path"), FORMS_SENT_EMPTY)
@pytest.mark.usefixtures("platform")
def test_a_form_names_its_fields_and_sent_empty_it_sums_up_what_is_missing(who: str, path: str) -> None:
    from lxml import html

    client = _signed_in(who) if who else _client()
    shown = html.document_fromstring(client.get(path).content.decode())
    assert shown.xpath("//main//form"), path
    assert _inputs_without_label(shown) == []
    answer = client.post(path, {"sent": "1"})  # a browser always sends something: the token, the button
    page = html.document_fromstring(answer.content.decode())
    assert answer.status_code in {200, 422}, f"{path}: {answer.status_code}"
    summary = page.xpath("//*[@role='alert'][contains(@class, 'summary')]")
    assert len(summary) == 1, f"{path} has no error summary"
    links = summary[0].xpath(".//a/@href")
    assert links, "each mistake leads to its field"
    for link in links:
        assert page.xpath("//*[@id=$id]", id=link.removeprefix("#")), f"{path}: {link} leads nowhere"
    assert _inputs_without_label(page) == []
