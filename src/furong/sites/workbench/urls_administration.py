"""Routes of administration. People are named by the keys of their accounts and appointments only."""

from __future__ import annotations

from django.urls import path

from furong.sites.workbench.views import accounts, audit, organizations, posts

urlpatterns = [
    path("organizations", organizations.organization_list, name="organizations"),
    path("organizations/new", organizations.organization_new, name="organization_new"),
    path("organizations/<uuid:organization_id>", organizations.organization, name="organization"),
    path("organizations/<uuid:organization_id>/change", organizations.organization_change, name="organization_change"),
    path(
        "organizations/<uuid:organization_id>/abolish", organizations.organization_abolish, name="organization_abolish"
    ),
    path("organizations/<uuid:organization_id>/units", organizations.unit_new, name="unit_new"),
    path("organizations/<uuid:organization_id>/units/<uuid:unit_id>", organizations.unit, name="unit"),
    path("organizations/<uuid:organization_id>/posts", posts.post_new, name="post_new"),
    path("posts/<uuid:post_id>", posts.post, name="post"),
    path("posts/<uuid:post_id>/change", posts.post_change, name="post_change"),
    path("posts/<uuid:post_id>/close", posts.post_close, name="post_close"),
    path("posts/<uuid:post_id>/appoint", posts.appoint, name="appoint"),
    path("appointments/<uuid:appointment_id>/transfer", posts.transfer, name="transfer"),
    path("appointments/<uuid:appointment_id>/end", posts.appointment_end, name="appointment_end"),
    path("accounts", accounts.account_list, name="accounts"),
    path("accounts/new", accounts.account_new, name="account_new"),
    path("accounts/<uuid:account_id>", accounts.account, name="account"),
    path("accounts/<uuid:account_id>/<slug:act>", accounts.account_act, name="account_act"),
    path("audit", audit.audit, name="audit"),
    path("audit/<slug:database>/verify", audit.audit_verify, name="audit_verify"),
    path("audit/<slug:database>/<uuid:entry_id>", audit.audit_entry, name="audit_entry"),
]
