"""Bringing databases up to date and filling them: migrations, packs, invented residents."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

import yaml
from django.utils import timezone

from furong.entrypoints import dividing


class Progress(Protocol):
    """Is told what is being done and, with a share from 0 to 1, how far."""

    def __call__(self, text: str, done: float | None = None, /) -> None: ...


def migrate(*, verbosity: int = 0, aliases: Iterable[str] | None = None) -> None:
    """Bring the tables of every database, or of ``aliases``, up to date. A second each the first time."""
    from django.core.management import call_command
    from django.db import connections
    from django.db.migrations.loader import MigrationLoader

    wanted = set(MigrationLoader(None, ignore_no_migrations=True).disk_migrations)
    # The province before its centres: it must know what they send.
    for alias in aliases or connections:
        with connections[alias].cursor() as cursor:
            cursor.execute("SET search_path = public")
        if not wanted <= _applied(alias):
            call_command("migrate", database=alias, verbosity=verbosity, interactive=False)
        connections[alias].close()


def reshape() -> None:
    """Have the province's views and the centres' publications show what was migrated, where the register is divided."""
    from furong.registries.population import centres
    from furong.registries.population.centres import shaping

    if centres.is_divided():
        shaping.reshape(centres.codes())


def _applied(alias: str) -> set[tuple[str, str]]:
    from django.db import connections
    from django.db.migrations.recorder import MigrationRecorder

    return set(MigrationRecorder(connections[alias]).applied_migrations())


def digest_of(pack: Path) -> str:
    """Give the digest of all of a pack's files, names and contents."""
    seen = hashlib.sha256()
    for path in sorted(p for p in pack.rglob("*") if p.is_file()):
        seen.update(f"{path.relative_to(pack)}\0{hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode())
    return seen.hexdigest()


def demo_accounts(pack: Path) -> Iterator[dict[str, Any]]:
    """Give the demo accounts the pack names, as they stand in ``demo/accounts.yaml``."""
    found = yaml.safe_load((pack / "demo" / "accounts.yaml").read_text())
    yield from found["accounts"]


def demo_password(pack: Path) -> str:
    """Give the password that all demo accounts share."""
    return str(yaml.safe_load((pack / "demo" / "accounts.yaml").read_text())["password"])


def demo_roles(pack: Path) -> Iterator[tuple[str, str]]:
    """Give user name and role (zh and en) of each demo account."""
    for account in demo_accounts(pack):
        role = account["role"]
        yield str(account["username"]), f"{role['zh']} · {role.get('en', '')}".rstrip(" ·")


def load_pack(pack: Path, *, now: datetime | None = None, allow_older: bool = False) -> None:
    """Check a pack and release what differs. Raises `PackRefused` with every finding, `PackDrift`, `PackIsOlder`.

    ``allow_older`` lets definitions go back to what was published before.
    """
    from furong.foundation.access.values import Actor
    from furong.foundation.packs.commands import import_pack

    import_pack(path=pack, actor=Actor.system("furong load"), now=now or timezone.now(), allow_older=allow_older)


def load_everything(
    *, pack: Path, residents: int, seed: int = 7, now: datetime | None = None, progress: Progress | None = None
) -> None:
    """Load a pack and, for a demo, invented residents, the accounts the pack names, and the twins' records.

    Repeatable: what is there stays. Refused in production. 20,000 residents take about five seconds.
    """
    from django.conf import settings

    from furong.domains.cases import twins
    from furong.domains.catalogue.grants import demo as grants
    from furong.domains.catalogue.needs import demo as needs
    from furong.foundation.access.values import Actor
    from furong.foundation.identity.commands.demo import create_demo_accounts
    from furong.foundation.organizations import queries as organizations
    from furong.registries.legal_entities.commands.demo import load_enterprises
    from furong.registries.population import demo

    moment, actor = now or timezone.now(), Actor.system("furong load")
    tell: Progress = progress or (lambda _text, _share=None: None)
    tell("Pack · divisions, organisations, services", None)
    load_pack(pack, now=moment)
    demo.load_residents(
        pack=pack, count=residents, seed=seed, actor=actor, now=moment, progress=_named(tell, residents)
    )
    dividing.wait_until_abreast(sorted(settings.POPULATION_CENTRES))
    tell("Accounts and the twins' records", None)
    accounts = yaml.safe_load((pack / "demo" / "accounts.yaml").read_text())
    persons = {str(a["person"]): demo.person_id(str(a["person"])) for a in accounts["accounts"] if a.get("person")}
    create_demo_accounts(spec=accounts, persons=persons, actor=actor, now=moment)
    firms = pack / "demo" / "enterprises.yaml"
    if firms.exists():
        named = yaml.safe_load((pack / "demo" / "people.yaml").read_text())["households"]
        people = {
            str(one["key"]): (demo.person_id(str(one["key"])), str(one["name"]))
            for home in named
            for one in home["members"]
        }
        load_enterprises(spec=yaml.safe_load(firms.read_text()), people=people, actor=actor, now=moment)
    given = pack / "demo" / "grants.yaml"
    if given.exists():
        grants.load_grants(spec=yaml.safe_load(given.read_text()), actor=actor, now=moment)
    stated = pack / "demo" / "needs.yaml"
    if stated.exists():
        needs.load_needs(spec=yaml.safe_load(stated.read_text()), actor=actor, now=moment)
    today = timezone.localdate(moment)
    couples = demo.list_couples(today=today, limit=max(60, residents // 20))
    for couple in couples:
        twins.load_marriages(
            couples=[(couple.wife_id, couple.husband_id)],
            registered_on=couple.married_on,
            division_code=couple.division_code,
            seed=seed,
        )
    births = yaml.safe_load((pack / "demo" / "births.yaml").read_text())
    mothers = [demo.person_id(str(key)) for key in births["mothers"]]
    mothers += [couple.wife_id for couple in couples if couple.wife_id not in mothers][: residents // 40]
    hospital = organizations.get_responsible(department=births["department"], division_code=str(births["division"]))
    twins.load_births(
        mothers=mothers,
        hospital_name={"zh": hospital.name.zh, "en": hospital.name.en},
        hospital_code=hospital.code,
        division_code=hospital.division_code,
        born_before=moment,
        seed=seed,
    )
    twins.load_insured(people=mothers, seed=seed)
    tell("Loaded", 1.0)


def _named(tell: Progress, residents: int) -> Progress:
    return lambda _text, share=None: tell(f"{residents:,} invented residents", share)


def export_pack(*, code: str, folder: Path) -> int:
    """Write what is published back to a pack's files, so that folder and database agree."""
    from furong.foundation.access.values import Actor
    from furong.foundation.packs.commands import export_pack as write_back

    changed = write_back(path=folder, actor=Actor.system("furong pack export"), now=timezone.now())
    for path in changed:
        print(path)
    print(f"{code}: {len(changed)} files written")
    return 0


def close_connections() -> None:
    """Close this process's database connections, so that nothing holds the databases while children run."""
    from django.db import connections

    connections.close_all()
