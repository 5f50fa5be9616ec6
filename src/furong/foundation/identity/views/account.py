"""One's own account: password, second factor, devices."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import logout, update_session_auth_hash
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from furong.foundation.codes.errors import Refusal
from furong.foundation.identity import commands, models, queries, throttle
from furong.foundation.identity.forms import (
    CodeForm,
    PasswordForm,
)
from furong.foundation.identity.views.pages import (
    actor_of,
    codes_page,
    enrol_page,
    field_of,
    for_account,
    form_page,
    me_of,
    page,
    refuse_in,
    to,
)


@for_account
@require_GET
def overview(request: HttpRequest) -> HttpResponse:
    """The account at a glance, with the ways to everything else."""
    me, now = me_of(request), timezone.now()
    return page(
        request,
        "overview",
        {
            "me": me,
            "account": queries.get_account(account_id=me.account_id),
            "devices": len(queries.list_devices(account_id=me.account_id, now=now)),
            "mandates": queries.list_mandates_of_agent(account_id=me.account_id, now=now),
            "seats": queries.seats_of(actor=actor_of(request), now=now),
            "told": [str(message) for message in messages.get_messages(request)],
            "language": get_language() or "zh",
        },
    )


@for_account
@sensitive_post_parameters("old", "new")
@require_http_methods(["GET", "POST"])
def password(request: HttpRequest) -> HttpResponse:
    """A new password; other devices are signed out."""
    form, me = PasswordForm(request.POST or None), me_of(request)
    if request.method == "POST" and form.is_valid():
        now = timezone.now()
        # Read while the session still fits the password: Django ends a session whose hash it finds changed.
        user: Any = request.user
        user.is_authenticated  # noqa: B018
        try:
            throttle.count(now=now, second_factor_account=f"password:{me.account_id}")
            commands.change_password(account_id=me.account_id, **form.cleaned_data, actor=actor_of(request), now=now)
        except Refusal as refusal:
            refuse_in(form, refusal, field_of(refusal))
        else:
            throttle.forgive(second_factor_account=f"password:{me.account_id}")
            update_session_auth_hash(request, models.Account.objects.get(pk=me.account_id))
            messages.success(request, _("Your password has been changed. Your other devices are signed out."))
            return to("identity:overview")
    return form_page(
        request,
        form,
        title=_("Change the password"),
        button=_("Change the password"),
        back=reverse("identity:overview"),
    )


@for_account
@require_http_methods(["GET", "POST"])
def second_factor(request: HttpRequest) -> HttpResponse:
    """Setting up a second factor, or seeing that there is one."""
    me = me_of(request)
    account = queries.get_account(account_id=me.account_id)
    if account.has_second_factor:
        return page(
            request,
            "second_factor",
            {"form": CodeForm(), "required": settings.REQUIRE_TOTP and account.kind.value == "staff"},
        )
    return enrol_page(
        request,
        account.id,
        account.username,
        lambda codes: codes_page(request, codes, reverse("identity:overview")),
        "",
    )


@for_account
@require_POST
def second_factor_remove(request: HttpRequest) -> HttpResponse:
    """Removing one's second factor with a code from it."""
    form, me = CodeForm(request.POST), me_of(request)
    if form.is_valid():
        now, key = timezone.now(), str(me.account_id)
        try:
            throttle.count(now=now, second_factor_account=key)
            commands.remove_totp(
                account_id=me.account_id, code=form.cleaned_data["code"], actor=actor_of(request), now=now
            )
        except Refusal as refusal:
            refuse_in(form, refusal, "code")
        else:
            throttle.forgive(second_factor_account=key)
            messages.success(request, _("The second step has been removed."))
            return to("identity:overview")
    return page(request, "second_factor", {"form": form, "required": False}, status=422)


@for_account
@require_GET
def devices(request: HttpRequest) -> HttpResponse:
    """Where the account is signed in."""
    me, now = me_of(request), timezone.now()
    return page(
        request,
        "devices",
        {
            "devices": queries.list_devices(account_id=me.account_id, session_id=me.session_id, now=now),
            "told": [str(message) for message in messages.get_messages(request)],
        },
    )


@for_account
@require_POST
def end_device(request: HttpRequest, session_id: UUID) -> HttpResponse:
    """Sign one device out."""
    commands.end_device(session_id=session_id, actor=actor_of(request), now=timezone.now())
    if session_id == me_of(request).session_id:
        logout(request)
        return HttpResponseRedirect("/")
    messages.success(request, _("The device has been signed out."))
    return to("identity:devices")


@for_account
@require_POST
def end_other_devices(request: HttpRequest) -> HttpResponse:
    """Sign every other device out."""
    commands.end_other_devices(session_id=me_of(request).session_id, actor=actor_of(request), now=timezone.now())
    messages.success(request, _("All other devices have been signed out."))
    return to("identity:devices")
