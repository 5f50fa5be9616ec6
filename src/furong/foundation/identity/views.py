"""The account pages. Each writes through a command; a refusal stands in the form's error summary, and nothing typed is lost."""

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
from django.contrib import messages
from django.contrib.auth import logout, update_session_auth_hash
from django.forms import Form
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.safestring import mark_safe
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from furong.foundation.access.errors import SignInNeeded
from furong.foundation.access.values import Actor, ActorKind, Assurance
from furong.foundation.codes.errors import Refusal
from furong.foundation.identity import commands, models, queries, throttle
from furong.foundation.identity import sign_in as way_in
from furong.foundation.identity.errors import SecondFactorWrong
from furong.foundation.identity.forms import (
    CodeForm,
    EnterpriseForm,
    MandateForm,
    PasswordForm,
    RealNameForm,
    SignInForm,
    SignUpForm,
)
from furong.foundation.identity.values import POWER_NAMES, MandateBasis, SignedIn, years_after
from furong.foundation.organizations.values import today

View = Callable[..., HttpResponse]
_ROUTES = {
    "code": "identity:sign_in_code",
    "enrol": "identity:sign_in_enrol",
    "password": "identity:sign_in_password",
}


def _page(request: HttpRequest, template: str, context: dict[str, Any], status: int = 200) -> HttpResponse:
    return render(request, f"identity/{template}.jinja", context, status=status, using="furong")


def _form(
    request: HttpRequest,
    form: Form,
    *,
    title: str,
    button: str,
    lead: str = "",
    template: str = "form",
    **more: Any,
) -> HttpResponse:
    context = {"form": form, "title": title, "button": button, "lead": lead, **more}
    return _page(request, template, context, status=422 if form.errors else 200)


def refuse_in(form: Form, refusal: Refusal, field: str | None = None) -> None:
    """Put a refusal's words into the form's error summary, at ``field`` or at the top."""
    words = _(refusal.text) % dict(refusal.params) if refusal.params else _(refusal.text)
    between = "" if words.endswith("。") else " "
    form.add_error(field, f"{words}{between}{_(refusal.advice)}" if refusal.advice else words)


def for_account(view: View) -> View:
    """Let only signed-in people in; others go to the sign-in page and come back here."""

    @wraps(view)
    def inner(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if _signed_in(request) is None:
            raise SignInNeeded
        return view(request, *args, **kwargs)

    return never_cache(inner)


def _signed_in(request: HttpRequest) -> SignedIn | None:
    found: SignedIn | None = request.signed_in  # type: ignore[attr-defined]
    return found


def _me(request: HttpRequest) -> SignedIn:
    found = _signed_in(request)
    if found is None:
        raise SignInNeeded
    return found


def _actor(request: HttpRequest) -> Actor:
    actor: Actor = request.actor  # type: ignore[attr-defined]
    return actor


def _next(request: HttpRequest) -> str:
    return way_in.safe_next(request, request.POST.get("next") or request.GET.get("next") or "")


def _to(name: str, **query: str) -> HttpResponseRedirect:
    kept = {key: value for key, value in query.items() if value}
    return HttpResponseRedirect(reverse(name) + (f"?{urlencode(kept)}" if kept else ""))


def _after(request: HttpRequest, step: way_in.Step, next_url: str) -> HttpResponse:
    """Where a sign-in goes on: its next step, or the page that the person came for."""
    if step != "done":
        return _to(_ROUTES[step])
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


# Signing in and out


@never_cache
@sensitive_post_parameters("password")
@require_http_methods(["GET", "POST"])
def sign_in(request: HttpRequest) -> HttpResponse:
    """Username and password. Whoever is signed in already is led on."""
    next_url = _next(request)
    found = _signed_in(request)
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
                actor=_actor(request),
                now=now,
            )
        except Refusal as refusal:
            refuse_in(form, refusal)
        else:
            step = way_in.begin(request=request, account=account, next_url=next_url, actor=_actor(request), now=now)
            return _after(request, step, next_url)
    return _form(
        request,
        form,
        title=_("Sign in"),
        button=_("Sign in"),
        template="sign_in",
        next=next_url,
        came_back=bool(next_url),
    )


