"""Administrators make, close and mend accounts within their reach; demo accounts are of the demo."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from django.test import override_settings

from furong.foundation.access.errors import AccessRefused
from furong.foundation.access.values import Actor, ActorKind, Assurance
from furong.foundation.codes.ids import new_id
from furong.foundation.identity import commands, errors, models, queries
from furong.foundation.identity.values import clean_username, device_label, is_username
from furong.foundation.organizations import queries as organizations
from furong.foundation.packs.reading import read_pack
from tests.foundation.organizations.conftest import load

from .conftest import ANYBODY, PASSWORD, SYSTEM, Office, now, resident, sign_in, staff, who

PACK = Path(__file__).resolve().parents[3] / "packs" / "hunan"


@pytest.fixture
def admin(office: Office) -> Actor:
    account = staff("guanli", office.admin_post)
    return Actor(
        kind=ActorKind.STAFF,
        account_id=account,
        post_id=office.admin_post,
        organization_id=office.first,
        division_code="430202",
    )


def test_a_local_administrator_makes_accounts_for_posts_in_reach_only(office: Office, admin: Actor) -> None:
    made = commands.create_staff_account(
        username="xinren", display_name="新人", password=PASSWORD, post_id=office.first_post, actor=admin, now=now()
    )
    assert queries.get_account(account_id=made).must_change_password
    assert organizations.list_appointments(account_id=made)[0].post_id == office.first_post
    for post_id in (office.second_post, None):
        with pytest.raises(AccessRefused):
            commands.create_staff_account(
                username="xinren2", display_name="", password=PASSWORD, post_id=post_id, actor=admin, now=now()
            )


def test_accounts_out_of_reach_do_not_exist_for_an_administrator(office: Office, admin: Actor) -> None:
    theirs = staff("waibu", office.second_post)
    between = staff("liangbian", office.first_post, office.second_post)
    resident_account = resident("muqin").account_id or new_id()
    for account in (theirs, between, resident_account, new_id()):
        for call in (commands.disable_account, commands.end_devices_of, commands.reset_totp):
            with pytest.raises(errors.AccountNotFound):
                call(account_id=account, actor=admin, now=now())
        with pytest.raises(errors.AccountNotFound):
            commands.reset_password(account_id=account, password="another-lotus", actor=admin, now=now())
    listed = queries.list_staff(actor=admin, now=now())
    assert {one.username for one in listed.items} == {"guanli", "liangbian"}


def test_an_officer_manages_no_accounts(office: Office) -> None:
    account = staff("minjing", office.first_post)
    officer = Actor(kind=ActorKind.STAFF, account_id=account, post_id=office.first_post, organization_id=office.first)
    with pytest.raises(AccessRefused):
        queries.list_staff(actor=officer, now=now())
    with pytest.raises(AccessRefused):
        commands.disable_account(account_id=account, actor=officer, now=now())
    with pytest.raises(AccessRefused):
        commands.confirm_in_person(account_id=account, actor=officer, now=now())


def test_a_reset_password_signs_out_and_is_changed_at_the_next_sign_in(office: Office, admin: Actor) -> None:
    account = staff("minjing", office.first_post)
    client = sign_in("minjing")
    commands.reset_password(account_id=account, password="another-lotus", actor=admin, now=now())
    assert who(client)["account"] is None
    answer = client.post("/account/sign-in", {"username": "minjing", "password": "another-lotus"})
    assert answer["Location"] == "/account/sign-in/password"


def test_a_closed_staff_account_loses_its_posts_and_can_be_opened_without_them(office: Office, admin: Actor) -> None:
    account = staff("minjing", office.first_post)
    client = sign_in("minjing")
    commands.disable_account(account_id=account, reason="离职", actor=admin, now=now())
    assert who(client)["account"] is None
    assert organizations.list_appointments(account_id=account) == []
    with pytest.raises(errors.AccountNotFound):
        commands.enable_account(account_id=account, actor=admin, now=now())
    commands.enable_account(account_id=account, actor=SYSTEM, now=now())
    assert who(sign_in("minjing"))["rights"] == []


def test_a_lost_phone_is_reset_by_the_administrator(office: Office, admin: Actor) -> None:
    account = staff("minjing", office.first_post)
    with pytest.raises(errors.SecondFactorMissing):
        commands.reset_totp(account_id=account, actor=admin, now=now())


def test_the_counter_raises_the_assurance_of_a_bound_account_only(office: Office) -> None:
    bound, loose = resident("muqin", person_id=new_id(), name="李某"), resident("xinren")
    assert bound.account_id
    assert loose.account_id
    commands.confirm_in_person(account_id=bound.account_id, actor=SYSTEM, now=now())
    assert queries.get_account(account_id=bound.account_id).assurance is Assurance.IN_PERSON
    with pytest.raises(errors.AccountNotFound):
        commands.confirm_in_person(account_id=loose.account_id, actor=SYSTEM, now=now())


def test_nobody_binds_somebody_elses_account(database: object) -> None:
    mother, other = resident("muqin"), resident("waiben")
    assert mother.account_id
    with pytest.raises(errors.AccountNotFound):
        commands.bind_person(account_id=mother.account_id, person_id=new_id(), display_name="x", actor=other, now=now())


@pytest.mark.parametrize(
    ("username", "fine"),
    [
        ("muqin", True),
        ("李芷宁", True),
        ("a.b-c_1", True),
        ("ab", False),
        ("430290199001010012", False),
        ("43029019900101001x", False),
        ("13800000000", False),
        ("a b c", False),
        ("<script>", False),
        ("x" * 65, False),
    ],
)
def test_a_username_is_no_number_of_a_person(username: str, fine: bool) -> None:
    assert is_username(clean_username(username)) is fine


def test_a_username_is_taken_whatever_its_case(database: object) -> None:
    resident("muqin")
    with pytest.raises(errors.UsernameTaken):
        commands.register_resident(username="MuQin", password=PASSWORD, actor=ANYBODY, now=now())
    with pytest.raises(errors.UsernameRefused):
        commands.register_resident(username="13800000000", password=PASSWORD, actor=ANYBODY, now=now())
    with pytest.raises(errors.PasswordRefused):
        commands.register_resident(username="xinren", password="password1234", actor=ANYBODY, now=now())


def test_a_browser_has_a_short_name() -> None:
    assert device_label("Mozilla/5.0 (Linux; Android 14) Chrome/126 Mobile MicroMessenger/8.0") == "微信 · Android"
    assert device_label("curl/8") == ""


def test_the_packs_demo_accounts_sit_in_their_posts_and_sign_in(database: object) -> None:
    load(read_pack(PACK))
    spec = yaml.safe_load((PACK / "demo" / "accounts.yaml").read_text())
    mother = new_id()
    for _ in range(2):
        names = commands.create_demo_accounts(spec=spec, persons={"mother": mother}, actor=SYSTEM, now=now())
    assert len(names) == len(spec["accounts"])
    assert models.Account.objects.count() == len(names)
    assert models.Account.objects.get(username="mother").person_id == mother
    officer = who(sign_in("police", spec["password"]))
    assert officer["organization_label"] == "月塘派出所"
    assert officer["division"] == "430202001"
    assert "population.register" in officer["rights"]
    residents = {one["username"] for one in spec["accounts"] if one["kind"] == "resident"}
    assert {"mother", "father", "representative"} <= residents
    for name in names:
        found = who(sign_in(name, spec["password"]))
        assert found["kind"] == ("resident" if name in residents else "staff")
        assert bool(found["rights"]) is (name not in residents), name


def test_production_makes_no_demo_accounts(database: object) -> None:
    with override_settings(PRODUCTION=True), pytest.raises(errors.DemoRefusedError):
        commands.create_demo_accounts(spec={"password": "x", "accounts": []}, persons={}, actor=SYSTEM, now=now())
    assert models.Account.objects.count() == 0
