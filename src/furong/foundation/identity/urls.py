"""Addresses of the account pages, below ``/account/``."""

from __future__ import annotations

from django.urls import path

from furong.foundation.identity import views

app_name = "identity"

urlpatterns = [
    path("", views.overview, name="overview"),
    path("sign-in", views.sign_in, name="sign_in"),
    path("sign-in/code", views.sign_in_code, name="sign_in_code"),
    path("sign-in/second-factor", views.sign_in_enrol, name="sign_in_enrol"),
    path("sign-in/password", views.sign_in_password, name="sign_in_password"),
    path("sign-out", views.sign_out, name="sign_out"),
    path("sign-up", views.sign_up, name="sign_up"),
    path("real-name", views.real_name, name="real_name"),
    path("password", views.password, name="password"),
    path("second-factor", views.second_factor, name="second_factor"),
    path("second-factor/remove", views.second_factor_remove, name="second_factor_remove"),
    path("devices", views.devices, name="devices"),
    path("devices/end-others", views.end_other_devices, name="end_other_devices"),
    path("devices/<uuid:session_id>/end", views.end_device, name="end_device"),
    path("mandates", views.mandates, name="mandates"),
    path("mandates/new", views.mandate_new, name="mandate_new"),
    path("mandates/enterprise", views.mandate_enterprise, name="mandate_enterprise"),
    path("mandates/<uuid:mandate_id>/revoke", views.mandate_revoke, name="mandate_revoke"),
    path("act", views.act, name="act"),
]
