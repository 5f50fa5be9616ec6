"""Accounts of staff: found, made with a first password that is shown once, locked and opened, their devices signed out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.forms import Form
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_http_methods, require_safe

from furong.foundation.access import queries as access
from furong.foundation.access.values import Actor
from furong.foundation.audit.commands import record_refusal
from furong.foundation.codes.errors import Refusal
from furong.foundation.identity import commands, queries
from furong.foundation.identity.errors import AccountNotFound
from furong.foundation.identity.values import Account, AccountKind
from furong.foundation.organizations import queries as organizations
from furong.foundation.organizations.errors import PostNotFound
from furong.foundation.organizations.values import Organization, Post
from furong.sites.workbench.desk import page
from furong.sites.workbench.forms_administration import (
    AccountForm,
    FindAccountForm,
    ReasonForm,
    RenameForm,
    first_password,
)
from furong.sites.workbench.guards import needs
from furong.sites.workbench.views.organizations import answer, refuse

MANAGE = queries.MANAGE
SECTION = "accounts"


def _managed(account_id: UUID, actor: Actor) -> Account:
    """Give a staff account that the actor administers; any other is not there, and the attempt is recorded."""
    now = timezone.now()
    found = queries.find_account(account_id=account_id)
    if (
        found is None
        or found.kind is not AccountKind.STAFF
        or not queries.may_manage(actor=actor, account_id=account_id, now=now)
    ):
        record_refusal(actor=actor, what="workbench.account", refusal=AccountNotFound(), now=now)
        raise Http404
    return found


@sensitive_post_parameters("text")
@require_http_methods(["GET", "HEAD", "POST"])
@needs(MANAGE)
def account_list(request: HttpRequest, actor: Actor) -> HttpResponse:
    """List the staff accounts in scope; what is searched for travels in the body."""
    form = FindAccountForm(request.POST or None)
    words, number = "", 1
    if form.is_valid():
        words, number = form.cleaned_data["text"], form.cleaned_data["page"] or 1
    found = queries.list_staff(actor=actor, now=timezone.now(), text=words, page=number, size=30)
    seats = {one.id: organizations.posts_of_account(account_id=one.id, on=timezone.localdate()) for one in found.items}
    everything = access.scope(actor=actor, right=MANAGE).everything
    return page(
        request,
        actor,
        "administration/accounts",
        SECTION,
        form=form,
        found=found,
        words=words,
        seats=seats,
        may_make_unseated=everything,
    )


@sensitive_variables("password")
@require_http_methods(["GET", "HEAD", "POST"])
@needs(MANAGE)
def account_new(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Make a staff account, in a post when one is named; its first password is shown in the answer and never again."""
    post, organization = _post_of(request.GET.get("post", ""))
    form = AccountForm(request.POST or None)
    context: dict[str, Any] = {"form": form, "post": post, "organization": organization}
    if request.method == "POST" and form.is_valid():
        password = first_password()
        try:
            key = commands.create_staff_account(
                username=form.cleaned_data["username"],
                display_name=form.cleaned_data["display_name"],
                password=password,
                post_id=post.id if post else None,
                actor=actor,
                now=timezone.now(),
            )
        except Refusal as refusal:
            refuse(form, refusal, "username" if refusal.code.startswith("identity.username") else None)
        else:
            account = queries.get_account(account_id=key)
            return page(
                request, actor, "administration/password", SECTION, account=account, password=password, is_new=True
            )
    return answer(page(request, actor, "administration/account_new", SECTION, **context), form)


def _post_of(given: str) -> tuple[Post | None, Organization | None]:
    if not given:
        return None, None
    try:
        post = organizations.get_post(post_id=UUID(given))
    except (ValueError, PostNotFound) as missing:
        raise Http404 from missing
    return post, organizations.get_organization(organization_id=post.organization_id)


@require_safe
@needs(MANAGE)
def account(request: HttpRequest, actor: Actor, account_id: UUID) -> HttpResponse:
    """Show an account: its posts, devices and second factor."""
    return _account_page(request, actor, account_id)


