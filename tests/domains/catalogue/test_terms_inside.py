"""Terms hold inside the platform: every reading of a register by another organisation passes the decision and names its grant."""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest
from django.conf import settings
from django.db import connections

from furong.domains.catalogue.grants import granting, reading
from furong.foundation.access import sharing, using
from furong.foundation.access.errors import CaseNeeded, GrantMissing, ItemNotGranted, SharingRefused
from furong.foundation.access.values import Actor, ActorKind, Basis, PostRight
from furong.foundation.audit.commands import READS
from furong.foundation.codes.credit_codes import make_credit_code
from furong.foundation.codes.ids import new_id
from furong.foundation.organizations import queries as organizations
from furong.registries.identity_cards import queries as _cards  # noqa: F401 - so that its readings are counted
from furong.registries.legal_entities import commands as name_keeping
from furong.registries.legal_entities import queries as entities
from furong.registries.legal_entities.values import EntityKind
from furong.registries.licences import queries as licences
from furong.registries.population import demo
from furong.registries.population import queries as population
from furong.registries.population.moves import commands as moves
from furong.registries.population.moves import queries as mover_queries
from furong.registries.population.moves.values import MoveState
from tests.domains.catalogue.test_queries import staff
from tests.sites.workbench.staff import registration_card

pytestmark = pytest.mark.usefixtures("platform")

RIGHTS = ("population.read", "population.search", "population.register", "licences.read", "legal_entities.read")
CASE = Basis(purpose="核对身份", legal_basis="社会保险法 第七十四条", case_id=new_id())
PERSON = demo.person_id("mother")


