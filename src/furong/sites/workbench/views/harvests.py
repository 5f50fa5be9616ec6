"""Catalogues elsewhere that are harvested: which, how their last harvests went, harvesting one now, and taking one away."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_safe

from furong.domains.catalogue.harvest import commands as harvesting
from furong.domains.catalogue.harvest import queries as harvest
from furong.domains.catalogue.harvest.errors import SourceMissing
from furong.domains.catalogue.harvest.queries import SourceView
from furong.domains.catalogue.harvest.values import STOPS
from furong.foundation.access.values import Actor
from furong.foundation.codes.errors import Refusal
from furong.sites.workbench import words_catalogue as words
from furong.sites.workbench.desk import page, words_of
from furong.sites.workbench.forms_harvests import SourceForm
from furong.sites.workbench.guards import needs

REVIEW = "catalogue.review"


@dataclass(frozen=True, slots=True, kw_only=True)
class Deed:
    """One thing that can be done to a source."""

    label: Promise
    effect: Promise
    done: Promise
    run: Callable[..., object]
    kind: str = "quiet"


DEEDS: Mapping[str, Deed] = {
    "run": Deed(
        label=gettext_lazy("Harvest now"),
        effect=gettext_lazy("The worker reads the source at once. What was published stays until all of it is read."),
        done=gettext_lazy("The harvest is under way. Reload this page in a minute."),
        run=harvesting.ask_harvest,
        kind="",
    ),
    "shrink": Deed(
        label=gettext_lazy("Harvest, and believe that most is gone"),
        effect=gettext_lazy(
            "The source has less than half of the datasets that it had. What it does not name any more is taken away here too."
        ),
        done=gettext_lazy("The harvest is under way. Reload this page in a minute."),
        run=lambda **given: harvesting.ask_harvest(**given, allow_shrink=True),
        kind="warn",
    ),
    "remove": Deed(
        label=gettext_lazy("Remove the source"),
        effect=gettext_lazy("All its datasets leave the public catalogue at once, and its log is deleted."),
        done=gettext_lazy("The source is removed."),
        run=harvesting.remove_source,
        kind="warn",
    ),
}


def _deeds(source: SourceView) -> list[tuple[str, Deed]]:
    return [(verb, deed) for verb, deed in DEEDS.items() if verb != "shrink" or source.finding == "shrunk"]


@require_safe
@needs(REVIEW)
def sources(request: HttpRequest, actor: Actor) -> HttpResponse:
    """List the sources with how the last harvest of each went."""
    return page(request, actor, "catalogue/harvests", "harvests", rows=harvest.list_sources(), words=words, stops=STOPS)


@require_http_methods(["GET", "HEAD", "POST"])
@needs(REVIEW)
def source_new(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Name a catalogue to be harvested."""
    form = SourceForm(request.POST if request.method == "POST" else None)
    refused = None
    if request.method == "POST" and form.is_valid():
        try:
            harvesting.add_source(**form.cleaned_data, actor=actor, now=timezone.now())
        except Refusal as refusal:
            refused = words_of(refusal)
        else:
            messages.success(request, _("The source is added; the worker harvests it within minutes."))
            return HttpResponseRedirect(reverse("workbench:harvest", kwargs={"code": form.cleaned_data["code"]}))
    response = page(request, actor, "catalogue/harvest_new", "harvests", form=form, refused=refused)
    response.status_code = 422 if refused or form.errors else 200
    return response


@require_safe
@needs(REVIEW)
def source(request: HttpRequest, actor: Actor, code: str) -> HttpResponse:
    """Show a source with the log of its last harvests: what came, what was left out, what stopped one."""
    found = _source(code)
    return page(
        request,
        actor,
        "catalogue/harvest",
        "harvests",
        found=found,
        runs=harvest.list_runs(code=code),
        deeds=_deeds(found),
        words=words,
        stops=STOPS,
    )


@require_http_methods(["GET", "HEAD", "POST"])
@needs(REVIEW)
def source_act(request: HttpRequest, actor: Actor, code: str, verb: str) -> HttpResponse:
    """Do one thing to a source, after saying what it does."""
    found = _source(code)
    deed = dict(_deeds(found)).get(verb)
    if deed is None:
        raise Http404
    refused: Any = None
    if request.method == "POST":
        try:
            deed.run(code=code, actor=actor, now=timezone.now())
        except Refusal as refusal:
            refused = words_of(refusal)
        else:
            messages.success(request, str(deed.done))
            home = reverse("workbench:harvests")
            return HttpResponseRedirect(home if verb == "remove" else f"{home}/{code}")
    response = page(
        request, actor, "catalogue/harvest_act", "harvests", found=found, deed=deed, refused=refused, form=forms.Form()
    )
    response.status_code = 422 if refused else 200
    return response


def _source(code: str) -> SourceView:
    try:
        return harvest.get_source(code=code)
    except SourceMissing as missing:
        raise Http404 from missing
