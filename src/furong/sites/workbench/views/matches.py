"""Files compared with the population register: asking, watching how far it is, fetching the answers."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, StreamingHttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_safe

from furong.foundation.access.values import Actor, Basis
from furong.foundation.codes.errors import Refusal
from furong.foundation.web.uploads import allow_larger, oversized_fields
from furong.registries.population.errors import FileUnreadable, MappingInvalid
from furong.registries.population.matches import commands, queries, tasks
from furong.registries.population.matches.values import ANSWERS, Answer, MatchRecord, MatchState
from furong.sites.workbench.desk import page, words_of
from furong.sites.workbench.forms_matches import MatchForm, told_label
from furong.sites.workbench.forms_registers import LEGAL_BASES
from furong.sites.workbench.guards import needs
from furong.sites.workbench.views.registers import purpose_of

RIGHT = "population.match"
LARGEST_BYTES = 50 << 20
STATES: Mapping[MatchState, tuple[Promise, str]] = {
    MatchState.WAITING: (gettext_lazy("Under way"), "run"),
    MatchState.DONE: (gettext_lazy("Done"), "ok"),
    MatchState.FAILED: (gettext_lazy("Failed"), "over"),
    MatchState.EXPIRED: (gettext_lazy("Thrown away"), "wait"),
}
WORDS: Mapping[Answer, tuple[Promise, str]] = {
    Answer.MATCH: (gettext_lazy("Agrees"), "ok"),
    Answer.NAME_DIFFERS: (gettext_lazy("The number exists, the name differs"), "late"),
    Answer.NOT_FOUND: (gettext_lazy("Not found"), "wait"),
    Answer.AMBIGUOUS: (gettext_lazy("Several people fit"), "late"),
    Answer.INCOMPLETE: (gettext_lazy("Number missing, or name and date of birth"), "late"),
}
allow_larger(path="/work/population/matches", limit_bytes=LARGEST_BYTES)


@require_http_methods(["GET", "HEAD", "POST"])
@needs(RIGHT)
def matches(request: HttpRequest, actor: Actor) -> HttpResponse:
    """List the comparisons that the clerk asked for, and take a file for another."""
    now = timezone.now()
    form = MatchForm(request.POST or None, request.FILES or None)
    if request.method == "POST":
        basis = purpose_of(form, actor, now, what="population.request_match", database="population")
        if "file" in oversized_fields(request):
            form.add_error("file", _("The file is larger than 50 MB. Divide it, or save it as Parquet."))
        elif basis is not None and form.is_valid():
            match_id = _ask(form, actor, basis)
            if match_id is not None:
                messages.success(
                    request, _("The file was taken. This page shows how far it is; you are told when it is done.")
                )
                return HttpResponseRedirect(reverse("workbench:match", kwargs={"match_id": match_id}))
    found = queries.list_matches(actor=actor)
    context = {"form": form, "legal_bases": LEGAL_BASES, "rows": [_row(one) for one in found]}
    response = page(request, actor, "registers/matches", "matches", **context)
    response.status_code = 422 if form.errors else 200
    return response


def _ask(form: MatchForm, actor: Actor, basis: Basis) -> UUID | None:
    given: UploadedFile[Any] = form.cleaned_data["file"]
    name = given.name or ""
    with tempfile.TemporaryDirectory(prefix="furong-match-") as folder:
        path = Path(folder) / ("asked.parquet" if name.lower().endswith((".parquet", ".pq")) else "asked.csv")
        with path.open("wb") as out:
            shutil.copyfileobj(given, out, 1 << 20)
        try:
            match_id = commands.request_match(
                source=path,
                file_name=name,
                columns=form.columns(),
                fields=tuple(form.cleaned_data["fields_told"]),
                encoding=form.cleaned_data["encoding"],
                actor=actor,
                basis=basis,
                now=timezone.now(),
            )
        except (FileUnreadable, MappingInvalid) as refusal:
            form.add_error("file", " ".join(words_of(refusal)))
            return None
    tasks.start(match_id=match_id)
    return match_id


@require_safe
@needs(RIGHT)
def match(request: HttpRequest, actor: Actor, match_id: UUID) -> HttpResponse:
    """Show how far a comparison is, what it found, or why it failed."""
    found = queries.get_match(match_id=match_id, actor=actor)
    answers = [
        (WORDS[one][0], WORDS[one][1], found.counts[one.value], found.counts[one.value] / max(1, found.rows))
        for one in ANSWERS
        if found.counts.get(one.value)
    ]
    told = [told_label(name) for name in found.fields]
    refusal = _as_refusal(found)
    context = {"one": _row(found), "answers": answers, "told": told, "problem": words_of(refusal) if refusal else None}
    response = page(request, actor, "registers/match", "matches", **context)
    if found.state is MatchState.WAITING:
        response["Refresh"] = "5"
    return response


def _as_refusal(found: MatchRecord) -> Refusal | None:
    return Refusal(found.problem, mend=found.mend) if found.problem else None


@require_safe
@needs(RIGHT)
def match_result(request: HttpRequest, actor: Actor, match_id: UUID) -> StreamingHttpResponse:
    """Send the answers of a comparison that is done."""
    found, chunks = queries.open_result(match_id=match_id, actor=actor, now=timezone.now())
    ending, kind = ("parquet", "application/vnd.apache.parquet") if found.is_parquet else ("csv", "text/csv")
    response = StreamingHttpResponse(chunks, content_type=kind)
    response["Content-Disposition"] = f'attachment; filename="answers-{timezone.localdate(found.asked_at)}.{ending}"'
    response["Cache-Control"] = "no-store"
    return response


def _row(found: MatchRecord) -> dict[str, Any]:
    return {"view": found, "state": STATES[found.state], "percent": int(100 * found.share)}
