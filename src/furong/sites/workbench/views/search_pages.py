"""Pages that imports brought into the search: their sites, how imports went and what they refused, what is kept, removing it."""

from __future__ import annotations

from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from furong.domains.search import queries as searching
from furong.domains.search.errors import IndexMissingError, NothingAsked
from furong.domains.search.store import commands, queries
from furong.domains.search.store.errors import ImportMissing, PageMissing
from furong.domains.search.store.values import PageLine, PageView, Reason, SiteView
from furong.domains.search.values import MANAGE, Kind, Query
from furong.foundation.access.values import Actor
from furong.foundation.codes.errors import Refusal
from furong.sites.workbench import words_search as words
from furong.sites.workbench.desk import page, words_of
from furong.sites.workbench.forms_search import RemovePageForm
from furong.sites.workbench.guards import needs

SIZE = 20
NOTES = 100
_MOST_PAGES = 50


@require_safe
@needs(MANAGE)
def sites(request: HttpRequest, actor: Actor) -> HttpResponse:
    """List the sites whose pages are kept, with how the last import of each went."""
    return page(
        request,
        actor,
        "search/sites",
        "search",
        sites=queries.list_sites(),
        last=queries.list_last_imports(),
        words=words,
    )


@require_safe
@needs(MANAGE)
def site(request: HttpRequest, actor: Actor, code: str) -> HttpResponse:
    """Show a site: its imports, and its pages to leaf through or to search."""
    found = _site(code)
    asked = request.GET.get("q", "").strip()[:200]
    number = _number(request)
    lines, total, state = _pages(found, asked, number, actor)
    imports = queries.list_imports(site=code, limit=8)
    pages = min(-(-total // SIZE), _MOST_PAGES)
    return page(
        request,
        actor,
        "search/site",
        "search",
        source=found,
        imports=imports,
        reasons=_reasons(imports[0].id) if imports else [],
        kept_out=queries.list_kept_out(site=code),
        asked=asked,
        state=state,
        lines=lines,
        total=total,
        number=number,
        pages=pages,
        previous=_at(asked, number - 1) if number > 1 else "",
        next=_at(asked, number + 1) if number < pages else "",
        words=words,
    )


@require_safe
@needs(MANAGE)
def imported(request: HttpRequest, actor: Actor, code: str, import_id: UUID) -> HttpResponse:
    """Show how an import goes or went, and which files it refused, reason by reason."""
    found = _site(code)
    try:
        run = queries.get_import(import_id=import_id)
    except ImportMissing as missing:
        raise Http404 from missing
    if run.site != code:
        raise Http404
    given = request.GET.get("reason", "")
    reason = Reason(given) if given in set(Reason) else None
    number = _number(request)
    reasons = _reasons(run.id)
    total = sum(count for one, count in reasons if reason in (None, one))
    start = f"?reason={reason.value}&page=" if reason is not None else "?page="
    pages = -(-total // NOTES)
    return page(
        request,
        actor,
        "search/import",
        "search",
        source=found,
        run=run,
        reasons=reasons,
        reason=reason,
        notes=queries.list_notes(import_id=run.id, reason=reason, offset=(number - 1) * NOTES, limit=NOTES),
        number=number,
        pages=pages,
        previous=f"{start}{number - 1}" if number > 1 else "",
        next=f"{start}{number + 1}" if number < pages else "",
        words=words,
    )


@require_safe
@needs(MANAGE)
def kept(request: HttpRequest, actor: Actor, page_id: UUID) -> HttpResponse:
    """Show what is kept of a page: the text that is searched, not the page itself."""
    return page(request, actor, "search/page", "search", found=_page(page_id), words=words)


@require_http_methods(["GET", "HEAD", "POST"])
@needs(MANAGE)
def remove(request: HttpRequest, actor: Actor, page_id: UUID) -> HttpResponse:
    """Remove a page, for a reason; it stays out of later imports."""
    found = _page(page_id)
    form = RemovePageForm(request.POST if request.method == "POST" else None)
    refused = None
    if request.method == "POST" and form.is_valid():
        try:
            commands.remove_page(page_id=page_id, why=form.cleaned_data["why"], actor=actor, now=timezone.now())
        except Refusal as refusal:
            refused = words_of(refusal)
        else:
            messages.success(request, _("The page is removed. Nobody finds it any more, and imports leave it out."))
            return HttpResponseRedirect(reverse("workbench:search_site", kwargs={"code": found.site}))
    response = page(request, actor, "search/page_remove", "search", found=found, form=form, refused=refused)
    response.status_code = 422 if refused or form.errors else 200
    return response


@require_POST
@needs(MANAGE)
def admit(request: HttpRequest, actor: Actor, code: str) -> HttpResponse:
    """Let an address in again that an editor removed: the next import takes it."""
    found = _site(code)
    try:
        commands.admit_page(address=request.POST.get("address", "")[:2000], actor=actor, now=timezone.now())
    except PageMissing as missing:
        raise Http404 from missing
    messages.success(request, _("The next import takes it in again."))
    return HttpResponseRedirect(reverse("workbench:search_site", kwargs={"code": found.code}))


@require_http_methods(["GET", "HEAD", "POST"])
@needs(MANAGE)
def site_remove(request: HttpRequest, actor: Actor, code: str) -> HttpResponse:
    """Remove a site with all its pages and the log of its imports."""
    found = _site(code)
    form = forms.Form(request.POST if request.method == "POST" else None)
    refused = None
    if request.method == "POST":
        try:
            commands.remove_site(code=code, actor=actor, now=timezone.now())
        except Refusal as refusal:
            refused = words_of(refusal)
        else:
            messages.success(request, _("The site is removed with all its pages."))
            return HttpResponseRedirect(reverse("workbench:search_sites"))
    response = page(request, actor, "search/site_remove", "search", source=found, form=form, refused=refused)
    response.status_code = 422 if refused else 200
    return response


def _site(code: str) -> SiteView:
    found = queries.find_site(code=code)
    if found is None:
        raise Http404
    return found


def _page(page_id: UUID) -> PageView:
    try:
        return queries.get_page(page_id=page_id)
    except PageMissing as missing:
        raise Http404 from missing


def _number(request: HttpRequest) -> int:
    given = request.GET.get("page", "")
    return min(max(int(given), 1), _MOST_PAGES) if given.isascii() and given.isdigit() and len(given) < 5 else 1


def _at(asked: str, number: int) -> str:
    from urllib.parse import urlencode

    return "?" + urlencode([(name, value) for name, value in (("q", asked), ("page", str(number))) if value])


def _reasons(import_id: UUID) -> list[tuple[Reason, int]]:
    return sorted(queries.count_notes(import_id=import_id).items(), key=lambda one: (-one[1], one[0]))


def _pages(found: SiteView, asked: str, number: int, actor: Actor) -> tuple[list[PageLine], int, str]:
    """A page of the site's pages: an address is looked up, words are searched, nothing leafs through all."""
    offset = (number - 1) * SIZE
    if not asked:
        return queries.list_page_lines(site=found.code, offset=offset, limit=SIZE), found.pages, ""
    if asked.startswith(("http://", "https://")):
        one = queries.find_page(address=asked)
        ids = [one.id] if one is not None and one.site == found.code else []
        return queries.list_page_lines_of(page_ids=ids), len(ids), ""
    query = Query(
        text=asked,
        today=timezone.localdate(),
        kinds=(Kind.PAGE.value, Kind.DOCUMENT.value),
        sites=(found.name,),
        first=offset,
        size=SIZE,
        with_facets=False,
        with_snippets=False,
    )
    try:
        hits = searching.search(query=query, actor=actor, as_typed=True, counted=False)
    except NothingAsked:
        return [], 0, "nothing"
    except IndexMissingError:
        return [], 0, "away"
    ids = [UUID(hit.key.partition(":")[2]) for hit in hits.page.hits]
    return queries.list_page_lines_of(page_ids=ids), hits.page.total, ""
