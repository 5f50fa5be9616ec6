"""Routes of what is published."""

from __future__ import annotations

from django.urls import path

from furong.sites.workbench.views import content

urlpatterns = [
    path("items", content.items, name="items"),
    path("items/<slug:code>", content.item, name="item"),
    path("items/<slug:code>/diagram", content.item_diagram, name="item_diagram"),
]
