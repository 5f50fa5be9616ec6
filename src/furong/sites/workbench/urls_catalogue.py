"""Routes of the catalogue: information resources, their drafts and what is done to them. A resource is named by its code."""

from __future__ import annotations

from django.urls import path

from furong.sites.workbench.views import catalogue

urlpatterns = [
    path("resources", catalogue.resources, name="resources"),
    path("resources/<slug:code>", catalogue.resource, name="resource"),
    path("resources/<slug:code>/draft", catalogue.draft, name="resource_draft"),
    path("resources/<slug:code>/acts/<slug:verb>", catalogue.resource_act, name="resource_act"),
]