def _pending(request: HttpRequest, step: str) -> way_in.Pending | HttpResponse:
    found = way_in.pending(request=request, now=timezone.now())
    if found is None:
        return _to("identity:sign_in")
    return found if found.step == step else _to(_ROUTES.get(found.step, "identity:sign_in"))


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
                request=request, code=form.cleaned_data["code"], actor=_actor(request), now=timezone.now()
            )
        except Refusal as refusal:
            refuse_in(form, refusal, "code")
        else:
            return _after(request, step, under_way.next)
    return _form(request, form, title=_("Second step"), button=_("Go on"))


@never_cache
@require_http_methods(["GET", "POST"])
def sign_in_enrol(request: HttpRequest) -> HttpResponse:
    """Setting up a second factor, where staff may not sign in without one."""
    under_way = _pending(request, "enrol")
    if isinstance(under_way, HttpResponse):
        return under_way
    account = under_way.account

    def done(codes: list[str]) -> HttpResponse:
        step = way_in.finish_enrolment(request=request, actor=_actor(request), now=timezone.now())
        return _codes(request, codes, _after(request, step, under_way.next)["Location"])

    return _enrol(
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
                request=request, **form.cleaned_data, actor=_actor(request), now=timezone.now()
            )
        except Refusal as refusal:
            refuse_in(form, refusal, _field_of(refusal))
        else:
            return _after(request, step, under_way.next)
    return _form(
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
    next_url = _next(request)
    form = SignUpForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        now, actor = timezone.now(), _actor(request)
        try:
            throttle.count(now=now, sign_up_address=way_in.address_of(request))
            account_id = commands.register_resident(**form.cleaned_data, actor=actor, now=now)
        except Refusal as refusal:
            refuse_in(form, refusal, _field_of(refusal))
        else:
            way_in.begin(
                request=request,
                account=queries.get_account(account_id=account_id),
                next_url=next_url,
                actor=actor,
                now=now,
            )
            return _to("identity:real_name", next=next_url)
    return _form(
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
    next_url, me = _next(request), _me(request)
    if me.kind.value == "staff" or me.assurance >= Assurance.VERIFIED:
        return HttpResponseRedirect(next_url or reverse("identity:overview"))
    form = RealNameForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            person_id = way_in.confirm_real_name(
                **form.cleaned_data,
                address=way_in.address_of(request),
                actor=_actor(request),
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
    return _form(
        request,
        form,
        title=_("Confirm who you are"),
        button=_("Confirm"),
        lead=_("The register answers yes or no. We keep neither the number nor what you type here."),
        next=next_url,
    )


# One's own account


@for_account
@require_GET
def overview(request: HttpRequest) -> HttpResponse:
    """The account at a glance, with the ways to everything else."""
    me, now = _me(request), timezone.now()
    return _page(
        request,
        "overview",
        {
            "me": me,
            "account": queries.get_account(account_id=me.account_id),
            "devices": len(queries.list_devices(account_id=me.account_id, now=now)),
            "mandates": queries.list_mandates_of_agent(account_id=me.account_id, now=now),
            "seats": queries.seats_of(actor=_actor(request), now=now),
            "told": [str(message) for message in messages.get_messages(request)],
            "language": get_language() or "zh",
        },
    )


@for_account
@sensitive_post_parameters("old", "new")
@require_http_methods(["GET", "POST"])
def password(request: HttpRequest) -> HttpResponse:
    """A new password; other devices are signed out."""
    form, me = PasswordForm(request.POST or None), _me(request)
    if request.method == "POST" and form.is_valid():
        now = timezone.now()
        # Read while the session still fits the password: Django ends a session whose hash it finds changed.
        user: Any = request.user
        user.is_authenticated  # noqa: B018
        try:
            throttle.count(now=now, second_factor_account=f"password:{me.account_id}")
            commands.change_password(account_id=me.account_id, **form.cleaned_data, actor=_actor(request), now=now)
        except Refusal as refusal:
            refuse_in(form, refusal, _field_of(refusal))
        else:
            throttle.forgive(second_factor_account=f"password:{me.account_id}")
            update_session_auth_hash(request, models.Account.objects.get(pk=me.account_id))
            messages.success(request, _("Your password has been changed. Your other devices are signed out."))
            return _to("identity:overview")
    return _form(
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
    me = _me(request)
    account = queries.get_account(account_id=me.account_id)
    if account.has_second_factor:
        return _page(
            request,
            "second_factor",
            {"form": CodeForm(), "required": settings.REQUIRE_TOTP and account.kind.value == "staff"},
        )
    return _enrol(
        request, account.id, account.username, lambda codes: _codes(request, codes, reverse("identity:overview")), ""
    )


@for_account
@require_POST
def second_factor_remove(request: HttpRequest) -> HttpResponse:
    """Removing one's second factor with a code from it."""
    form, me = CodeForm(request.POST), _me(request)
    if form.is_valid():
        now, key = timezone.now(), str(me.account_id)
        try:
            throttle.count(now=now, second_factor_account=key)
            commands.remove_totp(
                account_id=me.account_id, code=form.cleaned_data["code"], actor=_actor(request), now=now
            )
        except Refusal as refusal:
            refuse_in(form, refusal, "code")
        else:
            throttle.forgive(second_factor_account=key)
            messages.success(request, _("The second step has been removed."))
            return _to("identity:overview")
    return _page(request, "second_factor", {"form": form, "required": False}, status=422)


def _enrol(
    request: HttpRequest, account_id: UUID, username: str, done: Callable[[list[str]], HttpResponse], lead: str
) -> HttpResponse:
    secret = request.session.get(way_in.SECRET) or generate_totp_secret()
    request.session[way_in.SECRET] = secret
    form = CodeForm(request.POST or None)
    form.fields["code"].help_text = _("The six digits that the app shows now.")
    if request.method == "POST" and form.is_valid():
        now = timezone.now()
        try:
            throttle.count(now=now, second_factor_account=str(account_id))
            codes = commands.enrol_totp(
                account_id=account_id, secret=secret, code=form.cleaned_data["code"], actor=_actor(request), now=now
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
    return _form(
        request,
        form,
        title=_("Set up the second step"),
        button=_("Check the code"),
        lead=lead,
        template="enrol",
        drawing=mark_safe(drawing),  # noqa: S308
        secret=" ".join(secret[i : i + 4] for i in range(0, len(secret), 4)),
    )


def _codes(request: HttpRequest, codes: list[str], next_url: str) -> HttpResponse:
    return _page(request, "recovery_codes", {"codes": codes, "next": next_url})


@for_account
@require_GET
def devices(request: HttpRequest) -> HttpResponse:
    """Where the account is signed in."""
    me, now = _me(request), timezone.now()
    return _page(
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
    commands.end_device(session_id=session_id, actor=_actor(request), now=timezone.now())
    if session_id == _me(request).session_id:
        logout(request)
        return HttpResponseRedirect("/")
    messages.success(request, _("The device has been signed out."))
    return _to("identity:devices")


@for_account
@require_POST
def end_other_devices(request: HttpRequest) -> HttpResponse:
    """Sign every other device out."""
    commands.end_other_devices(session_id=_me(request).session_id, actor=_actor(request), now=timezone.now())
    messages.success(request, _("All other devices have been signed out."))
    return _to("identity:devices")


# Acting in a post, or for somebody


@for_account
@require_POST
def act(request: HttpRequest) -> HttpResponse:
    """Switch to another post (``post``), to a principal (``mandate``), or back to oneself (neither)."""
    me, now, actor = _me(request), timezone.now(), _actor(request)
    if request.POST.get("post"):
        commands.choose_post(session_id=me.session_id, post_id=_uuid(request, "post"), actor=actor, now=now)
    else:
        mandate_id = _uuid(request, "mandate") if request.POST.get("mandate") else None
        commands.switch_principal(session_id=me.session_id, mandate_id=mandate_id, actor=actor, now=now)
    return HttpResponseRedirect(way_in.safe_next(request, request.POST.get("next", ""), reverse("identity:overview")))


def _uuid(request: HttpRequest, name: str) -> UUID:
    try:
        return UUID(request.POST.get(name, ""))
    except ValueError:
        return UUID(int=0)


@for_account
@require_GET
def mandates(request: HttpRequest) -> HttpResponse:
    """For whom the account may act, and who may act for its person."""
    me, now = _me(request), timezone.now()
    way_in.refresh_children(actor=_actor(request), now=now)
    return _page(
        request,
        "mandates",
        {
            "me": me,
            "held": queries.list_mandates_of_agent(account_id=me.account_id, now=now),
            "given": queries.list_mandates_given(account_id=me.account_id, now=now),
            "bases": _basis_names(),
            "power_names": {power: names[_english()] for power, names in POWER_NAMES.items()},
            "told": [str(message) for message in messages.get_messages(request)],
        },
    )


@for_account
@require_http_methods(["GET", "POST"])
def mandate_new(request: HttpRequest) -> HttpResponse:
    """Let somebody act for oneself, or for the enterprise one acts for."""
    me = _me(request)
    form = MandateForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        now = timezone.now()
        given = form.cleaned_data
        try:
            commands.grant_mandate(
                agent_username=given["agent_username"],
                agent_name=given["agent_name"],
                powers=form.chosen_powers(),
                until_on=_until(int(given["months"]), today(now)),
                reference=given["reference"],
                actor=_actor(request),
                now=now,
            )
        except Refusal as refusal:
            if isinstance(refusal, SignInNeeded):
                raise
            refuse_in(form, refusal)
        else:
            messages.success(request, _("The mandate has been recorded. You can end it at any time."))
            return _to("identity:mandates")
    lead = _("The agent may act for you from today on. Everything they do is recorded under their own name.")
    if me.principal is not None:
        lead = _("The agent may act for %(principal)s from today on.") % {"principal": me.principal_label}
    return _form(
        request,
        form,
        title=_("Let somebody act for you"),
        button=_("Give the mandate"),
        lead=lead,
        back=reverse("identity:mandates"),
    )


@for_account
@require_http_methods(["GET", "POST"])
def mandate_enterprise(request: HttpRequest) -> HttpResponse:
    """Act for an enterprise as its legal representative."""
    form = EnterpriseForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        now = timezone.now()
        try:
            throttle.count(now=now, real_name_account=f"enterprise:{_me(request).account_id}")
            commands.claim_enterprise(**form.cleaned_data, actor=_actor(request), now=now)
        except Refusal as refusal:
            refuse_in(form, refusal, "credit_code")
        else:
            throttle.forgive(real_name_account=f"enterprise:{_me(request).account_id}")
            messages.success(request, _("You can act for the enterprise now."))
            return _to("identity:mandates")
    return _form(
        request,
        form,
        title=_("Act for an enterprise"),
        button=_("Check with the register"),
        lead=_("The register of enterprises names its legal representative. If that is you, you can act for it."),
        back=reverse("identity:mandates"),
    )


@for_account
@require_POST
def mandate_revoke(request: HttpRequest, mandate_id: UUID) -> HttpResponse:
    """End a mandate at once."""
    commands.revoke_mandate(mandate_id=mandate_id, actor=_actor(request), now=timezone.now())
    messages.success(request, _("The mandate has ended."))
    return _to("identity:mandates")


def _until(months: int, day: Any) -> Any:
    if months % 12 == 0:
        return years_after(day, months // 12)
    month = day.month - 1 + months
    year, month = day.year + month // 12, month % 12 + 1
    return day.replace(year=year, month=month, day=min(day.day, 28))


def _english() -> int:
    return 1 if (get_language() or "").startswith("en") else 0


def _basis_names() -> dict[MandateBasis, str]:
    return {
        MandateBasis.PARENTHOOD: _("Parent of a minor"),
        MandateBasis.GUARDIANSHIP: _("Guardian"),
        MandateBasis.POWER_OF_ATTORNEY: _("Power of attorney"),
        MandateBasis.LEGAL_REPRESENTATIVE: _("Legal representative"),
        MandateBasis.ENTERPRISE_AGENT: _("Agent of the enterprise"),
    }


def _field_of(refusal: Refusal) -> str | None:
    return {
        "identity.username_refused": "username",
        "identity.username_taken": "username",
        "identity.wrong_password": "old",
    }.get(refusal.code)
