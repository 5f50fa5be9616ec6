"""Organisations, units and posts: where they stand, what rights they give, who sits in them."""

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

from furong.foundation.access import queries as access
from furong.foundation.access.errors import AccessRefused
from furong.foundation.access.values import RIGHTS, Actor, Scope
from furong.foundation.audit.commands import record_refusal
from furong.foundation.codes.errors import Refusal
from furong.foundation.identity import queries as identity
from furong.foundation.organizations import commands, queries
from furong.foundation.organizations.errors import OrganizationNotFound
from furong.foundation.organizations.values import Organization, today
from furong.foundation.web.texts import text
from furong.sites.workbench.desk import page, words_of
from furong.sites.workbench.forms_administration import (
    NameForm,
    NewOrganizationForm,
    OrganizationForm,
)
from furong.sites.workbench.guards import needs

MANAGE = "organizations.manage"
SECTION = "organizations"
EVERYTHING = Scope(everything=True)


def managed(organization_id: UUID, actor: Actor) -> Organization:
    """Give an organisation that the actor administers. Others are refused, and the attempt is recorded."""
    try:
        found = queries.get_organization(organization_id=organization_id)
    except OrganizationNotFound as missing:
        raise Http404 from missing
    _require(found, actor)
    return found


def _require(organization: Organization, actor: Actor) -> None:
    try:
        access.require(
            actor=actor, right=MANAGE, organization_id=organization.id, division_code=organization.division_code
        )
    except AccessRefused as refusal:
        record_refusal(actor=actor, what="workbench.organization", refusal=refusal, now=timezone.now())
        raise


def refuse(form: Form, refusal: Refusal, field: str | None = None) -> None:
    """Put a refusal's words into a form, so that nothing typed is lost. Missing rights are no mistake of the form."""
    if isinstance(refusal, AccessRefused):
        raise refusal
    form.add_error(field, " ".join(part for part in words_of(refusal) if part))


def answer(response: HttpResponse, *forms_shown: Form) -> HttpResponse:
    """Answer 422 when what was sent has mistakes."""
    if any(one.is_bound and one.errors for one in forms_shown):
        response.status_code = 422
    return response


def to_organization(organization_id: UUID) -> HttpResponseRedirect:
    return HttpResponseRedirect(reverse("workbench:organization", kwargs={"organization_id": organization_id}))


# --- organisations ------------------------------------------------------------------------------------------------------


