"""Routes of needs, demands, rulings, and what sharing brings."""

from __future__ import annotations

from django.urls import path

from furong.sites.workbench.views import needs, rulings

urlpatterns = [
    path("needs", needs.needs_page, name="needs"),
    path("needs/new", needs.need_new, name="need_new"),
    path("needs/<uuid:need_id>", needs.need_page, name="need"),
    path("demands/<uuid:demand_id>", needs.demand_page, name="demand"),
    path("rulings", rulings.rulings_page, name="rulings"),
    path("rulings/<uuid:escalation_id>", rulings.ruling_page, name="ruling"),
    path("requests/<uuid:request_id>/ruling", rulings.request_appeal, name="request_appeal"),
    path("sharing", rulings.sharing_page, name="sharing"),
]
