"""Where each site lives: the portal at the top, beside it the workbench, open data, the account pages and the API."""

from __future__ import annotations

from django.urls import include, path

from furong.foundation.web import views

urlpatterns = [
    path("healthz", views.healthz, name="healthz"),
    path("metrics", views.figures, name="metrics"),
    path("static/<path:path>", views.static, name="static"),
    path("preferences/language/<str:code>", views.language, name="language"),
    path("preferences/size/<str:code>", views.size, name="size"),
    path("account/", include("furong.foundation.identity.urls")),
    path("", include("furong.sites.opendata.urls")),
    path("api/", include("furong.entrypoints.api_urls")),
    path("work/", include("furong.sites.workbench.urls")),
    path("", include("furong.sites.portal.urls")),
]

handler400 = views.bad_request
handler403 = views.forbidden
handler404 = views.not_found
handler500 = views.broken