@pytest.fixture(autouse=True)
def _afresh(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(settings, "ACCESS_LEASE_SECONDS", 0.05, raising=False)
    sharing.BOOK.forget()
    using.forget()
    yield
    sharing.BOOK.forget()


def clerk(department: str, division: str = "430202") -> Actor:
    """Somebody with every right over registers, so that only the terms stand between them and the data."""
    body = organizations.get_responsible(department=department, division_code=division)
    rights = [PostRight(right=right, everywhere=True) for right in RIGHTS]
    return replace(staff(*rights), organization_id=body.id, organization_label=body.name.zh)


def now() -> datetime:
    return datetime.now(UTC)


# Every reading of a register that gives something of a person, with what it is asked for.
def readings(licence_id: Any) -> dict[str, Callable[[Actor, Basis], Any]]:
    def of(function: Callable[..., Any], **given: Any) -> Callable[[Actor, Basis], Any]:
        return lambda actor, basis: function(**given, actor=actor, basis=basis, now=now())

    as_system = {"actor": Actor.system("test"), "basis": CASE, "now": now()}
    known = population.get_person(person_id=PERSON, fields=["household_id", "number", "born_on", "name"], **as_system)
    household, number, born = known["household_id"], known.text("number"), known["born_on"]
    record = licences.get_licence(licence_id=licence_id, **as_system)
    name_keeping.reserve_name(
        kind=EntityKind.LIMITED_COMPANY, trade_name="云上梯田", industry="A01", division_code="430202",
        person_id=PERSON, accept_similar=True, **as_system,
    )  # fmt: skip
    move = moves.request_move(
        person_id=PERSON,
        division_code="430102001001",
        address="桃花岭 3 号",
        reason="home",
        applicant_person_id=PERSON,
        **as_system,
    ).move_id
    return {
        "population.get_by_number": of(population.get_by_number, number=number, fields=["name"]),
        "population.person_exists": of(population.person_exists, number=number),
        "population.list_at_address": of(population.list_at_address, division_prefix="430202", address="青石"),
        "population.find_mover": of(mover_queries.find_mover, number=number, name=known.text("name")),
        "population.list_moves": of(mover_queries.list_moves, states=list(MoveState)),
        "population.get_move": of(mover_queries.get_move, move_id=move),
        "population.get_person": of(population.get_person, person_id=PERSON, fields=["name"]),
        "population.list_persons": of(population.list_persons, person_ids=[PERSON], fields=["address"]),
        "population.find_by_number": of(population.find_by_number, number=number),
        "population.search_people": of(population.search_people, born_on=born),
        "population.list_household": of(population.list_household, household_id=household, fields=["name"]),
        "population.list_children": of(population.list_children, person_id=demo.person_id("elder"), fields=["name"]),
        "population.list_residences": of(population.list_residences, person_id=PERSON),
        "population.list_history": of(population.list_history, person_id=PERSON),
        "population.get_person_as_of": of(
            population.get_person_as_of, person_id=PERSON, valid_on=date(2026, 1, 1), known_at=now()
        ),
        "licences.get_licence": of(licences.get_licence, licence_id=licence_id),
        "licences.get_pdf": of(licences.get_pdf, licence_id=licence_id),
        "licences.list_of_person": of(licences.list_of_person, person_id=PERSON),
        "licences.find_of_person": of(licences.find_of_person, person_id=PERSON, type_codes=[record.type_code]),
        "licences.find_licences": of(licences.find_licences, number=record.number),
        "legal_entities.search_entities": of(entities.search_entities, text="荷塘月色"),
        "legal_entities.get_entity": of(entities.get_entity, code=make_credit_code("9", "1", "430290", 1)),
        "legal_entities.list_of_person": of(entities.list_of_person, person_id=demo.person_id("elders_daughter")),
        "legal_entities.list_reservations": of(entities.list_reservations, person_id=PERSON),
    }


# What gives nothing of another organisation's, and why.
ELSEWHERE = {
    "licences.verify": "anybody checks a certificate that they hold",
    "licences.verify_pdf": "anybody checks a certificate that they hold",
    "legal_entities.get_public": "what the law publishes to everybody (企业信息公示暂行条例, art. 6)",
    "population.get_birth_registration": "asked by the effect that its own organisation caused; covered in the register's tests",
}


def test_every_reading_of_a_register_is_walked_here() -> None:
    owned = {name for name in READS if name.partition(".")[0] in {"population", "licences", "legal_entities"}}
    assert owned == set(readings(registration_card().id)) | set(ELSEWHERE)


# The readings that are not of a register, with where another organisation's data in them is shown to pass the decision.
NOT_OF_A_REGISTER = {
    "cases.case_view": "what registers filled in: tests/domains/cases/test_granted.py",
    "cases.export_cases": "what registers filled in: tests/domains/cases/test_granted.py",
    "cases.open_file": "a file that the applicant handed in to this case",
    "cases.search_cases": "numbers, items and states of one's own organisation's cases",
    **dict.fromkeys(
        ("portraits.open_portrait", "portraits.get_pictures", "portraits.find_portrait"),
        "published by no resource, so by no grant: tests/registries/portraits/test_terms.py",
    ),
    **dict.fromkeys(
        (
            "identity_cards.list_of_person",
            "identity_cards.list_on_the_way",
            "identity_cards.open_order",
            "identity_cards.list_mismatches",
        ),
        "published by no resource, so by no grant: tests/registries/portraits/test_terms.py",
    ),
    "exchange.read_rows": "a member's rows by the exchange, whose gateway decides by the same grants; its own tests",
}


def test_every_reading_of_the_platform_is_bound_by_terms_or_gives_nothing_of_another_organisations() -> None:
    registers = {name for name in READS if name.partition(".")[0] in {"population", "licences", "legal_entities"}}
    others = {name for name in READS if not name.startswith("test.")} - registers
    assert others == set(NOT_OF_A_REGISTER), "say how a new reading passes the decision"


def test_no_reading_of_a_register_gives_another_organisation_anything_without_a_grant() -> None:
    walked = readings(registration_card().id)
    stranger = clerk("health")  # holds every right, and no grant
    for name, read in walked.items():
        with pytest.raises(SharingRefused) as refused:
            read(stranger, CASE)
        assert isinstance(refused.value, GrantMissing), name
        database = "population" if name.startswith("population") else "default"
        with connections[database].cursor() as cursor:
            cursor.execute("SELECT name, code FROM audit_entry WHERE outcome = 'refused' ORDER BY seq DESC LIMIT 1")
            asked, code = cursor.fetchone()
        assert code == "access.grant_missing", name
        assert asked in walked
    police, registrar = clerk("police", "430202001"), clerk("market_regulation")
    for name, read in walked.items():
        assert read(registrar if name.startswith("legal_entities") else police, CASE) is not None, name


def test_a_reading_by_grant_names_the_grant_and_the_purpose_in_the_audit() -> None:
    asks = clerk("human_resources")  # of a county; the grant is the province's, for those below too
    found = population.get_person(person_id=PERSON, fields=["name", "number_masked"], actor=asks, basis=CASE, now=now())
    assert found.text("name")
    with connections["population"].cursor() as cursor:
        cursor.execute(
            """SELECT d.content FROM audit_entry e JOIN audit_detail d ON d.entry_id = e.id
                WHERE e.name = 'population.get_person' AND e.organization_id = %s ORDER BY e.seq DESC LIMIT 1""",
            [asks.organization_id],
        )
        content = json.loads(cursor.fetchone()[0])
    (terms,) = content["detail"]["terms"]
    assert content["purpose"] == "核对身份"
    assert terms["resource"] == "population_persons"
    province = organizations.get_responsible(department="human_resources", division_code="430000")
    officer = replace(
        staff(PostRight(right="catalogue.edit", organization_id=province.id)), organization_id=province.id
    )
    grants = reading.list_grants(actor=officer, resource_code="population_persons")
    assert terms["grant"] == str(grants[0].id)
    assert reading.get_grant(grant_id=grants[0].id, actor=officer, now=now()).last_used_at is not None


@pytest.mark.parametrize(
    ("fields", "basis", "refusal"),
    [
        (["ethnicity"], CASE, ItemNotGranted),  # published, and not granted to it
        (["mother_id"], CASE, ItemNotGranted),  # published to nobody
        (["household_number"], CASE, GrantMissing),  # another resource
        (["name"], Basis(purpose="看看"), CaseNeeded),
    ],
)
def test_a_grant_gives_no_more_than_it_names(fields: list[str], basis: Basis, refusal: type[SharingRefused]) -> None:
    with pytest.raises(refusal):
        population.get_person(person_id=PERSON, fields=fields, actor=clerk("human_resources"), basis=basis, now=now())


def test_what_is_granted_for_one_person_at_a_time_is_no_search_and_no_list() -> None:
    asks = clerk("human_resources")
    with pytest.raises(SharingRefused):
        population.search_people(name="罗", actor=asks, basis=CASE, now=now())
    people = [PERSON, demo.person_id("father")]
    with pytest.raises(CaseNeeded):
        population.list_persons(person_ids=people, fields=["name"], actor=asks, basis=CASE, now=now())


def test_the_system_in_the_name_of_an_organisation_is_bound_like_its_staff() -> None:
    health = organizations.get_responsible(department="health", division_code="430202")
    actor = Actor(kind=ActorKind.SYSTEM, label="processes.step", organization_id=health.id)
    with pytest.raises(GrantMissing):
        population.get_person(person_id=PERSON, fields=["name"], actor=actor, basis=CASE, now=now())
    assert population.get_person(person_id=PERSON, fields=["name"], actor=Actor.system("x"), basis=CASE, now=now())


def test_a_revoked_grant_serves_not_one_reading_more() -> None:
    asks = clerk("human_resources")
    read = readings(registration_card().id)["population.get_person"]
    assert read(asks, CASE)
    system = Actor.system("test")
    grants = reading.list_grants(actor=system, resource_code="population_persons")
    (grant,) = [one for one in grants if "社会保障卡" in one.scenario]
    granting.revoke_grant(grant_id=grant.id, reason="不再需要", actor=system, now=now())
    with pytest.raises(GrantMissing):
        read(asks, CASE)


def test_every_reading_takes_who_asks_and_why() -> None:
    for name, function in READS.items():
        if name.partition(".")[0] in {"population", "licences", "legal_entities"} and name not in ELSEWHERE:
            assert {"actor", "basis", "now"} <= set(inspect.signature(function).parameters), name
