"""People who may be registered twice: the pairs that were found, one pair side by side, and what is decided about it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy
from django.views.decorators.http import require_http_methods

from furong.foundation.access.values import Actor, Basis
from furong.foundation.codes.errors import Refusal
from furong.registries.population import queries as population
from furong.registries.population.duplicates import commands, queries, tasks
from furong.registries.population.duplicates.values import (
    COMPARED,
    SEARCHING,
    DuplicateRecord,
    DuplicateState,
    SearchState,
    Step,
)
from furong.sites.workbench import facts
from furong.sites.workbench.desk import page, words_of
from furong.sites.workbench.enquiries import Enquiry, seal, unseal
from furong.sites.workbench.forms_duplicates import DIFFERENT, FIRST, KEEP, AskedPartForm, DecideForm, PartForm
from furong.sites.workbench.forms_registers import LEGAL_BASES, PurposeForm
from furong.sites.workbench.guards import needs
from furong.sites.workbench.views.registers import answer, purpose_of

RIGHT = "population.duplicates"
KIND = "duplicate"
PAGE = 50
STATES: Mapping[DuplicateState, tuple[Promise, str]] = {
    DuplicateState.OPEN: (gettext_lazy("To be judged"), "late"),
    DuplicateState.DIFFERENT: (gettext_lazy("Two people"), "ok"),
    DuplicateState.MERGING: (gettext_lazy("Merging"), "run"),
    DuplicateState.MERGED: (gettext_lazy("One and the same person"), "ok"),
    DuplicateState.PARTING_ASKED: (gettext_lazy("Parting to be judged"), "late"),
    DuplicateState.PARTING: (gettext_lazy("Parting"), "run"),
    DuplicateState.PARTED: (gettext_lazy("Parted again"), "wait"),
}
TABS: Mapping[str, tuple[Promise, tuple[DuplicateState, ...]]] = {
    "open": (
        gettext_lazy("To be judged"),
        (DuplicateState.OPEN, DuplicateState.MERGING, DuplicateState.PARTING, DuplicateState.PARTING_ASKED),
    ),
    "merged": (gettext_lazy("One and the same person"), (DuplicateState.MERGED,)),
    "different": (gettext_lazy("Two people"), (DuplicateState.DIFFERENT, DuplicateState.PARTED)),
}
STEPS: Mapping[Step, Promise] = {
    Step.FOUND: gettext_lazy("Found by a search"),
    Step.SET_ASIDE: gettext_lazy("Judged to be two people"),
    Step.MERGE_BEGUN: gettext_lazy("Merger begun"),
    Step.MERGED: gettext_lazy("Merged"),
    Step.MERGE_REFUSED: gettext_lazy("Merger refused"),
    Step.PARTING_ASKED: gettext_lazy("Parting asked for after later acts"),
    Step.PARTING_DECLINED: gettext_lazy("Parting declined"),
    Step.PARTING_BEGUN: gettext_lazy("Parting begun"),
    Step.PARTED: gettext_lazy("Parted"),
    Step.PARTING_REFUSED: gettext_lazy("Parting refused"),
}
RESPECTS: Mapping[str, Promise] = {
    "name": gettext_lazy("Name"),
    "birth": gettext_lazy("Date of birth"),
    "sex": gettext_lazy("Sex"),
    "household": gettext_lazy("Address and parents"),
}
LIKENESS: Mapping[str, tuple[Promise, str]] = {
    "unknown": (pgettext_lazy("likeness", "not known"), "wait"),
    "equal": (pgettext_lazy("likeness", "equal"), "ok"),
    "former": (pgettext_lazy("likeness", "a former name"), "ok"),
    "sounds_equal": (pgettext_lazy("likeness", "sounds equal"), "ok"),
    "sounds_alike": (pgettext_lazy("likeness", "sounds alike in dialect"), "run"),
    "changed_places": (pgettext_lazy("likeness", "characters changed places"), "run"),
    "one_character": (pgettext_lazy("likeness", "one character differs"), "run"),
    "sounds_near": (pgettext_lazy("likeness", "sounds nearly so"), "run"),
    "day_and_month_swapped": (pgettext_lazy("likeness", "day and month swapped"), "run"),
    "one_digit": (pgettext_lazy("likeness", "one digit differs"), "run"),
    "year_differs": (pgettext_lazy("likeness", "another year, the same day"), "run"),
    "day_differs": (pgettext_lazy("likeness", "another day of the same month"), "run"),
    "address_and_parent": (pgettext_lazy("likeness", "address and a parent equal"), "ok"),
    "both_parents": (pgettext_lazy("likeness", "both parents equal"), "ok"),
    "address": (pgettext_lazy("likeness", "address equal"), "ok"),
    "one_parent": (pgettext_lazy("likeness", "one parent equal"), "run"),
    "place": (pgettext_lazy("likeness", "the same village or community"), "run"),
    "division": (pgettext_lazy("likeness", "the same county"), "run"),
    "differs": (pgettext_lazy("likeness", "differs"), "over"),
}


@require_http_methods(["GET", "HEAD", "POST"])
@needs(RIGHT)
def duplicates(request: HttpRequest, actor: Actor) -> HttpResponse:
    """List the pairs of the actor's area, and have the register searched anew."""
    now = timezone.now()
    if request.method == "POST":
        search_id = commands.ask_for_search(actor=actor, basis=SEARCHING, now=now)
        tasks.start(search_id=search_id)
        messages.success(request, _("The register is being searched. This page shows the pairs when it is done."))
        return HttpResponseRedirect(reverse("workbench:duplicates"))
    tab = request.GET.get("show", "")
    tab = tab if tab in TABS else "open"
    asked = request.GET.get("page", "1")
    number = int(asked) if asked.isascii() and asked.isdecimal() and len(asked) < 5 else 1
    number = max(1, number)
    counts = queries.count_duplicates(actor=actor)
    found = queries.list_duplicates(actor=actor, states=TABS[tab][1], limit=PAGE + 1, offset=(number - 1) * PAGE)
    places = facts.Places()
    here = reverse("workbench:duplicates")
    search = queries.last_search(actor=actor)
    context = {
        "rows": [_row(one, places) for one in found[:PAGE]],
        "tab": tab,
        "tabs": [
            (
                f"{label} {sum(counts[one] for one in states)}",
                here if code == "open" else f"{here}?show={code}",
                code == tab,
            )
            for code, (label, states) in TABS.items()
        ],
        "next_href": f"{here}?show={tab}&page={number + 1}" if len(found) > PAGE else "",
        "search": search,
        "searching": search is not None and search.state is SearchState.WAITING,
        "failed": search is not None and search.state is SearchState.FAILED,
    }
    response = page(request, actor, "registers/duplicates", "duplicates", **context)
    if context["searching"]:
        response["Refresh"] = "10"
    return response


