from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import pytest
from django.test import override_settings

from furong.foundation.access.values import Actor
from furong.foundation.organizations import commands, importing, queries
from furong.foundation.organizations.values import Name
from furong.foundation.packs.reading import read_pack
from furong.foundation.packs.values import ImportContext, Pack

PACK = Path(__file__).resolve().parents[3] / "packs" / "hunan"
NOW = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
SYSTEM = Actor.system("test")


@pytest.fixture(scope="session")
def pack() -> Pack:
    return read_pack(PACK)


def load(pack: Pack, now: datetime = NOW) -> None:
    context = ImportContext(actor=SYSTEM, now=now, pack=pack, store=lambda *_: "", store_all=lambda _: None)
    importing.import_divisions(context)
    importing.import_changes(context)
    importing.import_organizations(context)


@pytest.fixture
def province(database: dict[str, str], pack: Pack) -> dict[str, str]:
    """The pack's divisions, organisations and kinds of post."""
    load(pack)
    return database


@dataclass(frozen=True)
class Places:
    station: UUID
    branch: UUID
    city: UUID
    hospital: UUID


@pytest.fixture
def places(province: dict[str, str]) -> Places:
    def find(department: str, division: str) -> UUID:
        return queries.get_responsible(department=department, division_code=division).id

    return Places(
        station=find("police", "430202001"),
        branch=find("police", "430202"),
        city=find("police", "430200"),
        hospital=find("hospital", "430202"),
    )


def post(organization_id: UUID, template: str) -> UUID:
    return commands.create_post(
        organization_id=organization_id, title=Name(zh=""), template_code=template, actor=SYSTEM, now=NOW
    )


@pytest.fixture
def short_lease() -> Iterator[None]:
    """Taking a right away waits for every lease; a twentieth of a second is enough here."""
    with override_settings(ACCESS_LEASE_SECONDS=0.05):
        yield
