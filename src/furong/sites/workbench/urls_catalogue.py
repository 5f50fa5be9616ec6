"""Routes of the catalogue: information resources, their drafts and what is done to them. A resource is named by its code."""

from __future__ import annotations

from django.urls import path

from furong.sites.workbench.views import catalogue, grants, harvests

urlpatterns = [
    path("resources", catalogue.resources, name="resources"),
    path("resources/<slug:code>", catalogue.resource, name="resource"),
    path("resources/<slug:code>/draft", catalogue.draft, name="resource_draft"),
    path("resources/<slug:code>/acts/<slug:verb>", catalogue.resource_act, name="resource_act"),
    path("resources/<slug:code>/request", grants.request_new, name="request_new"),
    path("requests", grants.requests, name="requests"),
    path("requests/<uuid:request_id>", grants.request_page, name="request"),
    path("requests/<uuid:request_id>/acts/<slug:verb>", grants.request_act, name="request_act"),
    path("harvests", harvests.sources, name="harvests"),
    path("harvest-new", harvests.source_new, name="harvest_new"),
    path("harvests/<slug:code>", harvests.source, name="harvest"),
    path("harvests/<slug:code>/acts/<slug:verb>", harvests.source_act, name="harvest_act"),
    path("grants", grants.grants, name="grants"),
    path("grants/<uuid:grant_id>", grants.grant_page, name="grant"),
    path("grants/<uuid:grant_id>/acts/<slug:verb>", grants.grant_act, name="grant_act"),
]
