"""Signing in and out, signing up, and the real-name check."""

from __future__ import annotations

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from furong.foundation.access.values import Actor, ActorKind, Assurance
from furong.foundation.codes.errors import Refusal
from furong.foundation.identity import commands, keeping, queries, throttle
from furong.foundation.identity import sign_in as way_in
from furong.foundation.identity.forms import (
    CodeForm,
    PasswordForm,
    RealNameForm,
    SignInForm,
    SignUpForm,
)
from furong.foundation.identity.views.pages import (
    ROUTES,
    actor_of,
    after_step,
    codes_page,
    enrol_page,
    field_of,
    for_account,
    form_page,
    me_of,
    next_of,
    refuse_in,
    signed_in_of,
    to,
)


@never_cache
@sensitive_post_parameters("password")
@require_http_methods(["GET", "POST"])
def sign_in(request: HttpRequest) -> HttpResponse:
    """Username and password. Whoever is signed in already is led on."""
    next_url = next_of(request)
    found = signed_in_of(request)
    if found is not None and request.method == "GET":
        home = settings.STAFF_HOME if found.kind.value == "staff" else settings.RESIDENT_HOME
        return HttpResponseRedirect(next_url or home)
    form = SignInForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        now = timezone.now()
        try:
            account = way_in.authenticate(
                username=form.cleaned_data["username"],
                password=form.cleaned_data["password"],
                address=way_in.address_of(request),
                actor=actor_of(request),
                now=now,
            )
        except Refusal as refusal:
            refuse_in(form, refusal)
        else:
            step = way_in.begin(request=request, account=account, next_url=next_url, actor=actor_of(request), now=now)
            return after_step(request, step, next_url)
    return form_page(
        request,
        form,
        title=_("Sign in"),
        button=_("Sign in"),
        template="sign_in",
        next=next_url,
        came_back=bool(next_url),
        typed_kept=bool(next_url) and keeping.KEPT in request.session,
    )


def _pending(request: HttpRequest, step: str) -> way_in.Pending | HttpResponse:
    found = way_in.pending(request=request, now=timezone.now())
    if found is None:
        return to("identity:sign_in")
    return found if found.step == step else to(ROUTES.get(found.step, "identity:sign_in"))


@never_cache
@require_http_methods(["GET", "POST"])
def sign_in_code(request: HttpRequest) -> HttpResponse:
    """The second factor's code."""
    under_way = _pending(request, "code")
    if isinstance(under_way, HttpResponse):
        return under_way
    form = CodeForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            step = way_in.give_code(
                request=request, code=form.cleaned_data["code"], actor=actor_of(request), now=timezone.now()
            )
        except Refusal as refusal:
            refuse_in(form, refusal, "code")
        else:
            return after_step(request, step, under_way.next)
    return form_page(request, form, title=_("Second step"), button=_("Go on"))


@never_cache
@require_http_methods(["GET", "POST"])
def sign_in_enrol(request: HttpRequest) -> HttpResponse:
    """Setting up a second factor, where staff may not sign in without one."""
    under_way = _pending(request, "enrol")
    if isinstance(under_way, HttpResponse):
        return under_way
    account = under_way.account

    def done(codes: list[str]) -> HttpResponse:
        step = way_in.finish_enrolment(request=request, actor=actor_of(request), now=timezone.now())
        return codes_page(request, codes, after_step(request, step, under_way.next)["Location"])

    return enrol_page(
        request,
        account.id,
        account.username,
        done,
        _("Your organisation asks for a second step at each sign-in. Set it up now; it takes two minutes."),
    )


@never_cache
@sensitive_post_parameters("old", "new")
@require_http_methods(["GET", "POST"])
def sign_in_password(request: HttpRequest) -> HttpResponse:
    """Changing a first password."""
    under_way = _pending(request, "password")
    if isinstance(under_way, HttpResponse):
        return under_way
    form = PasswordForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            step = way_in.give_new_password(
                request=request, **form.cleaned_data, actor=actor_of(request), now=timezone.now()
            )
        except Refusal as refusal:
            refuse_in(form, refusal, field_of(refusal))
        else:
            return after_step(request, step, under_way.next)
    return form_page(
        request,
        form,
        title=_("Choose your own password"),
        button=_("Go on"),
        lead=_("The first password was given to you by somebody. Choose one that only you know."),
    )


@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    """End this session."""
    logout(request)
    return HttpResponseRedirect(way_in.safe_next(request, request.POST.get("next", ""), "/"))


@never_cache
@sensitive_post_parameters("password")
@require_http_methods(["GET", "POST"])
def sign_up(request: HttpRequest) -> HttpResponse:
    """A new resident's account; the real-name check follows."""
    next_url = next_of(request)
    form = SignUpForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        now, actor = timezone.now(), actor_of(request)
        try:
            throttle.count(now=now, sign_up_address=way_in.address_of(request))
            account_id = commands.register_resident(**form.cleaned_data, actor=actor, now=now)
        except Refusal as refusal:
            refuse_in(form, refusal, field_of(refusal))
        else:
            way_in.begin(
                request=request,
                account=queries.get_account(account_id=account_id),
                next_url=next_url,
                actor=actor,
                now=now,
            )
            return to("identity:real_name", next=next_url)
    return form_page(
        request,
        form,
        title=_("Create an account"),
        button=_("Create the account"),
        lead=_("In the next step we check your name and number against the register."),
        next=next_url,
    )


@for_account
@sensitive_post_parameters("number", "name")
@require_http_methods(["GET", "POST"])
def real_name(request: HttpRequest) -> HttpResponse:
    """The real-name check: number and name go to the register, which says yes or no."""
    next_url, me = next_of(request), me_of(request)
    if me.kind.value == "staff" or me.assurance >= Assurance.VERIFIED:
        return HttpResponseRedirect(next_url or reverse("identity:overview"))
    form = RealNameForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            person_id = way_in.confirm_real_name(
                **form.cleaned_data,
                address=way_in.address_of(request),
                actor=actor_of(request),
                now=timezone.now(),
            )
        except Refusal as refusal:
            refuse_in(form, refusal)
        else:
            actor = Actor(
                kind=ActorKind.RESIDENT,
                account_id=me.account_id,
                person_id=person_id,
                assurance=Assurance.VERIFIED,
            )
            way_in.refresh_children(actor=actor, now=timezone.now())
            messages.success(request, _("Your name has been confirmed."))
            return HttpResponseRedirect(next_url or reverse("identity:overview"))
    return form_page(
        request,
        form,
        title=_("Confirm who you are"),
        button=_("Confirm"),
        lead=_("The register answers yes or no. We keep neither the number nor what you type here."),
        next=next_url,
    )
