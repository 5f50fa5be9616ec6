"""The catalogue: who holds what, on what terms, how it stands, and what provider and data authority do about it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_safe

from furong.domains.catalogue import commands, drafts, quality
from furong.domains.catalogue import queries as catalogue
from furong.domains.catalogue.errors import DraftRefused, ResourceMissing
from furong.domains.catalogue.grants import reading as grants
from furong.domains.catalogue.states import Act
from furong.domains.catalogue.views import FACETS, Filter, ResourceView
from furong.foundation.access import queries as access
from furong.foundation.access.values import Actor
from furong.foundation.codes.errors import Refusal
from furong.foundation.organizations import queries as organizations
from furong.foundation.packs import queries as packs
from furong.foundation.packs.values import Finding
from furong.foundation.web.texts import text
from furong.sites.workbench import words_catalogue as words
from furong.sites.workbench import words_grants
from furong.sites.workbench.desk import page, words_of
from furong.sites.workbench.forms_catalogue import DraftForm, PlainForm, ReasonForm
from furong.sites.workbench.guards import needs

EDIT, REVIEW = "catalogue.edit", "catalogue.review"
# Staff of every department look things up here; what they see is the catalogue's to decide.
READERS = (EDIT, REVIEW, "cases.handle", "cases.decide", "cases.supervise", "definitions.publish")
PAGE_SIZE = 20
_MOST_VALUES = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Deed:
    """One thing that can be done to a resource: its words, what it does, its form and its command."""

    label: Promise
    effect: Promise
    done: Promise
    run: Callable[..., object]
    form: type[forms.Form] = PlainForm
    kind: str = "quiet"


def _moves(act: Act) -> Callable[..., object]:
    def run(**given: Any) -> object:
        return commands.move_online(act=act, **given)

    return run


DEEDS: Mapping[Act, Deed] = {
    Act.SUBMIT: Deed(
        label=gettext_lazy("Submit for review"),
        effect=gettext_lazy("The data authority decides within two working days. Until then what is in force stays."),
        done=gettext_lazy("It has been submitted."),
        run=commands.submit_resource,
        kind="",
    ),
    Act.CALL_BACK: Deed(
        label=gettext_lazy("Call back"),
        effect=gettext_lazy("The review ends, and the draft can be changed again."),
        done=gettext_lazy("It has been called back."),
        run=commands.call_back_resource,
    ),
    Act.APPROVE: Deed(
        label=gettext_lazy("Approve"),
        effect=gettext_lazy("The draft is checked once more and comes into force at once."),
        done=gettext_lazy("It is approved and in force."),
        run=commands.approve_resource,
        kind="",
    ),
    Act.REJECT: Deed(
        label=gettext_lazy("Send back"),
        effect=gettext_lazy("The provider reads the reason. What is in force stays."),
        done=gettext_lazy("It has been sent back."),
        run=commands.reject_resource,
        form=ReasonForm,
        kind="warn",
    ),
    Act.ASK_ONLINE: Deed(
        label=gettext_lazy("Ask to go online"),
        effect=gettext_lazy("The data authority decides within two working days."),
        done=gettext_lazy("The data authority has been asked."),
        run=_moves(Act.ASK_ONLINE),
        kind="",
    ),
    Act.ASK_OFFLINE: Deed(
        label=gettext_lazy("Ask to go offline"),
        effect=gettext_lazy("It stays online until the data authority has decided, within two working days."),
        done=gettext_lazy("The data authority has been asked."),
        run=_moves(Act.ASK_OFFLINE),
        form=ReasonForm,
    ),
    Act.PUT_ONLINE: Deed(
        label=gettext_lazy("Put online"),
        effect=gettext_lazy("Everybody whom its terms admit finds it at once."),
        done=gettext_lazy("It is online."),
        run=_moves(Act.PUT_ONLINE),
        kind="",
    ),
    Act.TAKE_OFFLINE: Deed(
        label=gettext_lazy("Take offline"),
        effect=gettext_lazy(
            "It is gone from lists and searches at once; only provider and data authority still see it."
        ),
        done=gettext_lazy("It is offline."),
        run=_moves(Act.TAKE_OFFLINE),
        form=ReasonForm,
        kind="warn",
    ),
    Act.KEEP: Deed(
        label=gettext_lazy("Refuse what was asked"),
        effect=gettext_lazy("It stays as it is, and the provider reads the reason."),
        done=gettext_lazy("It stays as it is."),
        run=_moves(Act.KEEP),
        form=ReasonForm,
    ),
    Act.REQUIRE_UPDATE: Deed(
        label=gettext_lazy("Require an update"),
        effect=gettext_lazy(
            "After a law or a duty changed, the provider brings it up to date within ten working days."
        ),
        done=gettext_lazy("The update has been required."),
        run=commands.require_update,
        form=ReasonForm,
    ),
    Act.EXTEND_UPDATE: Deed(
        label=gettext_lazy("Extend the update"),
        effect=gettext_lazy("The provider has five working days more, once."),
        done=gettext_lazy("The update has been extended."),
        run=commands.extend_update,
        form=ReasonForm,
    ),
}


# --- the list -----------------------------------------------------------------------------------------------------------


@require_safe
@needs(*READERS)
def resources(request: HttpRequest, actor: Actor) -> HttpResponse:
    """List and search the information resources that the reader may see, with what they can be narrowed by."""
    given = {name: request.GET.get(name, "")[:80] for name in ("text", "state", *FACETS)}
    number = request.GET.get("page", "")
    compiles = any(access.allows(actor=actor, right=right) for right in (EDIT, REVIEW))
    if not compiles:
        given["state"] = ""
    found = catalogue.list_resources(
        actor=actor,
        filter=Filter(**given),
        page=int(number) if number.isdecimal() and len(number) < 5 else 1,
        size=PAGE_SIZE,
    )
    departments = _departments()
    return page(
        request,
        actor,
        "catalogue/all",
        "resources",
        found=found,
        given=given,
        facets=_facets(found.facets, given, departments),
        chosen=[
            (words.FACET_NAMES[name], _value_words(name, given[name], departments), _query(given, **{name: ""}))
            for name in FACETS
            if given[name]
        ],
        departments=departments,
        words=words,
        compiles=compiles,
        states=[
            (code, label, _query(given, state=code), given["state"] == code) for code, label in words.STATES.items()
        ],
        waiting=catalogue.count_waiting(actor=actor),
        previous=_query(given, page=found.number - 1) if found.number > 1 else "",
        following=_query(given, page=found.number + 1) if found.number < found.pages else "",
        hidden=[(name, value) for name, value in given.items() if value and name != "text"],
    )


def _query(given: Mapping[str, str], **other: object) -> str:
    return "?" + urlencode({k: v for k, v in {**given, **other}.items() if v})


def _departments() -> dict[str, Any]:
    return {one.code: one.name for one in organizations.list_departments()}


def _value_words(facet: str, value: str, departments: Mapping[str, Any]) -> str:
    if facet == "department":
        return text(departments.get(value, value))
    if facet == "class_item":
        return words.subject_words(value, departments)
    table: Mapping[str, Any] = {
        "class_kind": words.CLASSES,
        "sharing": words.SHARING,
        "openness": words.OPENNESS,
        "cycle": words.CYCLES,
        "format_kind": words.FORMATS,
    }[facet]
    found = table.get(value, value)
    return str(found[0] if isinstance(found, tuple) else found)


def _facets(
    facets: Mapping[str, Mapping[str, int]], given: Mapping[str, str], departments: Mapping[str, Any]
) -> list[tuple[Promise, list[tuple[str, int, str]]]]:
    shown = []
    for name in FACETS:
        values = [] if given[name] else list(facets.get(name, {}).items())[:_MOST_VALUES]
        if name == "class_item":  # the department class has the provider's facet
            values = [(value, count) for value, count in values if not value.startswith("department.")]
        if len(values) > 1 or (name == "class_item" and values):
            shown.append(
                (
                    words.FACET_NAMES[name],
                    [
                        (_value_words(name, value, departments), count, _query(given, **{name: value}))
                        for value, count in values
                    ],
                )
            )
    return shown


# --- one resource -------------------------------------------------------------------------------------------------------


@require_safe
@needs(*READERS)
def resource(request: HttpRequest, actor: Actor, code: str) -> HttpResponse:
    """Show a resource: core metadata, items with element and terms, versions, states, relations, what a change touches."""
    found = _found(actor, code)
    dictionary = catalogue.get_dictionary(on=timezone.localdate())
    elements = sorted({element for item in found.items for element in item.elements})
    suppliers: dict[str, list[Any]] = {}
    for one in catalogue.list_suppliers(actor=actor, elements=elements):
        if one.resource.code != code:
            suppliers.setdefault(one.element, []).append(one)
    organization = (
        organizations.find_organization(organization_id=found.organization_id) if found.organization_id else None
    )
    ours = grants.find_for_resource(resource_code=code, actor=actor)
    return page(
        request,
        actor,
        "catalogue/one",
        "resources",
        view=found,
        line=found.line,
        detail=found.detail,
        organization=organization,
        departments=_departments(),
        subject=words.subject_words(found.line.class_item, _departments()),
        dictionary=dictionary,
        suppliers=suppliers,
        words=words,
        deeds=[(act.value, DEEDS[act]) for act in DEEDS if act in found.may],
        may_draft=Act.DRAFT in found.may,
        may_request=not found.is_owner
        and found.is_live
        and found.line.sharing != "none"
        and access.allows(actor=actor, right=EDIT, organization_id=actor.organization_id),
        our_request=ours[0],
        our_grant=ours[1],
        grant_words=words_grants,
        pending=_pending(found) if found.pending_digest else None,
        history=catalogue.list_history(actor=actor, code=code),
        quality=next(iter(quality.list_quality(code=code, until=timezone.localdate())), None),
        versions=packs.list_releases(kind="resource", code=code, limit=30) if found.is_owner else [],
        today=timezone.localdate(),
    )


def _found(actor: Actor, code: str) -> ResourceView:
    try:
        return catalogue.get_resource(actor=actor, code=code)
    except ResourceMissing as missing:
        raise Http404 from missing


def _pending(view: ResourceView) -> drafts.Draft:
    """Check the pending draft against everything that is published now."""
    content = packs.get_definition(digest=view.pending_digest).content
    return drafts.check_resource(code=view.line.code, content=content)[0]


@require_http_methods(["GET", "HEAD", "POST"])
@needs(EDIT, REVIEW)
def resource_act(request: HttpRequest, actor: Actor, code: str, verb: str) -> HttpResponse:
    """Do one thing to a resource, after saying what it does."""
    found = _found(actor, code)
    act = Act(verb) if verb in set(Act) else None
    deed = DEEDS.get(act) if act is not None else None
    if act is None or deed is None:
        raise Http404
    form = deed.form(request.POST if request.method == "POST" else None)
    refused = None
    if request.method == "POST" and form.is_valid():
        try:
            deed.run(code=code, actor=actor, now=timezone.now(), **form.cleaned_data)
        except Refusal as refusal:
            refused = words_of(refusal)
        else:
            messages.success(request, str(deed.done))
            return HttpResponseRedirect(reverse("workbench:resource", kwargs={"code": code}))
    response = page(
        request,
        actor,
        "catalogue/act",
        "resources",
        view=found,
        line=found.line,
        deed=deed,
        form=form,
        refused=refused,
        offered=act in found.may,
        pending=_pending(found) if found.pending_digest and act in {Act.APPROVE, Act.REJECT, Act.SUBMIT} else None,
        words=words,
    )
    if refused or form.errors:
        response.status_code = 422
    return response


@require_http_methods(["GET", "HEAD", "POST"])
@needs(EDIT)
def draft(request: HttpRequest, actor: Actor, code: str) -> HttpResponse:
    """Edit a resource as its file: check it, see whom it touches, and keep it as a draft for review."""
    found = _found(actor, code)
    if Act.DRAFT not in found.may:
        raise Http404
    digest = found.pending_digest or found.digest
    initial = {"content": packs.get_definition(digest=digest).content.decode()}
    form = DraftForm(request.POST if request.method == "POST" else None, initial=initial)
    checked: drafts.Draft | None = None
    findings: tuple[Finding, ...] = ()
    refused = None
    if request.method == "POST" and form.is_valid():
        content = form.cleaned_data["content"].replace("\r\n", "\n").encode()
        try:
            if "save" in request.POST:
                commands.save_draft(code=code, content=content, actor=actor, now=timezone.now())
                messages.success(request, _("The draft has been saved. Submit it when it is ready."))
                return HttpResponseRedirect(reverse("workbench:resource", kwargs={"code": code}))
            checked = drafts.check_resource(code=code, content=content)[0]
            findings = checked.findings
        except DraftRefused as refusal:
            findings, refused = refusal.findings, words_of(refusal)
        except Refusal as refusal:
            refused = words_of(refusal)
    response = page(
        request,
        actor,
        "catalogue/draft",
        "resources",
        view=found,
        line=found.line,
        form=form,
        checked=checked,
        findings=findings,
        refused=refused,
        words=words,
    )
    if refused or form.errors:
        response.status_code = 422
    return response
