"""The hospitals' register does not answer while a mother fills in the form: she is asked for the one thing it takes to go on."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from furong.domains.cases import twins
from tests.journeys.town import Town, form_of, opened


@pytest.fixture
def town(monkeypatch: pytest.MonkeyPatch) -> Iterator[Town]:
    with opened(monkeypatch) as made:
        yield made
        twins.switch_twin(twin=twins.HOSPITAL)


def test_mother_is_asked_where_her_child_was_born_only_while_the_register_is_silent(town: Town) -> None:
    assert "孩子在哪里出生" not in town.mother.read(town.mother.get(town.begin()).goes_to + "?again")
    twins.switch_twin(twin=twins.HOSPITAL, mode="unavailable")
    town.later(minutes=20)  # what was read for the form before is not kept for ever
    draft = town.begin(["vaccination_record"])
    page = town.mother.get(town.mother.get(draft).goes_to)
    assert "医院的出生记录暂时没有取到" in page.words
    missing = town.mother.post(town.mother.get(draft).goes_to, form_of(page))
    assert missing.status == 422
    assert any("接生医院所在" in line for line in missing.mistakes)
    sent = town.mother.post(
        town.mother.get(draft).goes_to, {**form_of(missing), "newborn-birth_division_code": "430103"}
    )
    assert sent.status == 302
    shown = town.mother.read(town.fill(draft))
    assert "长沙市天心区" in shown
    assert "您填写" in shown
