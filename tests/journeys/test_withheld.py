"""A clerk opens a case: what another department's register filled in is there by a grant, and without it says that it is not."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from furong.domains.cases import models as cases
from furong.domains.catalogue import models as catalogue
from furong.domains.catalogue.grants import granting
from tests.factories.newborn import MONDAY, SYSTEM
from tests.journeys.town import Town, opened


@pytest.fixture
def town(monkeypatch: pytest.MonkeyPatch) -> Iterator[Town]:
    with opened(monkeypatch) as made:
        yield made


def test_what_no_grant_covers_is_said_to_be_withheld_and_leads_to_asking_for_it(town: Town) -> None:
    town.apply()
    case = cases.Case.objects.get(item_code="vaccination_record")
    page = town.vaccination.get(f"/work/cases/{case.id}")
    assert page.status == 200
    assert "未显示" not in page.text
    for grant in catalogue.Grant.objects.filter(resource_code="birth_records", department="disease_control"):
        granting.revoke_grant(grant_id=grant.id, reason="不再需要", actor=SYSTEM, now=MONDAY)
    page = town.vaccination.get(f"/work/cases/{case.id}")
    assert page.status == 200
    assert "未显示：本单位没有取得授权" in page.text
    assert "/work/resources/birth_records" in page.text
