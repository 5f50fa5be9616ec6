"""What sharing brings, for everybody: use and benefit of what may be known of, and by which clauses something is not open."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_safe

from furong.domains.catalogue import data
from furong.domains.catalogue.needs import figures
from furong.sites.opendata import words
from furong.sites.opendata.views.pages import page


@require_safe
def benefit(request: HttpRequest) -> HttpResponse:
    """Show use rates and benefit by department and resource, as a stranger may know them, whoever is signed in."""
    found = figures.figures(actor=data.STRANGER, now=timezone.now())
    return page(
        request,
        "benefit",
        found=found,
        departments=words.department_names(),
        shared=[one for one in found.departments if one.use.grants or one.served.calls],
        exceptions=figures.exceptions(actor=data.STRANGER),
        least=figures.LEAST_PUBLIC,
    )
