"""Audit: whether the logs are whole, what was done and refused, and, for a stated purpose, what an entry says of people."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from furong.foundation.access.errors import PurposeMissing
from furong.foundation.access.values import Actor, Basis
from furong.foundation.audit import queries
from furong.foundation.audit.commands import COMMANDS, READS, record_refusal
from furong.foundation.audit.values import LogLine, PageMark, Verdict
from furong.foundation.organizations import queries as organizations
from furong.sites.workbench.desk import page
from furong.sites.workbench.forms_administration import EntriesForm
from furong.sites.workbench.forms_registers import LEGAL_BASES, PurposeForm
from furong.sites.workbench.guards import needs
from furong.sites.workbench.views.organizations import answer
from furong.sites.workbench.words_audit import action_words, log_words

VIEW = "audit.view"
SECTION = "audit"
PAGE_SIZE = 50
# Checking reads everything, about 30 µs an entry: from here on it is the command line's work, not a page's.
MOST_CHECKED = 300_000


@require_safe
@needs(VIEW)
def audit(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Show how each log stands, the latest refusals, and the entries that are looked for."""
    return _page(request, actor, {})


@require_POST
@needs(VIEW)
def audit_verify(request: HttpRequest, actor: Actor, database: str) -> HttpResponse:
    """Check a whole log now: entries, details, tree and signatures."""
    if database not in settings.DATABASES:
        raise Http404
    head = queries.find_head(database=database)
    if head is not None and head.size > MOST_CHECKED:
        return _page(request, actor, {database: None})
    return _page(request, actor, {database: queries.verify_database(database)})


def _page(request: HttpRequest, actor: Actor, verdicts: dict[str, Verdict | None]) -> HttpResponse:
    now = timezone.now()
    aliases = list(settings.DATABASES)
    asked = request.GET if request.method in {"GET", "HEAD"} and request.GET else None
    form = EntriesForm(asked, databases=aliases, names=[*COMMANDS, *READS])
    valid = not form.is_bound or form.is_valid()
    database = (form.cleaned_data.get("database") if form.is_bound and valid else "") or aliases[0]
    before = None
    if mark := request.GET.get("before", ""):
        try:
            before = PageMark.parse(mark)
        except ValueError:
            before = None
    lines: list[LogLine] = []
    if valid:
        lines = queries.search_entries(
            **form.criteria(), before=before, actor=actor, now=now, limit=PAGE_SIZE + 1, database=database
        )
    following = ""
    if len(lines) > PAGE_SIZE:
        lines = lines[:PAGE_SIZE]
        query = request.GET.copy()
        query["before"] = lines[-1].mark.text()
        following = f"?{query.urlencode()}#entries"
    refusals = [] if form.is_bound else _refusals(actor, aliases)
    context: dict[str, Any] = {
        "logs": [_log(alias, verdicts) for alias in aliases],
        "form": form,
        "lines": lines,
        "database": database,
        "following": following,
        "continued": before is not None,
        "refusals": refusals,
        "most_checked": MOST_CHECKED,
        **_labels([*lines, *(line for _alias, line in refusals)]),
    }
    return answer(page(request, actor, "administration/audit", SECTION, **context), form)


def _log(alias: str, verdicts: dict[str, Verdict | None]) -> dict[str, Any]:
    return {
        "alias": alias,
        "head": queries.find_head(database=alias),
        "unsealed": queries.count_unsealed(database=alias),
        "checked": alias in verdicts,
        "verdict": verdicts.get(alias),
    }


def _refusals(actor: Actor, aliases: list[str]) -> list[tuple[str, LogLine]]:
    now = timezone.now()
    found = [
        (alias, line)
        for alias in aliases
        for line in queries.search_entries(actor=actor, now=now, outcome="refused", limit=8, database=alias)
    ]
    return sorted(found, key=lambda one: one[1].at, reverse=True)[:8]


def _labels(lines: list[LogLine]) -> dict[str, Any]:
    return {
        "action_words": action_words,
        "log_words": log_words,
        "post_names": organizations.labels_of_posts(post_ids=[one.post_id for one in lines if one.post_id]),
        "organization_names": organizations.labels_of_organizations(
            organization_ids=[one.organization_id for one in lines if one.organization_id]
        ),
    }


@require_http_methods(["GET", "HEAD", "POST"])
@needs(VIEW)
def audit_entry(request: HttpRequest, actor: Actor, database: str, entry_id: UUID) -> HttpResponse:
    """Show one entry and its proof; what it says of people only for a stated purpose, which is recorded in turn."""
    if database not in settings.DATABASES:
        raise Http404
    now = timezone.now()
    line = queries.find_entry(entry_id=entry_id, actor=actor, now=now, database=database)
    if line is None:
        raise Http404
    form = PurposeForm(request.POST or None)
    form.fields.pop("case_number")
    detail, asked = None, False
    if request.method == "POST":
        if form.is_valid():
            basis = Basis(purpose=form.purpose_words(), legal_basis=form.cleaned_data["legal_basis"])
            detail = queries.get_detail(entry_id=entry_id, actor=actor, basis=basis, now=now, database=database)
            asked = True
        elif "purpose" in form.errors:
            record_refusal(actor=actor, what="audit.get_detail", refusal=PurposeMissing(), now=now, database=database)
    proof = queries.prove_inclusion(entry_id=entry_id, database=database)
    context: dict[str, Any] = {
        "line": line,
        "database": database,
        "proof": proof,
        "form": form,
        "detail": detail,
        "asked": asked,
        "legal_bases": LEGAL_BASES,
        **_labels([line]),
    }
    return answer(page(request, actor, "administration/audit_entry", SECTION, **context), form)
