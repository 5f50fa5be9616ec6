"""Registers: people and licences, looked up for a stated purpose. No name and no number stands in an address."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import NON_FIELD_ERRORS
from django.forms import Form
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from furong.domains.cases import queries as cases
from furong.foundation.access import queries as access
from furong.foundation.access.errors import AccessRefused, PurposeMissing
from furong.foundation.access.values import Actor, Basis
from furong.foundation.audit import secrecy
from furong.foundation.audit.commands import record_refusal
from furong.foundation.codes.errors import Refusal
from furong.foundation.codes.masking import mask_number
from furong.foundation.organizations import queries as organizations
from furong.foundation.web.texts import day, moment, text
from furong.foundation.web.uploads import oversized_fields
from furong.registries.licences import commands as licence_commands
from furong.registries.licences import queries as licences
from furong.registries.licences.errors import FileNotReadable
from furong.registries.licences.values import FieldKind, FieldSpec, LicenceRecord, LicenceState, Verdict
from furong.registries.population import queries as population
from furong.registries.population.errors import SearchTooBroad
from furong.registries.population.rights import VERIFY
from furong.registries.population.values import PersonRecord
from furong.sites.workbench import facts
from furong.sites.workbench.desk import page, words_of
from furong.sites.workbench.enquiries import Enquiry, seal, unseal
from furong.sites.workbench.forms_registers import (
    LEGAL_BASES,
    NARROWING,
    AsOfForm,
    LicenceFileForm,
    LicenceSearchForm,
    PopulationForm,
    PurposeForm,
    RevokeForm,
)
from furong.sites.workbench.guards import needs
from furong.sites.workbench.places import area_of

PERSON, LICENCE = "person", "licence"
PARTS = ("facts", "household", "relations", "residence", "history")
LICENCE_RIGHTS = ("licences.read", "licences.issue", "licences.revoke")
CASE_RIGHTS = ("cases.handle", "cases.decide", "cases.supervise")
_RECOGNISED_BY = ("name_masked", "sex", "born_on")


# --- people -------------------------------------------------------------------------------------------------------------


@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
@needs("population.search")
def population_search(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Find people for a stated purpose. The results are the answer to the form; nothing of them stands in the address."""
    now = timezone.now()
    form = PopulationForm(
        request.POST or None, places=area_of(actor), orders=secrecy.orders_open_to(actor=actor, now=now)
    )
    context: dict[str, Any] = {
        "form": form,
        "legal_bases": LEGAL_BASES,
        "hits": None,
        "ways": ways(actor, "person"),
        "narrowed": any(request.POST.get(name) for name in NARROWING),
    }
    if request.method == "POST":
        basis = purpose_of(form, actor, now, what="population.search_people", database="population")
        if basis is not None and form.is_valid():
            try:
                found = population.search_people(**form.criteria(), actor=actor, basis=basis, now=now)
            except SearchTooBroad as refusal:
                form.add_error("name", words_of(refusal)[0])
            else:
                places = facts.Places()
                context["basis"] = basis
                context["next_after"] = found.next_after
                context["continued"] = bool(form.cleaned_data["after"])
                context["hits"] = [
                    {
                        "hit": hit,
                        "sex": facts.word("sex", hit.sex),
                        "place": places.name(hit.division_code),
                        "status": facts.status_words(hit.status),
                        "token": open_person(hit.person_id, hit.name_masked, basis, actor, now),
                    }
                    for hit in found.hits
                ]
    return answer(page(request, actor, "registers/population", "population", **context), form)


def ways(actor: Actor, current: str) -> list[tuple[str, str, bool]]:
    """Give the ways of looking somebody up that are open to the actor, as tabs."""
    shown = (
        ("person", _("A person"), "population", ("population.search",)),
        ("household", _("A household"), "population_household", ("population.search",)),
        ("address", _("An address"), "population_address", ("population.search",)),
        ("exists", _("Whether somebody exists"), "population_exists", ("population.search", VERIFY)),
    )
    return [
        (label, reverse(f"workbench:{route}"), code == current)
        for code, label, route, rights in shown
        if any(access.allows(actor=actor, right=right) for right in rights)
    ]


def open_person(person_id: UUID, title: str, basis: Basis, actor: Actor, now: dt.datetime) -> str:
    """Give the sealed address of a person found for this purpose."""
    return seal(Enquiry(kind=PERSON, object_id=person_id, title=title, basis=basis), actor=actor, now=now)


