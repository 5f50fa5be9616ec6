"""The portal's routes. None carries a name or a number of a person."""

from __future__ import annotations

from django.urls import path

from furong.sites.portal import views

app_name = "portal"

urlpatterns = [
    path("", views.home, name="home"),
    path("search", views.search, name="search"),
    path("life/<slug:code>", views.life_event, name="life_event"),
    path("life/<slug:code>/start", views.start, name="start"),
    path("guide/<slug:code>", views.guide, name="guide"),
    path("about/<slug:page>", views.about, name="about"),
]
