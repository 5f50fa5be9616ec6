"""The commands beside init and run: signing, keys, publishing, and what a gateway.toml may say of modes."""

from __future__ import annotations

import http.client
from pathlib import Path

import pytest

from furong_link.cli import main
from furong_link.errors import ConfigurationError
from furong_link.keys import SoftwareKey
from furong_link.mode_settings import read_modes
from tests.link.conftest import Exchange


def test_a_message_signed_by_the_command_is_answered_once(
    exchange: Exchange, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    exchange.housing.write(tmp_path / "key")
    url = f"http://{exchange.authority}/births/list"
    assert main(["sign", url, "--key", str(tmp_path / "key"), "--grant", "births-for-housing"]) == 0
    headers = dict(line.split(": ", 1) for line in capsys.readouterr().out.splitlines())
    statuses = []
    for _ in range(2):
        way = http.client.HTTPConnection(exchange.authority)
        way.request("GET", "/births/list", headers=headers)
        answer = way.getresponse()
        statuses.append((answer.status, b"replayed" in answer.read()))
        way.close()
    assert statuses == [(200, False), (409, True)]


@pytest.mark.parametrize(
    "words",
    [
        ["sign", "ftp://x/y", "--key", "KEY", "--grant", "g"],
        ["sign", "http://x/y", "--key", "KEY", "--grant", "two words"],
        ["sign", "http://x/y", "--key", "none", "--grant", "g"],
        ["key", "KEY", "--id", "again"],
        ["publish", "none", "s", "d", "f", "--version", "1"],
        ["witness", "init", "office", "--id", "Not An Id"],
        ["witness", "look", "none"],
        ["verify", "none"],
    ],
)
def test_what_cannot_be_done_is_said_in_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    SoftwareKey.generate(key_id="x").write(tmp_path / "KEY")
    assert main(words) == 1
    assert "furong-gateway:" in capsys.readouterr().err


def test_a_key_is_its_owners_alone_and_is_not_replaced(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "desk.key"
    assert main(["key", str(path), "--id", "housing/desk/1", "--algorithm", "sm2-sm3"]) == 0
    assert path.stat().st_mode & 0o077 == 0
    assert capsys.readouterr().out.strip() == f"housing/desk/1 sm2-sm3:{SoftwareKey.read(path).public}"


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ('[batch]\nservices = ["a"]\n[events]\nservices = ["a"]', "more than one mode"),
        ('[upstreams]\na = "http://x"\n[batch]\nservices = ["a"]', "more than one mode"),
        ('[batch]\nservices = "a"', "list of names"),
        ('[batch]\nservices = ["../a"]', "no slash"),
        ("batch = 5", "section"),
        ("[events.retry]\nsoon = 1", "soon"),
    ],
)
def test_a_setting_that_cannot_hold_is_said_at_the_start(tmp_path: Path, text: str, wrong: str) -> None:
    (tmp_path / "gateway.toml").write_text(text)
    with pytest.raises(ConfigurationError, match=wrong):
        read_modes(tmp_path)
