"""Where each site lives. A site is included when it is there."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any

from django.urls import include, path

from furong.foundation.web import views


def _site(prefix: str, module: str) -> list[Any]:
    parent, _, _ = module.rpartition(".")
    return [path(prefix, include(module))] if find_spec(parent) and find_spec(module) else []


urlpatterns = [
    path("healthz", views.healthz, name="healthz"),
    path("metrics", views.figures, name="metrics"),
    path("static/<path:path>", views.static, name="static"),
    path("preferences/language/<str:code>", views.language, name="language"),
    path("preferences/size/<str:code>", views.size, name="size"),
    *_site("account/", "furong.foundation.identity.urls"),
    *_site("verify/", "furong.registries.licences.urls"),
    *_site("api/", "furong.entrypoints.api_urls"),
    *_site("work/", "furong.sites.workbench.urls"),
    *_site("", "furong.sites.portal.urls"),
]

handler400 = views.bad_request
handler403 = views.forbidden
handler404 = views.not_found
handler500 = views.broken