@require_http_methods(["GET", "HEAD", "POST"])
@needs(RIGHT)
def duplicate(request: HttpRequest, actor: Actor, duplicate_id: UUID) -> HttpResponse:
    """Show what is known of a pair without naming anybody, and ask why both entries are to be opened."""
    now = timezone.now()
    pair = queries.get_duplicate(duplicate_id=duplicate_id, actor=actor)
    form = PurposeForm(
        request.POST if request.method == "POST" else None,
        initial={"purpose": "correction", "legal_basis": LEGAL_BASES[0]},
    )
    if request.method == "POST":
        basis = purpose_of(form, actor, now, what="population.list_persons", database="population")
        if basis is not None and form.is_valid():
            token = seal(Enquiry(kind=KIND, object_id=duplicate_id, title="", basis=basis), actor=actor, now=now)
            return HttpResponseRedirect(reverse("workbench:duplicate_pair", kwargs={"token": token}))
    context = {"form": form, "legal_bases": LEGAL_BASES, "one": _row(pair, facts.Places()), "steps": _steps(pair)}
    return answer(page(request, actor, "registers/duplicate", "duplicates", **context), form)


@require_http_methods(["GET", "HEAD", "POST"])
@needs(RIGHT)
def duplicate_pair(request: HttpRequest, actor: Actor, token: str) -> HttpResponse:
    """Show both entries side by side and take what is decided; each opening is recorded with its purpose."""
    now = timezone.now()
    enquiry = unseal(token, kind=KIND, actor=actor, now=now)
    pair = queries.get_duplicate(duplicate_id=enquiry.object_id, actor=actor)
    form = _form(pair, request)
    if request.method == "POST" and form is not None and form.is_valid():
        try:
            words = _decide(pair, form, actor, enquiry.basis)
        except Refusal as refusal:
            form.add_error(None, " ".join(words_of(refusal)))
            pair = queries.get_duplicate(duplicate_id=enquiry.object_id, actor=actor)
        else:
            messages.success(request, words)
            return HttpResponseRedirect(reverse("workbench:duplicate_pair", kwargs={"token": token}))
    context = {
        "one": _row(pair, facts.Places()),
        "basis": enquiry.basis,
        "entries": _entries(pair, actor=actor, basis=enquiry.basis),
        "standing": "A" if pair.stands_as_person_id == pair.first_person_id else "B",
        "form": form,
        "kind": type(form).__name__ if form is not None else "",
        "steps": _steps(pair),
        "is_own": pair.asked_by == actor.account_id,
    }
    response = page(request, actor, "registers/duplicate_pair", "duplicates", **context)
    response["Cache-Control"] = "no-store"
    return answer(response, *([form] if form is not None else []))