@require_safe
@needs(MANAGE)
def organization_list(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Browse from the province down to the towns, or find an organisation by its name."""
    scope = access.scope(actor=actor, right=MANAGE)
    words = request.GET.get("q", "").strip()[:60]
    department = request.GET.get("department", "")[:40]
    number = int(request.GET["page"]) if request.GET.get("page", "").isdigit() else 1
    divisions = queries.list_divisions()
    here = request.GET.get("division", "")[:12]
    if not here:
        here = divisions[0].code if scope.everything and divisions else actor.division_code
    path = queries.path_of_division(code=here)
    context: dict[str, Any] = {
        "words": words,
        "department": department,
        "departments": queries.list_departments(),
        "department_names": {one.code: one.name for one in queries.list_departments()},
        "path": path,
        "here_division": path[-1] if path else None,
        "below": queries.list_divisions(parent_code=here) if path else [],
    }
    if words or not path:
        context["found"] = queries.list_organizations(
            scope=scope, department=department, text=words, page=number, size=50
        )
    else:
        context["found"] = queries.list_organizations(
            scope=scope, department=department, division_code=here, level=path[-1].level, page=number, size=50
        )
    context["may_add"] = bool(path) and access.allows(actor=actor, right=MANAGE, division_code=here)
    return page(request, actor, "administration/organizations", SECTION, **context)


@require_http_methods(["GET", "HEAD", "POST"])
@needs(MANAGE)
def organization_new(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Add an organisation in a division."""
    division = queries.find_division(code=request.GET.get("division", "")[:12])
    if division is None:
        raise Http404
    form = NewOrganizationForm(
        request.POST or None,
        parents=[],
        departments=[(one.code, text(one.name)) for one in queries.list_departments()],
    )
    if request.method == "POST" and form.is_valid():
        try:
            key = commands.create_organization(
                name=form.name(),
                department=form.cleaned_data["department"],
                division_code=division.code,
                code=form.cleaned_data["code"],
                short_zh=form.cleaned_data["short_zh"],
                address=form.cleaned_data["address"],
                phone=form.cleaned_data["phone"],
                actor=actor,
                now=timezone.now(),
            )
        except Refusal as refusal:
            refuse(form, refusal, "code" if refusal.code.startswith("organizations.code") else None)
        else:
            messages.success(request, _("The organisation has been added."))
            return to_organization(key)
    return answer(
        page(
            request, actor, "administration/organization_form", SECTION, form=form, division=division, organization=None
        ),
        form,
    )


@require_safe
@needs(MANAGE)
def organization(request: HttpRequest, actor: Actor, organization_id: UUID) -> HttpResponse:
    """Show an organisation with its units, posts and who sits in them."""
    return _organization_page(request, actor, organization_id, NameForm())


def _organization_page(request: HttpRequest, actor: Actor, organization_id: UUID, unit_form: NameForm) -> HttpResponse:
    found = managed(organization_id, actor)
    on = today(timezone.now())
    posts = queries.list_posts(organization_id=organization_id, on=on)
    appointments = queries.list_appointments(organization_id=organization_id)
    names = identity.display_names(account_ids=[one.account_id for one in appointments])
    units = queries.list_units(organization_id=organization_id)
    response = page(
        request,
        actor,
        "administration/organization",
        SECTION,
        organization=found,
        parent=queries.find_organization(organization_id=found.parent_id) if found.parent_id else None,
        path=queries.path_of_division(code=found.division_code),
        department=next((one.name for one in queries.list_departments() if one.code == found.department), None),
        units=units,
        unit_names={one.id: one.name for one in units},
        posts=posts,
        holders={
            post.id: [names.get(one.account_id, "") for one in appointments if one.post_id == post.id] for post in posts
        },
        below=queries.list_below(organization_id=organization_id),
        templates=queries.list_post_templates(organization_id=organization_id),
        right_names=right_names(),
        unit_form=unit_form,
    )
    return answer(response, unit_form)


def right_names() -> dict[str, str]:
    return {code: text({"zh": right.zh, "en": right.en}) for code, right in RIGHTS.items()}


@require_http_methods(["GET", "HEAD", "POST"])
@needs(MANAGE)
def organization_change(request: HttpRequest, actor: Actor, organization_id: UUID) -> HttpResponse:
    """Change what is shown of an organisation and where it stands."""
    found = managed(organization_id, actor)
    initial = {
        "name_zh": found.name.zh,
        "name_en": found.name.en,
        "short_zh": found.short_zh,
        "parent": str(found.parent_id or ""),
        "address": found.address,
        "phone": found.phone,
    }
    form = OrganizationForm(request.POST or None, initial=initial, parents=_parents(found))
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        try:
            commands.change_organization(
                organization_id=organization_id,
                name=form.name(),
                parent_id=UUID(given["parent"]) if given["parent"] else None,
                short_zh=form.cleaned_data["short_zh"],
                address=form.cleaned_data["address"],
                phone=form.cleaned_data["phone"],
                actor=actor,
                now=timezone.now(),
            )
        except Refusal as refusal:
            refuse(form, refusal)
        else:
            messages.success(request, _("The organisation has been changed."))
            return to_organization(organization_id)
    division = queries.find_division(code=found.division_code)
    return answer(
        page(
            request,
            actor,
            "administration/organization_form",
            SECTION,
            form=form,
            division=division,
            organization=found,
        ),
        form,
    )


def _parents(organization: Organization) -> list[tuple[str, str]]:
    """Give what an organisation may stand below: those of its department in the divisions around it, and where it stands."""
    found: dict[UUID, Organization] = {}
    for division in queries.path_of_division(code=organization.division_code):
        rows = queries.list_organizations(
            scope=EVERYTHING,
            department=organization.department,
            division_code=division.code,
            level=division.level,
            size=20,
        )
        found.update({one.id: one for one in rows.items if one.id != organization.id})
    if organization.parent_id and organization.parent_id not in found:
        parent = queries.find_organization(organization_id=organization.parent_id)
        if parent is not None:
            found[parent.id] = parent
    return [(str(key), text(one.name)) for key, one in found.items()]


@require_http_methods(["GET", "HEAD", "POST"])
@needs(MANAGE)
def organization_abolish(request: HttpRequest, actor: Actor, organization_id: UUID) -> HttpResponse:
    """Close an organisation for good, after saying what that does."""
    found = managed(organization_id, actor)
    form = Form(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            commands.abolish_organization(organization_id=organization_id, actor=actor, now=timezone.now())
        except Refusal as refusal:
            refuse(form, refusal)
        else:
            messages.success(request, _("The organisation has been abolished."))
            return to_organization(organization_id)
    posts = queries.list_posts(organization_id=organization_id)
    return confirm(
        request,
        actor,
        form=form,
        title=_("Abolish the organisation"),
        about=text(found.name),
        back=reverse("workbench:organization", kwargs={"organization_id": organization_id}),
        label=_("Abolish"),
        effects=[
            _("Its %(count)s posts and its units are closed, and the posts' rights end at once.")
            % {"count": len(posts)},
            _("It receives no new cases; its past stays readable."),
            _("It cannot be opened again."),
        ],
    )


def confirm(
    request: HttpRequest,
    actor: Actor,
    *,
    form: Form,
    title: str,
    about: str,
    back: str,
    label: str,
    effects: list[str],
    section: str = SECTION,
    **more: Any,
) -> HttpResponse:
    response = page(
        request,
        actor,
        "administration/confirm",
        section,
        form=form,
        title=title,
        about=about,
        back=back,
        label=label,
        effects=effects,
        **{"lost": [], "gained": [], "crumbs": [], **more},
    )
    return answer(response, form)


# --- units --------------------------------------------------------------------------------------------------------------


@require_POST
@needs(MANAGE)
def unit_new(request: HttpRequest, actor: Actor, organization_id: UUID) -> HttpResponse:
    """Add a unit to an organisation."""
    managed(organization_id, actor)
    form = NameForm(request.POST)
    if form.is_valid():
        try:
            commands.create_unit(organization_id=organization_id, name=form.name(), actor=actor, now=timezone.now())
        except Refusal as refusal:
            refuse(form, refusal, "name_zh")
        else:
            messages.success(request, _("The unit has been added."))
            return to_organization(organization_id)
    return _organization_page(request, actor, organization_id, form)


@require_http_methods(["GET", "HEAD", "POST"])
@needs(MANAGE)
def unit(request: HttpRequest, actor: Actor, organization_id: UUID, unit_id: UUID) -> HttpResponse:
    """Rename a unit, or close it."""
    found = managed(organization_id, actor)
    one = next((u for u in queries.list_units(organization_id=organization_id) if u.id == unit_id), None)
    if one is None:
        raise Http404
    closing = request.POST.get("act") == "close"
    form = NameForm(
        request.POST if request.method == "POST" and not closing else None,
        initial={"name_zh": one.name.zh, "name_en": one.name.en},
    )
    close_form = Form(request.POST if closing else None)
    if request.method == "POST":
        now = timezone.now()
        try:
            if closing:
                commands.close_unit(unit_id=unit_id, actor=actor, now=now)
                messages.success(request, _("The unit has been closed."))
                return to_organization(organization_id)
            if form.is_valid():
                commands.rename_unit(unit_id=unit_id, name=form.name(), actor=actor, now=now)
                messages.success(request, _("The unit has been renamed."))
                return to_organization(organization_id)
        except Refusal as refusal:
            refuse(close_form if closing else form, refusal)
    return answer(
        page(
            request,
            actor,
            "administration/unit",
            SECTION,
            organization=found,
            unit=one,
            form=form,
            close_form=close_form,
        ),
        form,
        close_form,
    )