@require_safe
@needs("population.search", "population.read")
def person(request: HttpRequest, actor: Actor, token: str) -> HttpResponse:
    """Show of a person what is asked for, part by part; each opened part is recorded with its fields."""
    now = timezone.now()
    enquiry = unseal(token, kind=PERSON, actor=actor, now=now)
    part = request.GET.get("part", "")
    part = part if part in PARTS else PARTS[0]
    names = {
        "facts": _("Facts"),
        "household": _("Household"),
        "relations": _("Family"),
        "residence": _("Residence"),
        "history": _("History"),
    }
    address = reverse("workbench:person", kwargs={"token": token})
    context: dict[str, Any] = {
        "enquiry": enquiry,
        "basis": enquiry.basis,
        "token": token,
        "part": part,
        "parts": [(names[one], address if one == PARTS[0] else f"{address}?part={one}", one == part) for one in PARTS],
    }
    reading = {"actor": actor, "basis": enquiry.basis, "now": now}
    gather = {
        "facts": _facts,
        "household": _household,
        "relations": _relations,
        "residence": _residence,
        "history": _history,
    }[part]
    context.update(gather(request, enquiry, reading))
    return page(request, actor, "registers/person", "population", **context)


def _facts(request: HttpRequest, enquiry: Enquiry, reading: dict[str, Any]) -> dict[str, Any]:
    asked = [name for name in facts.CHOOSABLE if name in request.GET.getlist("field")] or list(facts.FIRST_SHOWN)
    if "number" in asked and "number_masked" in asked:
        asked.remove("number_masked")
    record = population.get_person(person_id=enquiry.object_id, fields=asked, **reading)
    return {
        "rows": facts.rows(record.values, asked, facts.Places()),
        "choices": [(name, facts.field_label(name), name in asked) for name in facts.CHOOSABLE],
    }


def _household(request: HttpRequest, enquiry: Enquiry, reading: dict[str, Any]) -> dict[str, Any]:
    own = population.get_person(person_id=enquiry.object_id, fields=["household_id"], **reading)
    household_id = own["household_id"]
    if not isinstance(household_id, UUID):
        return {"household": None, "elsewhere": False}
    try:
        found = population.list_household(household_id=household_id, fields=_RECOGNISED_BY, **reading)
    except AccessRefused:
        return {"household": None, "elsewhere": True}
    places = facts.Places()
    return {
        "household": found,
        "elsewhere": False,
        "place": places.name(found.division_code),
        "members": [
            {
                **_relative(facts.word("household_relation", one.relation), one.person, enquiry, reading),
                "since": one.since_on,
                "is_self": one.person.person_id == enquiry.object_id,
            }
            for one in found.members
        ],
    }


def _relations(request: HttpRequest, enquiry: Enquiry, reading: dict[str, Any]) -> dict[str, Any]:
    own = population.get_person(person_id=enquiry.object_id, fields=["mother_id", "father_id", "spouse_id"], **reading)
    found: list[dict[str, Any]] = []
    for name in ("mother_id", "father_id", "spouse_id"):
        other = own[name]
        if isinstance(other, UUID):
            label = facts.field_label(name)
            try:
                record = population.get_person(person_id=other, fields=_RECOGNISED_BY, **reading)
            except AccessRefused:
                found.append({"relation": label, "elsewhere": True})
            else:
                found.append(_relative(label, record, enquiry, reading))
    elsewhere = False
    try:
        children = population.list_children(person_id=enquiry.object_id, fields=_RECOGNISED_BY, **reading)
    except AccessRefused:
        children, elsewhere = (), True
    found += [_relative(_("Child"), one, enquiry, reading) for one in children]
    return {"relatives": found, "children_elsewhere": elsewhere}


def _relative(relation: str, record: PersonRecord, enquiry: Enquiry, reading: dict[str, Any]) -> dict[str, Any]:
    title = record.text("name_masked")
    return {
        "relation": relation,
        "elsewhere": False,
        "title": title,
        "sex": facts.word("sex", record["sex"]),
        "born_on": record["born_on"],
        "token": seal(enquiry.about(record.person_id, title), actor=reading["actor"], now=reading["now"]),
    }


def _residence(request: HttpRequest, enquiry: Enquiry, reading: dict[str, Any]) -> dict[str, Any]:
    places = facts.Places()
    found = population.list_residences(person_id=enquiry.object_id, **reading)
    return {
        "residences": [
            (
                facts.residence_words(one.kind),
                places.name(one.division_code),
                one.address,
                one.valid_from,
                one.valid_until,
            )
            for one in found
        ]
    }


