"""What every page of the workbench needs: a member of staff who asks, and the frame around the page."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

from django.contrib.messages import get_messages
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.cache import patch_cache_control
from django.utils.translation import gettext as _

from furong.foundation.access.errors import AccessRefused, SignInNeeded
from furong.foundation.access.values import Actor
from furong.foundation.codes.errors import Refusal
from furong.foundation.replicas import queries as replicas
from furong.foundation.web.problem import of_refusal
from furong.sites.workbench import standing

P = ParamSpec("P")
R = TypeVar("R", bound=HttpResponseBase)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One line of the menu at the side; shown to those who have one of ``rights``."""

    name: str
    label: str
    url_name: str
    rights: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """A heading of the menu and its entries."""

    label: str
    entries: tuple[Entry, ...]


AT_A_COUNTER = frozenset(
    {"counter", "population", "population_exists", "moves", "audit"}
)  # what a centre's own node serves


def _entry(name: str, label: str, *rights: str, url_name: str = "") -> Entry:
    return Entry(name=name, label=label, url_name=f"workbench:{url_name or name}", rights=frozenset(rights))


def menu(actor: Actor) -> list[Group]:
    """Give the groups of the menu with what ``actor`` may open; groups with nothing in them are left out."""
    work = ("cases.handle", "cases.decide")
    groups = (
        (
            "",
            _entry("work_list", _("To do"), *work),
            _entry("cases", _("Cases"), *work, "cases.supervise"),
            _entry("bookings", _("Bookings"), "cases.handle"),
            _entry("refunds", _("Refunds"), *work),
            _entry("notices", _("Notices"), *work, "cases.supervise", "catalogue.edit", "catalogue.review"),
        ),
        (
            _("Supervision"),
            _entry("supervision", _("Deadlines"), "cases.supervise"),
            _entry("call_backs", _("Call-backs"), "cases.supervise"),
            _entry("reconciliation", _("Payments compared"), "payments.reconcile"),
        ),
        (
            _("Processes"),
            _entry("processes", _("All processes"), "definitions.publish", "processes.administer", "cases.supervise"),
            _entry("waiting", _("Waiting by department"), "processes.administer", "cases.supervise"),
            _entry("incidents", _("Incidents"), "processes.administer"),
        ),
        (
            _("Registers"),
            _entry("counter", _("Counter"), "population.register"),
            _entry("population", _("Population"), "population.search"),
            _entry(
                "cards",
                _("Identity cards"),
                *("identity_cards.handle", "identity_cards.produce", "identity_cards.compare", "portraits.review"),
            ),
            _entry("population_exists", _("Existence check"), "population.verify"),
            _entry("matches", _("Comparisons"), "population.match"),
            _entry("moves", _("Moves"), "population.register"),
            _entry("duplicates", _("Registered twice?"), "population.duplicates"),
            _entry("population_centres", _("City centres"), "population.centres"),
            _entry("secrecy", _("Orders of secrecy"), "audit.secrecy"),
            _entry("entities", _("Legal entities"), "legal_entities.read"),
            _entry("licences", _("Licences"), "licences.read", "licences.issue", "licences.revoke"),
        ),
        (
            _("Catalogue"),
            _entry(
                "resources",
                _("Information resources"),
                *("catalogue.edit", "catalogue.review", "definitions.publish", "cases.supervise", *work),
            ),
            _entry("needs", _("Needs and supply"), "catalogue.edit", "catalogue.review"),
            _entry("requests", _("Requests and grants"), "catalogue.edit", "catalogue.review"),
            _entry(
                "sharing",
                _("What sharing brings"),
                *("catalogue.edit", "catalogue.review", "definitions.publish", "cases.supervise", *work),
            ),
            _entry(
                "collection",
                _("Collection duties"),
                *("catalogue.edit", "catalogue.review", "definitions.publish", "cases.supervise", *work),
            ),
            _entry("objections", _("Objections to data"), "catalogue.edit", "catalogue.review", *work),
            _entry("harvests", _("Other catalogues"), "catalogue.review"),
        ),
        (
            _("Exchange"),
            _entry("exchange", _("Data exchange"), "exchange.operate"),
        ),
        (
            _("Content"),
            _entry("items", _("Items and forms"), "definitions.publish", "cases.supervise"),
            _entry("search", _("Search"), "search.manage"),
        ),
        (
            _("Administration"),
            _entry("organizations", _("Organisations and posts"), "organizations.manage"),
            _entry("accounts", _("Accounts"), "accounts.manage"),
            _entry("audit", _("Audit"), "audit.view"),
        ),
    )
    shown = []
    for label, *entries in groups:
        allowed = tuple(
            entry
            for entry in entries
            if entry.rights & actor.rights and (entry.name in AT_A_COUNTER or not replicas.is_counter())
        )
        if allowed:
            shown.append(Group(label=label, entries=allowed))
    return shown


def staff(
    view: Callable[Concatenate[HttpRequest, Actor, P], R],
) -> Callable[Concatenate[HttpRequest, P], R]:
    """Give the view the member of staff who asks. Raises `SignInNeeded`, and `AccessRefused` for residents."""

    @wraps(view)
    def wrapper(request: HttpRequest, *args: P.args, **kwargs: P.kwargs) -> R:
        actor: Actor | None = getattr(request, "actor", None)
        if actor is None or actor.account_id is None:
            raise SignInNeeded
        if not actor.is_staff:
            raise AccessRefused(mend="Sign in with the account of your post.")
        return view(request, actor, *args, **kwargs)

    return wrapper  # type: ignore[return-value]  # wraps() tells mypy of the inner signature


def page(request: HttpRequest, actor: Actor, template: str, section: str, **context: Any) -> HttpResponse:
    """Render a page of the workbench; nothing of it is kept by caches."""
    response = render(
        request,
        f"workbench/{template}.jinja",
        {
            "menu": menu(actor),
            "section": section,
            "me": actor,
            "messages_shown": get_messages(request),
            "stands": standing.of_this_page(section),
            **context,
        },
        using="furong",
    )
    patch_cache_control(response, no_store=True)
    return response


def home_of(actor: Actor) -> str:
    """Give the address of the first page that ``actor`` may open."""
    for group in menu(actor):
        return reverse(group.entries[0].url_name)
    return reverse("identity:overview")


def words_of(refusal: Refusal) -> tuple[str, str]:
    """Give what a refusal says and what to do about it, in the reader's language."""
    problem = of_refusal(refusal)
    return problem.told(problem.detail or problem.title), problem.told(problem.mend)
