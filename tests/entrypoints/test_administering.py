"""The first administrator of a new platform is made at the console, with a password that no list of processes shows."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from furong.entrypoints import administering, cli
from furong.entrypoints.loading import load_pack
from furong.foundation.access.values import Actor, ActorKind
from furong.foundation.audit.models import Entry
from furong.foundation.identity.commands.accounts import create_first_administrator
from furong.foundation.identity.errors import AdministratorExists
from furong.foundation.identity.models import Account
from furong.foundation.organizations import queries as organizations
from furong.foundation.organizations.values import today

PACK = Path(__file__).resolve().parents[2] / "packs" / "hunan"
PASSWORD = "渡口-lanterns-2026"
WORDS = ["account", "create-administrator", "first.administrator", "--name", "周望岳"]


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_the_first_administrator_is_made_from_standard_input_and_only_once(
    database: object, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from django.utils import timezone

    load_pack(PACK)
    monkeypatch.setattr("sys.stdin", io.StringIO(PASSWORD + "\n"))
    assert cli.main(WORDS) == 0
    told = capsys.readouterr()
    assert "湖南省数据局" in told.out
    assert PASSWORD not in told.out + told.err
    account = Account.objects.get(username="first.administrator")
    assert account.check_password(PASSWORD)
    assert account.must_change_password
    (seat,) = organizations.posts_of_account(account_id=account.id, on=today(timezone.now()))
    post = organizations.get_post(post_id=seat.post_id)
    assert "accounts.manage" in {grant.right for grant in post.grants}
    assert "identity.create_first_administrator" in set(Entry.objects.values_list("name", flat=True))
    monkeypatch.setattr("sys.stdin", io.StringIO(PASSWORD + "\n"))
    assert cli.main([*WORDS[:2], "second.administrator", *WORDS[3:]]) == 1
    assert "administrator already" in capsys.readouterr().err
    assert not Account.objects.filter(username="second.administrator").exists()


def test_a_weak_password_or_a_post_without_the_right_makes_nothing(
    database: object, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    load_pack(PACK)
    monkeypatch.setattr("sys.stdin", io.StringIO("12345678\n"))
    assert cli.main(WORDS) == 1
    monkeypatch.setattr("sys.stdin", io.StringIO(PASSWORD + "\n"))
    assert cli.main([*WORDS, "--post", "data_authority.auditor"]) == 1
    assert "does not administer accounts" in capsys.readouterr().err
    assert Account.objects.count() == 0


def test_a_terminal_is_asked_twice_without_an_echo(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = iter(["one", "one", "one", "another"])
    monkeypatch.setattr("getpass.getpass", lambda prompt: next(answers))
    assert administering.read_password(_Terminal()) == "one"
    assert administering.read_password(_Terminal()) is None


def test_nobody_but_the_console_makes_a_first_administrator(database: object) -> None:
    from django.utils import timezone

    from furong.foundation.access.errors import AccessRefused

    with pytest.raises(AccessRefused):
        create_first_administrator(
            username="x.y",
            display_name="x",
            password=PASSWORD,
            department="data_authority",
            post_template="data_authority.administrator",
            actor=Actor(kind=ActorKind.STAFF),
            now=timezone.now(),
        )
    assert AdministratorExists.code == "identity.administrator_exists"
