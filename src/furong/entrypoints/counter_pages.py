"""What a counter's own node serves: the pages of its work, while it knows recently enough who may work there."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone

from furong.foundation.replicas import queries as replicas
from furong.foundation.replicas.errors import CopyTooOld, OnlyOnPlatform
from furong.foundation.web import problem

ALWAYS = frozenset({"healthz", "metrics", "static", "language", "size", "identity:sign_out"})
SERVED = ALWAYS | frozenset(
    {
        "identity:overview",
        "identity:sign_in",
        "identity:sign_in_code",
        "identity:act",
        "identity:devices",
        "identity:end_device",
        "identity:end_other_devices",
        "workbench:home",
        "workbench:population",
        "workbench:person",
        "workbench:population_household",
        "workbench:population_address",
        "workbench:population_exists",
        "workbench:moves",
        "workbench:move",
        "workbench:move_new",
        "workbench:counter",
        "workbench:counter_person",
        "workbench:counter_act",
        "workbench:counter_done",
        "workbench:audit",
        "workbench:audit_entry",
    }
)


class CounterMiddleware:
    """Leads to the workbench, and refuses what belongs to the platform, with a plain word."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Pass the request on; the way in is the workbench's."""
        if request.path == "/":
            return HttpResponseRedirect(reverse("workbench:home"))
        return self.get_response(request)

    def process_view(self, request: HttpRequest, view: Any, args: Any, kwargs: Any) -> HttpResponse | None:
        """Refuse before anything of the page runs."""
        name = request.resolver_match.view_name if request.resolver_match else ""
        if name not in SERVED:
            return problem.answer(request, problem.of_refusal(OnlyOnPlatform()))
        if name not in ALWAYS:
            try:
                replicas.require_fresh(now=timezone.now())
            except CopyTooOld as refusal:
                return problem.answer(request, problem.of_refusal(refusal))
        return None
