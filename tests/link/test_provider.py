"""A provider in ten lines: by method and path, and once for each message that changes something."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from furong_link.provider import Asked, NotHere, Provider


def _asked(method: str = "GET", path: str = "/one/1", *, message: str = "m-1", content: bytes = b"") -> Asked:
    return Asked(method, path, {}, content, "housing", "housing/1", "grant", message)


@pytest.fixture
def made(tmp_path: Path) -> tuple[Provider, list[Any]]:
    found, effects = Provider(effects=tmp_path / "effects.db"), list[Any]()

    @found.get("/one/{number}")
    def one(asked: Asked, number: str) -> object:
        if number == "none":
            raise NotHere
        return {"number": number, "for": asked.consumer}

    @found.post("/orders")
    def order(asked: Asked) -> object:
        effects.append(asked.json())
        return {"order": len(effects)}

    return found, effects


def test_it_answers_by_method_and_path(made: tuple[Provider, list[Any]]) -> None:
    provider, _ = made
    assert provider.answer(_asked(path="/one/%E5%91%A8")) == (200, '{"number": "周", "for": "housing"}'.encode())
    statuses = [
        provider.answer(asked)[0]
        for asked in (_asked(path="/one/none"), _asked(path="/two"), _asked("POST", "/one/1"), _asked(path="/one/1/2"))
    ]
    assert statuses == [404, 404, 405, 404]


def test_a_message_repeated_has_its_first_answer_and_one_effect_after_a_restart_too(
    made: tuple[Provider, list[Any]], tmp_path: Path
) -> None:
    provider, effects = made
    first = provider.answer(_asked("POST", "/orders", content=b'{"a": 1}'))
    assert first == (201, b'{"order": 1}')
    assert provider.answer(_asked("POST", "/orders", content=b'{"a": 1}')) == first
    assert provider.answer(_asked("POST", "/orders", content=b"{", message="m-2"))[0] == 400
    again = Provider(effects=tmp_path / "effects.db")
    assert again.answer(_asked("POST", "/orders")) == first
    assert effects == [{"a": 1}]


def test_who_did_not_come_through_a_gateway_changes_nothing(made: tuple[Provider, list[Any]]) -> None:
    provider, effects = made
    assert provider.answer(Asked("POST", "/orders", {}, b"{}", "", "", "", ""))[0] == 400
    assert not effects
