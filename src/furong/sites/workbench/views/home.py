"""The door of the workbench: each lands where their post works."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.views.decorators.http import require_safe

from furong.foundation.access.values import Actor
from furong.sites.workbench.desk import home_of, staff


@require_safe
@staff
def home(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Go to the first page that the actor's post opens."""
    return HttpResponseRedirect(home_of(actor))
