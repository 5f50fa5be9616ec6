"""Incidents: what the engine could not do, by cause; trying again or going past it, one or all of a cause."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from furong.domains.processes import administering, overseeing
from furong.domains.processes import commands as processes
from furong.domains.processes import queries as definitions
from furong.foundation.access import queries as access
from furong.foundation.access.errors import AccessRefused
from furong.foundation.access.values import Actor
from furong.foundation.codes.errors import Refusal
from furong.sites.workbench import presenting_processes as shown
from furong.sites.workbench.desk import page, words_of
from furong.sites.workbench.guards import needs

RIGHT = "processes.administer"
VERBS = ("retry", "skip")
# Incidents of a cause that are listed one by one.
LISTED = 20


@require_safe
@needs(RIGHT)
def incidents(request: HttpRequest, actor: Actor) -> HttpResponse:
    """List what the engine could not do after its retries, by cause, the most frequent first."""
    scope = access.scope(actor=actor, right=RIGHT)
    causes = overseeing.list_causes(scope=scope)
    names = {one.code: one.name for one in reversed(definitions.list_definitions())}
    opened = request.GET.get("cause", "")
    rows = []
    for cause in causes:
        listed = (
            overseeing.list_incidents(scope=scope, cause=cause, page_size=LISTED).incidents
            if cause.key == opened or len(causes) <= 5
            else ()
        )
        rows.append((cause, names.get(cause.definition_code, cause.definition_code), listed))
    return page(
        request,
        actor,
        "processes/incidents",
        "incidents",
        rows=rows,
        total=sum(cause.n for cause in causes),
        oldest=min((cause.oldest_at for cause in causes), default=None),
        reason_words=shown.reason_words,
        at_once=administering.MOST_AT_ONCE,
        opened=opened,
    )


@require_POST
@needs(RIGHT)
def incident_act(request: HttpRequest, actor: Actor, incident_id: UUID, verb: str) -> HttpResponse:
    """Try again what failed, or go past it with a reason."""
    now = timezone.now()
    reason = request.POST.get("reason", "").strip()[:500]
    if verb not in VERBS:
        raise Http404
    act = processes.retry_incident if verb == "retry" else processes.skip_incident
    try:
        act(incident_id=incident_id, reason=reason, actor=actor, now=now)
    except AccessRefused:
        raise
    except Refusal as refusal:
        words, mend = words_of(refusal)
        messages.warning(request, f"{words} {mend}".strip())
    else:
        messages.success(request, _("Done."))
    back = request.POST.get("back", "")
    safe = url_has_allowed_host_and_scheme(back, allowed_hosts=None) and back.startswith("/")
    return HttpResponseRedirect(back if safe else reverse("workbench:incidents"))


@require_POST
@needs(RIGHT)
def cause_act(request: HttpRequest, actor: Actor, cause: str, verb: str) -> HttpResponse:
    """Try again, or go past, all incidents of one cause, each on its own, with one reason."""
    if verb not in VERBS:
        raise Http404
    try:
        outcome = administering.act_on_cause(
            cause=cause,
            verb=verb,
            reason=request.POST.get("reason", "").strip()[:500],
            actor=actor,
            now=timezone.now(),
        )
    except AccessRefused:
        raise
    except Refusal as refusal:
        words, mend = words_of(refusal)
        messages.warning(request, f"{words} {mend}".strip())
        return HttpResponseRedirect(reverse("workbench:incidents"))
    done = ngettext("%(n)s incident was acted on.", "%(n)s incidents were acted on.", outcome.done) % {
        "n": outcome.done
    }
    messages.success(request, done)
    if outcome.refused:
        told = "、".join(f"{code} × {n}" for code, n in outcome.refused)
        messages.warning(request, _("Refused: %(codes)s") % {"codes": told})
    if outcome.left:
        messages.info(request, _("%(n)s more of this cause are left; press once more.") % {"n": outcome.left})
    return HttpResponseRedirect(reverse("workbench:incidents"))