def _account_page(request: HttpRequest, actor: Actor, account_id: UUID, **forms: Form) -> HttpResponse:
    found = _managed(account_id, actor)
    now = timezone.now()
    appointments = organizations.list_appointments(account_id=account_id, with_ended=True)
    posts = {}
    for one in appointments:
        if one.post_id not in posts:
            post = organizations.get_post(post_id=one.post_id)
            posts[one.post_id] = (post, organizations.get_organization(organization_id=post.organization_id))
    shown: dict[str, Form] = {
        "rename_form": RenameForm(initial={"display_name": found.display_name}),
        "lock_form": ReasonForm(),
        "act_form": Form(),
        **forms,
    }
    response = page(
        request,
        actor,
        "administration/account",
        SECTION,
        account=found,
        devices=queries.list_devices(account_id=account_id, now=now),
        appointments=appointments,
        posts=posts,
        may_open=access.scope(actor=actor, right=MANAGE).everything,
        is_self=actor.account_id == account_id,
        **shown,
    )
    return answer(response, *shown.values())


@require_http_methods(["POST"])
@needs(MANAGE)
def account_act(request: HttpRequest, actor: Actor, account_id: UUID, act: str) -> HttpResponse:
    """Rename, lock or open an account, sign its devices out, reset its second factor or its password."""
    found = _managed(account_id, actor)
    acts: dict[str, Callable[[HttpRequest, Actor, Account], HttpResponse | None]] = {
        "rename": _rename,
        "lock": _lock,
        "open": _open,
        "sign-out": _sign_out,
        "reset-second-factor": _reset_second_factor,
        "reset-password": _reset_password,
    }
    if act not in acts:
        raise Http404
    response = acts[act](request, actor, found)
    return response or HttpResponseRedirect(reverse("workbench:account", kwargs={"account_id": account_id}))


def _rename(request: HttpRequest, actor: Actor, account: Account) -> HttpResponse | None:
    form = RenameForm(request.POST)
    if not form.is_valid():
        return _account_page(request, actor, account.id, rename_form=form)
    commands.rename_account(
        account_id=account.id, display_name=form.cleaned_data["display_name"], actor=actor, now=timezone.now()
    )
    messages.success(request, _("The name has been changed."))
    return None


def _lock(request: HttpRequest, actor: Actor, account: Account) -> HttpResponse | None:
    form = ReasonForm(request.POST)
    if account.id == actor.account_id:
        form.add_error(None, _("You cannot lock your own account."))
    if not form.is_valid():
        return _account_page(request, actor, account.id, lock_form=form)
    try:
        commands.disable_account(
            account_id=account.id, reason=form.cleaned_data["reason"], actor=actor, now=timezone.now()
        )
    except Refusal as refusal:
        refuse(form, refusal)
        return _account_page(request, actor, account.id, lock_form=form)
    messages.success(request, _("The account is locked: its devices are signed out and its appointments have ended."))
    if not queries.may_manage(actor=actor, account_id=account.id, now=timezone.now()):
        return HttpResponseRedirect(
            reverse("workbench:accounts")
        )  # without a post it is in nobody's scope but the whole
    return None


def _open(request: HttpRequest, actor: Actor, account: Account) -> HttpResponse | None:
    form = Form(request.POST)
    try:
        commands.enable_account(account_id=account.id, actor=actor, now=timezone.now())
    except Refusal as refusal:
        form.is_valid()
        refuse(form, refusal)
        return _account_page(request, actor, account.id, act_form=form)
    messages.success(request, _("The account is open again. Appoint it to a post."))
    return None


def _sign_out(request: HttpRequest, actor: Actor, account: Account) -> HttpResponse | None:
    commands.end_devices_of(account_id=account.id, actor=actor, now=timezone.now())
    messages.success(request, _("All devices of the account have been signed out."))
    return None


def _reset_second_factor(request: HttpRequest, actor: Actor, account: Account) -> HttpResponse | None:
    form = Form(request.POST)
    try:
        commands.reset_totp(account_id=account.id, actor=actor, now=timezone.now())
    except Refusal as refusal:
        form.is_valid()
        refuse(form, refusal)
        return _account_page(request, actor, account.id, act_form=form)
    messages.success(request, _("The second step has been removed and the devices signed out."))
    return None


@sensitive_variables("password")
def _reset_password(request: HttpRequest, actor: Actor, account: Account) -> HttpResponse | None:
    password = first_password()
    commands.reset_password(account_id=account.id, password=password, actor=actor, now=timezone.now())
    return page(request, actor, "administration/password", SECTION, account=account, password=password, is_new=False)
