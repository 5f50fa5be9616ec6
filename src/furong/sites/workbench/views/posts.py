"""Posts and appointments: the rights that a post gives, who sits in it, and moving them with the effect said before."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.forms import Form
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from furong.domains.processes import queries as work
from furong.domains.processes.values import TaskFilters
from furong.foundation.access import queries as access
from furong.foundation.access.values import Actor
from furong.foundation.codes.errors import Refusal
from furong.foundation.identity import queries as identity
from furong.foundation.organizations import commands, queries
from furong.foundation.organizations.errors import AppointmentNotFound, PostNotFound
from furong.foundation.organizations.values import REACH_NAMES, Appointment, Grant, Organization, Post, today
from furong.foundation.web.texts import text
from furong.sites.workbench.desk import page
from furong.sites.workbench.forms_administration import AppointForm, PostForm, ReasonForm, reaches
from furong.sites.workbench.guards import needs
from furong.sites.workbench.views.organizations import (
    EVERYTHING,
    MANAGE,
    SECTION,
    answer,
    confirm,
    managed,
    refuse,
    right_names,
    to_organization,
)


def _post(post_id: UUID, actor: Actor) -> tuple[Post, Organization]:
    try:
        found = queries.get_post(post_id=post_id, on=today(timezone.now()))
    except PostNotFound as missing:
        raise Http404 from missing
    return found, managed(found.organization_id, actor)


def _to_post(post_id: UUID) -> HttpResponseRedirect:
    return HttpResponseRedirect(reverse("workbench:post", kwargs={"post_id": post_id}))


def reach_names() -> dict[str, str]:
    return {reach.value: text({"zh": zh, "en": en}) for reach, (zh, en) in REACH_NAMES.items()}


# --- posts --------------------------------------------------------------------------------------------------------------


def _units(organization_id: UUID) -> list[tuple[str, str]]:
    return [(str(one.id), text(one.name)) for one in queries.list_units(organization_id=organization_id)]


@require_http_methods(["GET", "HEAD", "POST"])
@needs(MANAGE)
def post_new(request: HttpRequest, actor: Actor, organization_id: UUID) -> HttpResponse:
    """Add a post with the rights it gives; a kind of the pack's fills the form in."""
    found = managed(organization_id, actor)
    templates = queries.list_post_templates(organization_id=organization_id)
    chosen = next((one for one in templates if one.code == request.GET.get("template", "")), None)
    form = PostForm(
        request.POST or None,
        units=_units(organization_id),
        held=chosen.grants if chosen else (),
        initial={"title_zh": chosen.title.zh, "title_en": chosen.title.en} if chosen else None,
    )
    if request.method == "POST" and form.is_valid():
        try:
            key = commands.create_post(
                organization_id=organization_id,
                title=form.title(),
                grants=form.grants(),
                unit_id=UUID(form.cleaned_data["unit"]) if form.cleaned_data["unit"] else None,
                actor=actor,
                now=timezone.now(),
            )
        except Refusal as refusal:
            refuse(form, refusal)
        else:
            messages.success(request, _("The post has been added."))
            return _to_post(key)
    return _post_form(request, actor, form, found, templates=templates, chosen=chosen)


def _post_form(
    request: HttpRequest, actor: Actor, form: PostForm, organization: Organization, **context: Any
) -> HttpResponse:
    response = page(
        request,
        actor,
        "administration/post_form",
        SECTION,
        form=form,
        organization=organization,
        reaches=reaches(),
        **{"post": None, "templates": [], "chosen": None, **context},
    )
    return answer(response, form)


@require_http_methods(["GET", "HEAD", "POST"])
@needs(MANAGE)
def post_change(request: HttpRequest, actor: Actor, post_id: UUID) -> HttpResponse:
    """Change a post's title, unit and rights; who sits in it has the new rights with the next request."""
    found, organization = _post(post_id, actor)
    form = PostForm(
        request.POST or None,
        units=_units(organization.id),
        held=found.grants,
        initial={"title_zh": found.title.zh, "title_en": found.title.en, "unit": str(found.unit_id or "")},
    )
    if request.method == "POST" and form.is_valid():
        try:
            commands.change_post(
                post_id=post_id,
                title=form.title(),
                grants=form.grants(),
                unit_id=UUID(form.cleaned_data["unit"]) if form.cleaned_data["unit"] else None,
                actor=actor,
                now=timezone.now(),
            )
        except Refusal as refusal:
            refuse(form, refusal)
        else:
            messages.success(request, _("The post has been changed. Its holders have the new rights now."))
            return _to_post(post_id)
    return _post_form(request, actor, form, organization, post=found)


