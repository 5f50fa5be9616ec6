"""The API's routes, below ``/api/``."""

from __future__ import annotations

from django.urls import path

from furong.entrypoints.api import api

urlpatterns = [path("", api.urls)]
