"""The portal's routes. None carries a name or a number of a person."""

from __future__ import annotations

from django.urls import path

from furong.sites.portal import views

app_name = "portal"

urlpatterns = [
    path("", views.home, name="home"),
]