@require_safe
@needs(MANAGE)
def post(request: HttpRequest, actor: Actor, post_id: UUID) -> HttpResponse:
    """Show a post: its rights, who sits in it, and who may."""
    return _post_page(request, actor, post_id, AppointForm())


def _post_page(request: HttpRequest, actor: Actor, post_id: UUID, form: AppointForm) -> HttpResponse:
    found, organization = _post(post_id, actor)
    appointments = queries.list_appointments(post_id=post_id, with_ended=True)
    units = {one.id: one.name for one in queries.list_units(organization_id=organization.id)}
    response = page(
        request,
        actor,
        "administration/post",
        SECTION,
        post=found,
        organization=organization,
        unit=units.get(found.unit_id) if found.unit_id else None,
        appointments=[one for one in appointments if one.ended_at is None],
        former=[one for one in appointments if one.ended_at is not None][:20],
        names=identity.display_names(account_ids=[one.account_id for one in appointments]),
        right_names=right_names(),
        reach_names=reach_names(),
        may_make_accounts=access.allows(
            actor=actor,
            right=identity.MANAGE,
            organization_id=organization.id,
            division_code=organization.division_code,
        ),
        form=form,
    )
    return answer(response, form)


@require_http_methods(["GET", "HEAD", "POST"])
@needs(MANAGE)
def post_close(request: HttpRequest, actor: Actor, post_id: UUID) -> HttpResponse:
    """Close a post in which nobody sits."""
    found, organization = _post(post_id, actor)
    form = Form(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            commands.close_post(post_id=post_id, actor=actor, now=timezone.now())
        except Refusal as refusal:
            refuse(form, refusal)
        else:
            messages.success(request, _("The post has been closed."))
            return to_organization(organization.id)
    return confirm(
        request,
        actor,
        form=form,
        title=_("Close the post"),
        about=f"{text(organization.name)} · {text(found.title)}",
        back=reverse("workbench:post", kwargs={"post_id": post_id}),
        label=_("Close the post"),
        effects=[_("Its rights end at once."), _("Nobody can be appointed to it again.")],
    )


# --- appointments -------------------------------------------------------------------------------------------------------


@require_POST
@needs(MANAGE)
def appoint(request: HttpRequest, actor: Actor, post_id: UUID) -> HttpResponse:
    """Put a staff account into a post."""
    _post(post_id, actor)
    form = AppointForm(request.POST)
    if form.is_valid():
        given = form.cleaned_data
        account = identity.find_staff_account(username=given["username"], actor=actor)
        if account is None:
            form.add_error("username", _("There is no open staff account with this username."))
        else:
            try:
                commands.appoint(
                    account_id=account.id,
                    post_id=post_id,
                    from_on=given["from_on"],
                    until_on=given["until_on"],
                    is_main=given["is_main"],
                    reason=given["reason"],
                    actor=actor,
                    now=timezone.now(),
                )
            except Refusal as refusal:
                refuse(form, refusal, "until_on" if refusal.code == "organizations.period_refused" else None)
            else:
                messages.success(request, _("The appointment has been made."))
                return _to_post(post_id)
    return _post_page(request, actor, post_id, form)


def _appointment(appointment_id: UUID, actor: Actor) -> tuple[Appointment, Post, Organization]:
    try:
        found = queries.get_appointment(appointment_id=appointment_id)
    except AppointmentNotFound as missing:
        raise Http404 from missing
    if found.ended_at is not None:
        raise Http404
    old_post, organization = _post(found.post_id, actor)
    return found, old_post, organization


@require_http_methods(["GET", "HEAD", "POST"])
@needs(MANAGE)
def transfer(request: HttpRequest, actor: Actor, appointment_id: UUID) -> HttpResponse:
    """Move somebody to another post: find the organisation, choose the post, see what it does, confirm."""
    found, old_post, old_organization = _appointment(appointment_id, actor)
    scope = access.scope(actor=actor, right=MANAGE)
    words = request.GET.get("q", "").strip()[:60]
    name = identity.display_names(account_ids=[found.account_id]).get(found.account_id, "")
    context: dict[str, Any] = {
        "appointment": found,
        "old_post": old_post,
        "old_organization": old_organization,
        "name": name,
        "words": words,
        "organizations": queries.list_organizations(scope=scope, text=words, size=20) if words else None,
        "target": None,
        "posts": [],
    }
    if chosen := _uuid(request.GET.get("post", "")):
        return _transfer_to(request, actor, found, old_post, old_organization, chosen, name)
    if place := _uuid(request.GET.get("organization", "")):
        context["target"] = managed(place, actor)
        context["posts"] = [p for p in queries.list_posts(organization_id=place) if p.id != old_post.id]
    return page(request, actor, "administration/transfer", SECTION, **context)


def _transfer_to(
    request: HttpRequest,
    actor: Actor,
    appointment: Appointment,
    old_post: Post,
    old_organization: Organization,
    post_id: UUID,
    name: str,
) -> HttpResponse:
    new_post, new_organization = _post(post_id, actor)
    now = timezone.now()
    form = ReasonForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            commands.transfer(
                appointment_id=appointment.id,
                to_post_id=post_id,
                reason=form.cleaned_data["reason"],
                actor=actor,
                now=now,
            )
        except Refusal as refusal:
            refuse(form, refusal)
        else:
            messages.success(request, _("The transfer is done: the next request acts in the new post."))
            return _to_post(post_id)
    in_hand = work.count_tasks(
        scope=EVERYTHING, now=now, filters=TaskFilters(claimed_by=appointment.account_id), most=1000
    ).running
    effects = [_("The rights change with the next request, on every device.")]
    if in_hand:
        effects.append(
            _("%(count)s tasks in their hands stay with the old organisation; hand them over first.")
            % {"count": in_hand}
        )
    if appointment.is_main:
        effects.append(_("The new post is the main one."))
    return confirm(
        request,
        actor,
        form=form,
        title=_("Transfer %(name)s") % {"name": name},
        about=_("From %(old)s to %(new)s")
        % {
            "old": f"{text(old_organization.name)} · {text(old_post.title)}",
            "new": f"{text(new_organization.name)} · {text(new_post.title)}",
        },
        back=reverse("workbench:post", kwargs={"post_id": old_post.id}),
        label=_("Transfer"),
        effects=effects,
        lost=_grant_words(old_post.grants, old_organization),
        gained=_grant_words(new_post.grants, new_organization),
    )


def _grant_words(grants: tuple[Grant, ...], organization: Organization) -> list[str]:
    names, reach = right_names(), reach_names()
    return [f"{names.get(one.right, one.right)} · {reach[one.reach.value]}（{organization.label}）" for one in grants]


@require_http_methods(["GET", "HEAD", "POST"])
@needs(MANAGE)
def appointment_end(request: HttpRequest, actor: Actor, appointment_id: UUID) -> HttpResponse:
    """End an appointment at once."""
    found, old_post, organization = _appointment(appointment_id, actor)
    form = ReasonForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            commands.end_appointment(
                appointment_id=appointment_id,
                reason=form.cleaned_data["reason"],
                actor=actor,
                now=timezone.now(),
            )
        except Refusal as refusal:
            refuse(form, refusal)
        else:
            messages.success(request, _("The appointment has ended."))
            return _to_post(old_post.id)
    name = identity.display_names(account_ids=[found.account_id]).get(found.account_id, "")
    return confirm(
        request,
        actor,
        form=form,
        title=_("End the appointment of %(name)s") % {"name": name},
        about=f"{text(organization.name)} · {text(old_post.title)}",
        back=reverse("workbench:post", kwargs={"post_id": old_post.id}),
        label=_("End the appointment"),
        effects=[_("The next request of the account no longer acts in this post.")],
        lost=_grant_words(old_post.grants, organization),
    )


def _uuid(given: str) -> UUID | None:
    try:
        return UUID(given)
    except ValueError:
        return None
