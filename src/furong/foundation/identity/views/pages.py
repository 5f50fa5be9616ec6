"""What the account pages share: rendering, refusals in forms, and who asks."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

import segno
from allauth.mfa.adapter import get_adapter
from allauth.mfa.totp.internal.auth import generate_totp_secret
from django.conf import settings
from django.forms import Form
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.safestring import mark_safe
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache

from furong.foundation.access.errors import SignInNeeded
from furong.foundation.access.values import Actor, ActorKind, Assurance
from furong.foundation.codes.errors import Refusal
from furong.foundation.identity import commands, models, throttle
from furong.foundation.identity import sign_in as way_in
from furong.foundation.identity.errors import SecondFactorWrong
from furong.foundation.identity.forms import (
    CodeForm,
)
from furong.foundation.identity.values import SignedIn

View = Callable[..., HttpResponse]
ROUTES = {
    "code": "identity:sign_in_code",
    "enrol": "identity:sign_in_enrol",
    "password": "identity:sign_in_password",
}


def page(request: HttpRequest, template: str, context: dict[str, Any], status: int = 200) -> HttpResponse:
    """Render a template of the room."""
    return render(request, f"identity/{template}.jinja", context, status=status, using="furong")


def form_page(
    request: HttpRequest,
    form: Form,
    *,
    title: str,
    button: str,
    lead: str = "",
    template: str = "form",
    **more: Any,
) -> HttpResponse:
    """Render a page that holds one form; 422 when something is to be put right."""
    context = {"form": form, "title": title, "button": button, "lead": lead, **more}
    return page(request, template, context, status=422 if form.errors else 200)


def refuse_in(form: Form, refusal: Refusal, field: str | None = None) -> None:
    """Put a refusal's words into the form's error summary, at ``field`` or at the top."""
    words = _(refusal.text) % dict(refusal.params) if refusal.params else _(refusal.text)
    between = "" if words.endswith("。") else " "
    form.add_error(field, f"{words}{between}{_(refusal.advice)}" if refusal.advice else words)


def for_account(view: View) -> View:
    """Let only signed-in people in; others go to the sign-in page and come back here."""

    @wraps(view)
    def inner(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if signed_in_of(request) is None:
            raise SignInNeeded
        return view(request, *args, **kwargs)

    return never_cache(inner)


def signed_in_of(request: HttpRequest) -> SignedIn | None:
    """Give who is signed in, or None."""
    found: SignedIn | None = request.signed_in  # type: ignore[attr-defined]
    return found


def me_of(request: HttpRequest) -> SignedIn:
    """Give who is signed in. Raises ``SignInNeeded``."""
    found = signed_in_of(request)
    if found is None:
        raise SignInNeeded
    return found


def actor_of(request: HttpRequest) -> Actor:
    """Give who asks."""
    actor: Actor = request.actor  # type: ignore[attr-defined]
    return actor


def next_of(request: HttpRequest) -> str:
    """Give the page to go on to, when it is one of this site."""
    return way_in.safe_next(request, request.POST.get("next") or request.GET.get("next") or "")


def to(name: str, **query: str) -> HttpResponseRedirect:
    """Redirect to a route with a query."""
    kept = {key: value for key, value in query.items() if value}
    return HttpResponseRedirect(reverse(name) + (f"?{urlencode(kept)}" if kept else ""))


def after_step(request: HttpRequest, step: way_in.Step, next_url: str) -> HttpResponse:
    """Where a sign-in goes on: its next step, or the page that the person came for."""
    if step != "done":
        return to(ROUTES[step])
    account = models.Account.objects.get(pk=request.session["_auth_user_id"])
    if not account.is_staff and account.person_id is not None:
        actor = Actor(
            kind=ActorKind.RESIDENT,
            account_id=account.pk,
            person_id=account.person_id,
            assurance=Assurance(account.assurance),
        )
        way_in.refresh_children(actor=actor, now=timezone.now())
    home = settings.STAFF_HOME if account.is_staff else settings.RESIDENT_HOME
    return HttpResponseRedirect(way_in.safe_next(request, next_url, home))


def enrol_page(
    request: HttpRequest, account_id: UUID, username: str, done: Callable[[list[str]], HttpResponse], lead: str
) -> HttpResponse:
    """Show the key of a second factor and check the first code; ``done`` answers with the recovery codes."""
    secret = request.session.get(way_in.SECRET) or generate_totp_secret()
    request.session[way_in.SECRET] = secret
    form = CodeForm(request.POST or None)
    form.fields["code"].help_text = _("The six digits that the app shows now.")
    if request.method == "POST" and form.is_valid():
        now = timezone.now()
        try:
            throttle.count(now=now, second_factor_account=str(account_id))
            codes = commands.enrol_totp(
                account_id=account_id, secret=secret, code=form.cleaned_data["code"], actor=actor_of(request), now=now
            )
        except SecondFactorWrong as refusal:
            refuse_in(form, refusal, "code")
        else:
            throttle.forgive(second_factor_account=str(account_id))
            request.session.pop(way_in.SECRET, None)
            return done(codes)
    address = get_adapter().build_totp_url(models.Account(username=username), secret)
    # segno's drawing holds no text of ours: squares alone.
    drawing = segno.make(address, error="m").svg_inline(scale=5, border=2, omitsize=True, svgclass="qr", lineclass=None)
    return form_page(
        request,
        form,
        title=_("Set up the second step"),
        button=_("Check the code"),
        lead=lead,
        template="enrol",
        drawing=mark_safe(drawing),  # noqa: S308
        secret=" ".join(secret[i : i + 4] for i in range(0, len(secret), 4)),
    )


def codes_page(request: HttpRequest, codes: list[str], next_url: str) -> HttpResponse:
    """Show recovery codes, once."""
    return page(request, "recovery_codes", {"codes": codes, "next": next_url})


def field_of(refusal: Refusal) -> str | None:
    """Give the field that a refusal is about, None for the whole form."""
    return {
        "identity.username_refused": "username",
        "identity.username_taken": "username",
        "identity.wrong_password": "old",
    }.get(refusal.code)
