"""Routes for the tests of the account pages: them, what their frame links to, and two pages that ask who asks."""

from __future__ import annotations

from django.http import HttpRequest, JsonResponse
from django.urls import include, path

from furong.foundation.access.errors import SignInNeeded
from furong.foundation.access.queries import require_assurance
from furong.foundation.access.values import Assurance
from furong.foundation.web import views


def who(request: HttpRequest) -> JsonResponse:
    actor = request.actor  # type: ignore[attr-defined]
    return JsonResponse(
        {
            "kind": actor.kind,
            "account": actor.account_id,
            "post": actor.post_id,
            "organization": actor.organization_id,
            "organization_label": actor.organization_label,
            "division": actor.division_code,
            "rights": sorted(actor.rights),
            "principal": actor.principal.id if actor.principal else None,
            "assurance": actor.assurance,
        }
    )


def draft(request: HttpRequest) -> JsonResponse:
    if request.actor.account_id is None:  # type: ignore[attr-defined]
        raise SignInNeeded
    return JsonResponse({})


def verified(request: HttpRequest) -> JsonResponse:
    require_assurance(actor=request.actor, level=Assurance.VERIFIED)  # type: ignore[attr-defined]
    return JsonResponse({})


urlpatterns = [
    path("account/", include("furong.foundation.identity.urls")),
    path("preferences/language/<str:code>", views.language, name="language"),
    path("preferences/size/<str:code>", views.size, name="size"),
    path("who", who),
    path("draft", draft),
    path("verified", verified),
]

handler403 = views.forbidden
handler404 = views.not_found
handler500 = views.broken