def _form(pair: DuplicateRecord, request: HttpRequest) -> forms.Form | None:
    chosen: type[forms.Form]
    if pair.state in {DuplicateState.OPEN, DuplicateState.MERGING, DuplicateState.PARTED}:
        chosen = DecideForm
    elif pair.state in {DuplicateState.MERGED, DuplicateState.PARTING}:
        chosen = PartForm
    elif pair.state is DuplicateState.PARTING_ASKED:
        chosen = AskedPartForm
    else:
        return None
    return chosen(request.POST if request.method == "POST" else None)


def _decide(pair: DuplicateRecord, form: forms.Form, actor: Actor, basis: Basis) -> str:
    """Do what the form says, and tell it. Raises the register's refusals."""
    deed, reason = form.cleaned_data.get("deed", ""), form.cleaned_data["reason"]
    said: dict[str, Any] = {
        "duplicate_id": pair.duplicate_id,
        "actor": actor,
        "basis": basis,
        "now": timezone.now(),
    }
    if isinstance(form, DecideForm):
        if deed == DIFFERENT:
            commands.set_aside(reason=reason, **said)
            return _("Recorded: these are two people.")
        stands = pair.first_person_id if deed == FIRST else pair.second_person_id
        commands.merge_people(stands_as_person_id=stands, evidence=reason, **said)
        return _("Merged. The other entry left the register; its history stays.")
    if isinstance(form, AskedPartForm) and deed == KEEP:
        commands.decline_parting(reason=reason, **said)
        return _("Recorded: they stay one person.")
    done = commands.part_people(evidence=reason, **said)
    if done is None:
        return _(
            "Either entry was acted on since the merger. Somebody else must judge the parting; nothing was changed."
        )
    return _("Parted. The entry stands in the register again, in its household and with its number.")


def _entries(pair: DuplicateRecord, *, actor: Actor, basis: Basis) -> list[dict[str, Any]]:
    """Give both entries as rows: the term, either value, and whether they agree."""
    now, places = timezone.now(), facts.Places()
    reading: dict[str, Any] = {"actor": actor, "basis": basis, "now": now}
    keys = (pair.first_person_id, pair.second_person_id)
    found = {one.person_id: one for one in population.list_persons(person_ids=keys, fields=COMPARED, **reading)}
    relatives = {
        value
        for one in found.values()
        for name in ("mother_id", "father_id", "spouse_id")
        if isinstance(value := one[name], UUID)
    }
    named: dict[UUID, str] = {}
    if relatives:
        try:
            shown = population.list_persons(person_ids=relatives, fields=["name_masked"], **reading)
        except Refusal:
            shown = ()
        named = {one.person_id: one.text("name_masked") for one in shown}
    rows = []
    for name in COMPARED:
        told = [found[key][name] if key in found else None for key in keys]
        words = [
            named.get(one, _("registered outside your area"))
            if isinstance(one, UUID)
            else facts.shown(name, one, places)
            for one in told
        ]
        if any(words):
            rows.append(
                {
                    "term": facts.field_label(name),
                    "first": words[0],
                    "second": words[1],
                    "same": told[0] == told[1],
                    "known": all(one not in (None, "") for one in told),
                }
            )
    return rows


def _row(pair: DuplicateRecord, places: facts.Places) -> dict[str, Any]:
    return {
        "view": pair,
        "state": STATES[pair.state],
        "likeness": [
            (RESPECTS[name], *LIKENESS.get(pair.likeness.get(name, "unknown"), LIKENESS["unknown"]))
            for name in RESPECTS
        ],
        "percent": f"{min(pair.probability, 0.9999):.2%}",
        "first": places.name(pair.first_division),
        "second": places.name(pair.second_division),
    }


def _steps(pair: DuplicateRecord) -> list[dict[str, Any]]:
    return [
        {
            "view": one,
            "words": STEPS[one.step],
            "later": [facts.change_words(str(kind)) for kind in one.detail.get("later", ())],  # type: ignore[attr-defined]
        }
        for one in reversed(pair.steps)
    ]
