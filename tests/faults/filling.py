"""Fills the databases of a house for fault tests: the pack, invented residents, and couples with newborns and accounts.

    python -m tests.faults.filling COUPLES RESIDENTS

A process of its own, because Django in the tests' process points at the run's shared cluster.
"""

from __future__ import annotations

import sys
from datetime import date
from typing import Any
from uuid import UUID

DIVISION = "430202001000"
SURNAMES = "赵钱孙李周吴郑王冯陈褚卫蒋沈韩杨朱秦尤许何吕施张孔曹严华金魏"
GIVEN = "安宁若溪知夏念荷芷沅子衿清和景明书禾"


def mother_of(number: int) -> str:
    """The user name of couple ``number``'s mother."""
    return f"mother-{number:03d}"


def father_of(number: int) -> str:
    """The user name of couple ``number``'s father."""
    return f"father-{number:03d}"


def child_of(number: int) -> str:
    """The name that couple ``number`` gives the child: no two alike."""
    return SURNAMES[number % len(SURNAMES)] + GIVEN[number // len(GIVEN) % len(GIVEN)] + GIVEN[number % len(GIVEN)]


def fill(couples: int, residents: int) -> None:
    """Migrate, load the pack, the residents, the couples, their marriages and births, and their accounts."""
    import django

    django.setup()
    import yaml
    from django.utils import timezone

    from furong.domains.cases import twins
    from furong.domains.search import serving
    from furong.domains.search.following import rebuild
    from furong.entrypoints import loading
    from furong.entrypoints.demo import PACK
    from furong.entrypoints.static import collected_static
    from furong.foundation.access.values import Actor, Basis
    from furong.foundation.codes.identity_numbers import make_identity_number
    from furong.foundation.identity.commands.demo import create_demo_accounts
    from furong.registries.population import commands as population

    now, actor, basis = timezone.now(), Actor.system("tests"), Basis(purpose="test", legal_basis="test")
    loading.migrate()
    loading.load_everything(pack=PACK, residents=residents)

    def person(name: str, sex: str, born_on: date, home: UUID, sequence: int) -> UUID:
        odd = sequence * 2 + (1 if sex == "1" else 2)
        return population.register_person(
            name=name,
            sex=sex,
            ethnicity="01",
            born_on=born_on,
            number=make_identity_number("430297", born_on, odd),
            household_id=home,
            allow_reserved=True,
            actor=actor,
            basis=basis,
            now=now,
        )

    persons: dict[str, UUID] = {}
    accounts: list[dict[str, Any]] = []
    pairs: list[tuple[UUID, UUID]] = []
    for number in range(couples):
        home = population.open_household(
            division_code=DIVISION, address=f"荷叶街 {number + 1} 号", actor=actor, basis=basis, now=now
        )
        surname = SURNAMES[number % len(SURNAMES)]
        father = person(f"{surname}亦衡", "1", date(1990 + number % 6, 3, 8), home, number)
        mother = person("李芷宁", "2", date(1992 + number % 6, 7, 20), home, number)
        population.record_marriage(
            person_id=mother,
            spouse_person_id=father,
            married_on=date(2023, 5, 20),
            evidence="test",
            actor=actor,
            basis=basis,
            now=now,
        )
        pairs.append((mother, father))
        for username, name, person_id in (
            (mother_of(number), "李芷宁", mother),
            (father_of(number), f"{surname}亦衡", father),
        ):
            persons[username] = person_id
            accounts.append({"username": username, "kind": "resident", "name": name, "person": username})
    twins.load_marriages(couples=pairs, registered_on=date(2023, 5, 20), division_code="430202", seed=7)
    mothers = [mother for mother, _ in pairs]
    twins.load_births(
        mothers=mothers,
        hospital_name={"zh": "市妇幼保健院", "en": "Maternity Hospital"},
        hospital_code="124302000000000000",
        division_code="430200",
        born_before=now,
        seed=7,
    )
    twins.load_insured(people=mothers, seed=7)
    password = yaml.safe_load((PACK / "demo" / "accounts.yaml").read_text())["password"]
    create_demo_accounts(spec={"password": password, "accounts": accounts}, persons=persons, actor=actor, now=now)
    collected_static()
    rebuild(place=serving.home(), now=timezone.now(), today=timezone.localdate())
    loading.close_connections()


if __name__ == "__main__":
    fill(int(sys.argv[1]), int(sys.argv[2]))
