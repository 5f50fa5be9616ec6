"""A register with the rules for names of the Hunan pack and five of its divisions, and invented founders."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from furong.foundation.access.values import Actor, ActorKind, Assurance, Basis
from furong.foundation.codes.ids import new_id
from furong.foundation.packs import commands as packs
from furong.foundation.packs import queries as packs_queries
from furong.registries.legal_entities import commands
from furong.registries.legal_entities.values import (
    KINDS,
    EntityKind,
    NewEntity,
    Officer,
    Registered,
    Reservation,
    RoleKind,
)

PACK = Path(__file__).resolve().parents[3] / "packs" / "hunan"
NOW = datetime(2026, 3, 10, 2, 0, tzinfo=UTC)
TODAY = date(2026, 3, 10)
SYSTEM = Actor.system("tests")
WHY = Basis(purpose="test", legal_basis="《中华人民共和国市场主体登记管理条例》")
COUNTY = "430202"
_KEPT = ("430000", "430200", "430202", "430203", "430204")


@pytest.fixture
def register(database: dict[str, str], tmp_path: Path) -> Iterator[Register]:
    """The rules and divisions published, and founders who act."""
    root = tmp_path / "entities"
    (root / "divisions" / "mca").mkdir(parents=True)
    (root / "pack.toml").write_text(
        'code = "entities"\nlanguages = ["zh", "en"]\ntime_zone = "Asia/Shanghai"\nin_force_from = 2010-01-01\n'
        '[name]\nzh = "法人"\nen = "Entities"\n'
    )
    shutil.copytree(PACK / "name_rules", root / "name_rules")
    lines = (PACK / "divisions" / "mca" / "divisions.csv").read_text().splitlines()
    (root / "divisions" / "mca" / "divisions.csv").write_text(
        "\n".join([lines[0], *(line for line in lines[1:] if line.split(",")[0] in _KEPT)]) + "\n"
    )
    packs_queries.forget_cache()
    packs.import_pack(path=root, actor=SYSTEM, now=NOW)
    yield Register()
    packs_queries.forget_cache()


@dataclass
class Register:
    """What a test does, with everything that it does not care about filled in."""

    now: datetime = NOW
    founder: UUID = field(default_factory=new_id)

    def keep(self, trade_name: str = "荷塘月色", *, person_id: UUID | None = None, **given: Any) -> Reservation:
        """Keep a name for a founder."""
        return commands.reserve_name(
            **{
                "kind": EntityKind.LIMITED_COMPANY,
                "trade_name": trade_name,
                "industry": "C14",
                "division_code": COUNTY,
                "person_id": person_id or self.founder,
                "actor": SYSTEM,
                "basis": WHY,
                "now": self.now,
                **given,
            }
        )

    def company(self, trade_name: str = "荷塘月色", *, person_id: UUID | None = None, **given: Any) -> Registered:
        """Register a company of one founder; ``given`` overrides what `commands.register` takes."""
        kept = given.pop("reservation_id", None) or self.keep(trade_name, person_id=person_id).id
        return self.enter(entity=given.pop("entity", self.plan(person_id=person_id)), reservation_id=kept, **given)

    def enter(self, **given: Any) -> Registered:
        """Register what is given."""
        return commands.register(
            **{
                "effect_id": None,
                "registrar_organization_id": None,
                "division_code": COUNTY,
                "invented": True,
                "actor": SYSTEM,
                "basis": WHY,
                "now": self.now,
                **given,
            }
        )

    def plan(
        self,
        kind: EntityKind = EntityKind.LIMITED_COMPANY,
        *,
        person_id: UUID | None = None,
        capital_fen: int | None = 10_000_000,
        **given: Any,
    ) -> NewEntity:
        """What is to be registered: a founder who heads and holds everything."""
        who = person_id or self.founder
        officers = [Officer(kind=RoleKind.HEAD, name="罗红霞", person_id=who)]
        if KINDS[kind].has_holders:
            officers.append(Officer(kind=RoleKind.HOLDER, name="罗红霞", person_id=who, subscribed_fen=capital_fen))
        return NewEntity(
            **{
                "kind": kind,
                "address": "红旗路88号",
                "scope": "糕点制售",
                "capital_fen": capital_fen,
                "officers": tuple(officers),
                **given,
            }
        )

    def resident(self, person_id: UUID | None = None) -> Actor:
        """A verified person at the portal."""
        return Actor(
            kind=ActorKind.RESIDENT,
            account_id=new_id(),
            person_id=person_id or self.founder,
            assurance=Assurance.VERIFIED,
        )
