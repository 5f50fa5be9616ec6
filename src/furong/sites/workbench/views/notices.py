"""What staff are told: steps that wait too long, cases that are nearly due or late."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from furong.foundation.access.values import Actor
from furong.foundation.notices import commands as notices
from furong.foundation.notices import queries as notice_queries
from furong.sites.workbench.desk import page, staff

SHOWN = 100


@require_http_methods(["GET", "HEAD", "POST"])
@staff
def notice_list(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Show the actor's own notices, newest first; sent as a form, all of them count as read."""
    if request.method == "POST":
        notices.mark_all_read(actor=actor, now=timezone.now())
        return HttpResponseRedirect(request.path)
    return page(request, actor, "notices", "notices", rows=notice_queries.list_messages(actor=actor, limit=SHOWN))