def _history(request: HttpRequest, enquiry: Enquiry, reading: dict[str, Any]) -> dict[str, Any]:
    now: dt.datetime = reading["now"]
    places, today = facts.Places(), timezone.localdate(now)
    asked = any(name.startswith(("valid_on", "known_on")) for name in request.GET)
    form = AsOfForm(request.GET if asked else None, today=today, initial={"valid_on": today, "known_on": today})
    answer: dict[str, Any] | None = None
    if asked and form.is_valid():
        known_on: dt.date = form.cleaned_data["known_on"]
        zone = timezone.get_default_timezone()
        end_of_day = dt.datetime.combine(known_on + dt.timedelta(days=1), dt.time.min, tzinfo=zone)
        found = population.get_person_as_of(
            person_id=enquiry.object_id,
            valid_on=form.cleaned_data["valid_on"],
            known_at=min(end_of_day - dt.timedelta(microseconds=1), now),
            **reading,
        )
        answer = {"rows": facts.changes({}, found.facts, places) if found else []}
    versions = population.list_history(person_id=enquiry.object_id, **reading)
    believed: dict[str, Any] = {}
    shown = []
    for version in versions:
        shown.append(
            {
                "kind": facts.change_words(version.kind),
                "version": version,
                "rows": facts.changes(believed, version.facts, places),
                "by": _organization(version.organization_id),
            }
        )
        believed = dict(version.facts)
    return {"as_of": form, "answer": answer, "versions": list(reversed(shown))}


def _organization(organization_id: UUID | None) -> str:
    found = organizations.find_organization(organization_id=organization_id) if organization_id else None
    return text(found.name) if found else ""


# --- licences -----------------------------------------------------------------------------------------------------------


