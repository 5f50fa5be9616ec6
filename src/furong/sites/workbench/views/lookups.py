"""Look-ups beside the search: a household by number, an address, and whether somebody exists. Each for a stated purpose."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from furong.foundation.access.errors import AccessRefused
from furong.foundation.access.values import Actor
from furong.foundation.audit import secrecy
from furong.registries.population import queries as population
from furong.registries.population.errors import HouseholdNotFound, SearchTooBroad
from furong.registries.population.rights import VERIFY
from furong.sites.workbench import facts
from furong.sites.workbench.desk import page, words_of
from furong.sites.workbench.forms_lookups import AddressForm, ExistsForm, HouseholdForm
from furong.sites.workbench.forms_registers import LEGAL_BASES
from furong.sites.workbench.guards import needs
from furong.sites.workbench.places import counties_of
from furong.sites.workbench.views.registers import answer, open_person, purpose_of, ways

_RECOGNISED_BY = ("name_masked", "number_masked", "sex", "born_on", "status")


@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
@needs("population.search")
def household(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Show a household with its members, by its number."""
    now = timezone.now()
    form = HouseholdForm(request.POST or None, orders=secrecy.orders_open_to(actor=actor, now=now))
    context: dict[str, Any] = {"form": form, "legal_bases": LEGAL_BASES, "found": None, "missing": False}
    if request.method == "POST":
        basis = purpose_of(form, actor, now, what="population.list_household", database="population")
        if basis is not None and form.is_valid():
            context["basis"] = basis
            try:
                found = population.list_household(
                    number=form.cleaned_data["household_number"],
                    fields=_RECOGNISED_BY,
                    actor=actor,
                    basis=basis,
                    now=now,
                )
            except (HouseholdNotFound, AccessRefused):
                # Whether a household is elsewhere or nowhere is nobody's business who may not read it.
                context["missing"] = True
            else:
                context["found"] = found
                context["place"] = facts.Places().name(found.division_code)
                context["members"] = [
                    {
                        "relation": facts.word("household_relation", one.relation),
                        "title": one.person.text("name_masked"),
                        "number": one.person.text("number_masked"),
                        "sex": facts.word("sex", one.person["sex"]),
                        "born_on": one.person["born_on"],
                        "since": one.since_on,
                        "token": open_person(one.person.person_id, one.person.text("name_masked"), basis, actor, now),
                    }
                    for one in found.members
                ]
    return answer(
        page(request, actor, "registers/household", "population", ways=ways(actor, "household"), **context), form
    )


@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
@needs("population.search")
def address(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Show who is registered at an address, household by household."""
    now = timezone.now()
    places = counties_of(actor)
    form = AddressForm(request.POST or None, places=places, orders=secrecy.orders_open_to(actor=actor, now=now))
    context: dict[str, Any] = {"form": form, "legal_bases": LEGAL_BASES, "households": None}
    if request.method == "POST":
        basis = purpose_of(form, actor, now, what="population.list_at_address", database="population")
        if basis is not None and form.is_valid():
            try:
                found = population.list_at_address(
                    division_prefix=form.cleaned_data["division"],
                    address=form.cleaned_data["address"],
                    after=form.cleaned_data["after"],
                    actor=actor,
                    basis=basis,
                    now=now,
                )
            except SearchTooBroad as refusal:
                form.add_error("address", words_of(refusal)[0])
            else:
                named = facts.Places()
                context |= {
                    "basis": basis,
                    "next_after": found.next_after,
                    "households": [
                        {
                            "household": one,
                            "place": named.name(one.division_code),
                            "more": one.member_count - len(one.members),
                            "members": [
                                (
                                    hit,
                                    facts.word("sex", hit.sex),
                                    open_person(hit.person_id, hit.name_masked, basis, actor, now),
                                )
                                for hit in one.members
                            ],
                        }
                        for one in found.households
                    ],
                }
    return answer(page(request, actor, "registers/address", "population", ways=ways(actor, "address"), **context), form)


@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
@needs("population.search", VERIFY)
def exists(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Say yes or no, and nothing else: somebody living carries this number, under this name."""
    now = timezone.now()
    form = ExistsForm(request.POST or None, orders=secrecy.orders_open_to(actor=actor, now=now))
    context: dict[str, Any] = {"form": form, "legal_bases": LEGAL_BASES, "verdict": None}
    if request.method == "POST":
        basis = purpose_of(form, actor, now, what="population.person_exists", database="population")
        if basis is not None and form.is_valid():
            name = form.cleaned_data["name"]
            context["basis"] = basis
            context["with_name"] = bool(name)
            context["verdict"] = population.person_exists(
                number=form.cleaned_data["number"], name=name or None, actor=actor, basis=basis, now=now
            )
    return answer(
        page(request, actor, "registers/exists", "population_exists", ways=ways(actor, "exists"), **context), form
    )