@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
@needs(*LICENCE_RIGHTS)
def licence_search(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Look a licence up by its number or its case, or check a file."""
    now = timezone.now()
    form = LicenceSearchForm(request.POST or None)
    context: dict[str, Any] = {
        "form": form,
        "file_form": LicenceFileForm(),
        "legal_bases": LEGAL_BASES,
        "lines": None,
        "verdict": None,
    }
    if request.method == "POST":
        basis = purpose_of(form, actor, now, what="licences.find_licences", database="default")
        if basis is not None and form.is_valid():
            found = licences.find_licences(
                number=form.cleaned_data["number"], case_id=basis.case_id, actor=actor, basis=basis, now=now
            )
            context["basis"] = basis
            context["lines"] = [
                {
                    "line": line,
                    "state": licence_words(line.state),
                    "token": seal(
                        Enquiry(kind=LICENCE, object_id=line.id, title=text(line.type_name), basis=basis),
                        actor=actor,
                        now=now,
                    ),
                }
                for line in found
            ]
    return answer(page(request, actor, "registers/licences", "licences", **context), form)


@require_POST
@needs(*LICENCE_RIGHTS)
def licence_check(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Check a file: the verdict is the one that everybody gets on the public page."""
    form = LicenceFileForm(request.POST, request.FILES)
    verdict: Verdict | None = None
    if form.is_valid():
        if "file" in oversized_fields(request):
            form.add_error("file", _("Choose a PDF of at most 10 MB."))
        else:
            try:
                data = form.cleaned_data["file"].read()
                verdict = licences.verify_pdf(data=data, actor=actor, now=timezone.now())
            except FileNotReadable as refusal:
                form.add_error("file", " ".join(words_of(refusal)))
    context = {
        "form": LicenceSearchForm(),
        "file_form": form,
        "legal_bases": LEGAL_BASES,
        "lines": None,
        "verdict": verdict,
        "verdict_words": finding_words(verdict) if verdict else None,
    }
    return answer(page(request, actor, "registers/licences", "licences", **context), form)


@require_http_methods(["GET", "HEAD", "POST"])
@needs(*LICENCE_RIGHTS)
def licence(request: HttpRequest, actor: Actor, token: str) -> HttpResponse:
    """Show one licence with its facts and how it stands; revoke it with a reason."""
    now = timezone.now()
    enquiry = unseal(token, kind=LICENCE, actor=actor, now=now)
    form = RevokeForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            licence_commands.revoke(
                licence_id=enquiry.object_id,
                reason=form.cleaned_data["reason"],
                actor=actor,
                basis=enquiry.basis,
                now=now,
            )
        except AccessRefused:
            raise
        except Refusal as refusal:
            form.add_error(None, words_of(refusal)[0])
        else:
            messages.success(request, _("The licence is revoked. Every check says so from now on."))
            return HttpResponseRedirect(request.path)
    record = licences.get_licence(licence_id=enquiry.object_id, actor=actor, basis=enquiry.basis, now=now)
    may_revoke = record.state is not LicenceState.REVOKED and _may_revoke(actor, record)
    in_full = request.GET.get("numbers") == "full"
    return answer(
        page(
            request,
            actor,
            "registers/licence",
            "licences",
            enquiry=enquiry,
            basis=enquiry.basis,
            token=token,
            record=record,
            state=licence_words(record.state),
            rows=_licence_rows(record, in_full=in_full),
            in_full=in_full,
            form=form if may_revoke else None,
            verify_url=licences.verify_url(record.token),
        ),
        form,
    )


@require_safe
@needs(*LICENCE_RIGHTS)
def licence_file(request: HttpRequest, actor: Actor, token: str) -> HttpResponse:
    """Give a licence's sealed file."""
    now = timezone.now()
    enquiry = unseal(token, kind=LICENCE, actor=actor, now=now)
    content = licences.get_pdf(licence_id=enquiry.object_id, actor=actor, basis=enquiry.basis, now=now)
    response = HttpResponse(content, content_type="application/pdf")
    response["Content-Disposition"] = 'inline; filename="licence.pdf"'
    response["Cache-Control"] = "no-store"
    return response


def _may_revoke(actor: Actor, record: LicenceRecord) -> bool:
    issuer = record.issuer_organization_id
    organization = organizations.find_organization(organization_id=issuer) if issuer else None
    return access.allows(
        actor=actor,
        right="licences.revoke",
        organization_id=issuer,
        division_code=organization.division_code if organization else None,
    )


def _licence_rows(record: LicenceRecord, *, in_full: bool) -> list[facts.Row]:
    spec = licences.get_type(record.type_code, on=timezone.localdate(record.issued_at))[1]
    return [
        facts.Row(term=text(one.name), value=_licence_value(one, record.data[one.code], in_full))
        for one in spec.fields
        if one.code in record.data
    ]


def _licence_value(spec: FieldSpec, value: Any, in_full: bool) -> str:
    if spec.kind is FieldKind.CODE:
        return facts.word(spec.table, value)
    if spec.kind is FieldKind.DATE:
        return day(dt.date.fromisoformat(str(value)))
    if spec.kind is FieldKind.DATETIME:
        return moment(dt.datetime.fromisoformat(str(value)))
    if spec.kind is FieldKind.LIST:
        return "；".join("，".join(str(part) for part in row.values()) for row in value)
    # An identity number among a licence's facts is masked until it is asked for.
    if not in_full and (spec.element.endswith(".number") or spec.code.endswith("number")):
        return mask_number(str(value))
    return str(value)


def licence_words(state: LicenceState) -> tuple[str, str]:
    """Give a licence's state as words and a tone."""
    return {
        LicenceState.VALID: (_("Valid"), "ok"),
        LicenceState.EXPIRED: (_("Expired"), "wait"),
        LicenceState.REVOKED: (_("Revoked"), "over"),
    }[state]


def finding_words(verdict: Verdict) -> tuple[str, str]:
    """Give a check's finding in the words of the public page, and a tone."""
    return {
        "valid": (_("Genuine and valid"), "ok"),
        "expired": (_("Genuine, but expired"), "late"),
        "revoked": (_("Revoked: do not rely on it"), "over"),
        "altered": (_("Altered: this is not the file that was issued"), "over"),
        "unknown": (_("Not known here: do not rely on it"), "over"),
    }[verdict.finding.value]


# --- both ---------------------------------------------------------------------------------------------------------------


def purpose_of(form: PurposeForm, actor: Actor, now: dt.datetime, *, what: str, database: str) -> Basis | None:
    """Read why somebody looks. A search without a purpose is refused, and that it was tried is recorded."""
    form.is_valid()
    given = form.cleaned_data if form.is_bound else {}  # nothing at all was sent: nothing was stated either
    if "purpose" not in given:
        record_refusal(actor=actor, what=what, refusal=PurposeMissing(), now=now, database=database)
        return None
    if {"purpose_note", "legal_basis", "secrecy", NON_FIELD_ERRORS} & set(form.errors):
        return None
    case_id = None
    if number := given.get("case_number", ""):
        case_id = _case_id(number, actor, now)
        if case_id is None:
            form.add_error("case_number", _("There is no case of your organisation with this number."))
            return None
    return Basis(
        purpose=form.purpose_words(),
        legal_basis=given["legal_basis"],
        case_id=case_id,
        secrecy_order_id=form.secrecy_order_id(),
    )


def _case_id(number: str, actor: Actor, now: dt.datetime) -> UUID | None:
    """Find a case that the actor works on or watches by its whole number."""
    wanted = number.strip().upper()
    for right in CASE_RIGHTS:
        if right in actor.rights:
            found = cases.search_cases(
                scope=access.scope(actor=actor, right=right), actor=actor, now=now, text=wanted, limit=20
            )
            for line in found.lines:
                if line.number.upper() == wanted:
                    return line.case_id
    return None


def answer(response: HttpResponse, *forms_shown: Form) -> HttpResponse:
    """Answer 422 when what was sent has mistakes: the page says them, and programs and tests see them."""
    if _has_mistakes(forms_shown):
        response.status_code = 422
    return response


def _has_mistakes(forms_shown: Sequence[Form]) -> bool:
    return any(one.is_bound and one.errors for one in forms_shown)
