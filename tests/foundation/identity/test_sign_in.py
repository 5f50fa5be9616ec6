"""Signing in and out, as a browser does it."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from django.db import connection
from django.test import override_settings
from django.test.utils import CaptureQueriesContext

from furong.foundation.identity import commands, models, throttle
from furong.foundation.identity.errors import SecondFactorWrong, TooManyAttempts
from furong.foundation.organizations import commands as organizations
from furong.foundation.organizations import queries as organization_queries

from .conftest import (
    ANYBODY,
    NAME,
    NUMBER,
    PASSWORD,
    SYSTEM,
    Office,
    Register,
    browser,
    now,
    resident,
    sign_in,
    staff,
    who,
)


def code_for(secret: str, *, steps: int = 0) -> str:
    return str(format_hotp_value(hotp_value(secret, int(now().timestamp()) // 30 + steps)))


def test_a_stranger_is_nobody_and_costs_no_read(database: object) -> None:
    client = browser()
    with CaptureQueriesContext(connection) as read:
        assert who(client)["kind"] == "anonymous"
    assert len(read) == 0


def test_a_resident_signs_up_confirms_their_name_and_comes_back_to_the_page(
    database: object, register: Register
) -> None:
    client = browser()
    answer = client.post("/account/sign-up", {"username": "Muqin ", "password": PASSWORD, "next": "/draft?step=2"})
    assert answer["Location"] == "/account/real-name?next=%2Fdraft%3Fstep%3D2"
    assert who(client)["assurance"] == 1
    wrong = client.post("/account/real-name", {"name": "张某某", "number": NUMBER})
    assert wrong.status_code == 422
    assert "号码与姓名同登记信息不一致" in wrong.content.decode()
    answer = client.post("/account/real-name", {"name": f" {NAME}", "number": f"{NUMBER} ", "next": "/draft?step=2"})
    assert answer["Location"] == "/draft?step=2"
    assert who(client)["assurance"] == 2
    row = models.Account.objects.get(username="muqin")
    assert (row.person_id, row.display_name) == (register.persons[NUMBER, NAME], NAME)


def test_the_number_is_kept_nowhere(database: object, register: Register) -> None:
    client = browser()
    client.post("/account/sign-up", {"username": "muqin", "password": PASSWORD})
    client.post("/account/real-name", {"name": NAME, "number": NUMBER})
    with connection.cursor() as cursor:
        cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        for (table,) in cursor.fetchall():
            cursor.execute(f'SELECT count(*) FROM "{table}" AS t WHERE t::text LIKE %s', [f"%{NUMBER}%"])
            assert cursor.fetchone() == (0,), table


def test_a_person_has_one_account(database: object, register: Register) -> None:
    resident("first", person_id=register.persons[NUMBER, NAME], name=NAME)
    client = browser()
    client.post("/account/sign-up", {"username": "second", "password": PASSWORD})
    answer = client.post("/account/real-name", {"name": NAME, "number": NUMBER})
    assert "此人已有账号" in answer.content.decode()


def test_a_wrong_password_and_an_unknown_name_say_the_same(database: object) -> None:
    resident("muqin")
    texts = [
        re.sub(r'value="[^"]*"', "", browser().post("/account/sign-in", given).content.decode())
        for given in ({"username": "muqin", "password": "x" * 12}, {"username": "nobody", "password": "x" * 12})
    ]
    assert "用户名或密码不正确" in texts[0]
    assert texts[0] == texts[1]


def test_the_sixth_try_waits_and_says_how_long_even_with_the_right_password(database: object) -> None:
    resident("muqin")
    for _ in range(5):
        browser().post("/account/sign-in", {"username": "muqin", "password": "wrong-wrong"})
    client = browser()
    answer = client.post("/account/sign-in", {"username": "muqin", "password": PASSWORD})
    assert answer.status_code == 422
    assert "请 5 分钟后再试" in answer.content.decode()
    assert who(client)["account"] is None
    models.Throttle.objects.update(blocked_until=now() - timedelta(seconds=1))
    assert who(sign_in("muqin", client=client))["account"]


def test_another_account_at_the_same_address_is_not_held_up(database: object) -> None:
    resident("muqin")
    resident("fuqin")
    for _ in range(6):
        browser().post("/account/sign-in", {"username": "muqin", "password": "wrong-wrong"})
    assert who(sign_in("fuqin"))["account"]


def test_an_address_that_tries_many_names_waits(database: object) -> None:
    moment = now()
    for index in range(60):
        throttle.count(now=moment, sign_in_account=f"name{index}", sign_in_address="192.0.2.7")
    with pytest.raises(TooManyAttempts) as refused:
        throttle.check(now=moment, sign_in_account="name99", sign_in_address="192.0.2.7")
    assert refused.value.params == {"minutes": 10}
    throttle.check(now=moment, sign_in_account="name99", sign_in_address="192.0.2.8")
    throttle.check(now=moment + timedelta(minutes=11), sign_in_address="192.0.2.7")
    assert "192.0.2" not in str(list(models.Throttle.objects.values_list("key", flat=True)))


def test_failures_long_ago_are_forgotten(database: object) -> None:
    for minutes in range(0, 200, 20):
        throttle.count(now=now() + timedelta(minutes=minutes), sign_in_account="muqin")
    assert models.Throttle.objects.get().failures == 1
    assert throttle.sweep(now=now() + timedelta(days=5)) == 1


def test_the_real_name_check_is_limited(database: object, register: Register) -> None:
    resident("muqin")
    client = sign_in("muqin")
    for _ in range(5):
        client.post("/account/real-name", {"name": "张某某", "number": NUMBER})
    answer = client.post("/account/real-name", {"name": NAME, "number": NUMBER})
    assert "分钟后再试" in answer.content.decode()
    assert who(client)["assurance"] == 1


def test_a_failed_sign_in_is_in_the_audit_log(database: object) -> None:
    actor = resident("muqin")
    browser().post("/account/sign-in", {"username": "muqin", "password": "wrong-wrong"})
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT d.content FROM audit_entry e JOIN audit_detail d ON d.entry_id = e.id "
            "WHERE e.name = 'identity.record_sign_in' AND e.object_id = %s",
            [str(actor.account_id)],
        )
        found = cursor.fetchall()
    assert len(found) == 1
    assert "wrong_password" in found[0][0]
    assert "wrong-wrong" not in found[0][0]


@pytest.mark.parametrize(
    "target", ["https://evil.example/", "//evil.example/", "/\\evil.example", "javascript:alert(1)"]
)
def test_a_sign_in_leads_to_no_other_site(database: object, target: str) -> None:
    resident("muqin")
    answer = browser().post("/account/sign-in", {"username": "muqin", "password": PASSWORD, "next": target})
    assert answer["Location"] == "/"


def test_a_session_that_expired_mid_form_leads_through_sign_in_back_to_the_form(database: object) -> None:
    resident("muqin")
    client = sign_in("muqin")
    assert client.get("/draft?step=3").status_code == 200
    models.Session.objects.update(expires_at=now() - timedelta(seconds=1))
    answer = client.post("/draft", {"x": "1"}, HTTP_REFERER="http://localhost/draft?step=3")
    assert answer["Location"] == "/account/sign-in?next=%2Fdraft%3Fstep%3D3"
    page = client.get(answer["Location"])
    assert "登录后回到原来的页面" in page.content.decode()
    answer = client.post("/account/sign-in", {"username": "muqin", "password": PASSWORD, "next": "/draft?step=3"})
    assert answer["Location"] == "/draft?step=3"
    assert client.get("/draft?step=3").status_code == 200


def test_a_program_gets_the_problem_and_no_page(database: object) -> None:
    answer = browser().get("/draft", HTTP_ACCEPT="application/json")
    assert answer["Content-Type"] == "application/problem+json"


def test_a_page_for_verified_people_leads_to_the_real_name_check(database: object) -> None:
    resident("muqin")
    assert sign_in("muqin").get("/verified")["Location"] == "/account/real-name?next=%2Fverified"


def test_a_closed_account_is_out_at_once_and_told_so_only_with_the_password(database: object) -> None:
    actor = resident("muqin")
    client = sign_in("muqin")
    assert actor.account_id
    commands.disable_account(account_id=actor.account_id, actor=SYSTEM, now=now())
    assert who(client)["account"] is None
    answer = browser().post("/account/sign-in", {"username": "muqin", "password": PASSWORD})
    assert "该账号已停用" in answer.content.decode()
    answer = browser().post("/account/sign-in", {"username": "muqin", "password": "wrong-wrong"})
    assert "该账号已停用" not in answer.content.decode()


def test_signing_out_ends_the_session(database: object) -> None:
    resident("muqin")
    client = sign_in("muqin")
    cookie = client.cookies["furong_session"].value
    assert client.post("/account/sign-out")["Location"] == "/"
    client.cookies["furong_session"] = cookie
    assert who(client)["account"] is None
    assert models.Session.objects.count() == 0


def test_the_key_changes_at_sign_in_and_the_table_holds_only_its_digest(database: object) -> None:
    resident("muqin")
    client = browser()
    client.get("/account/sign-in")
    staff_before = client.cookies.get("furong_session")
    sign_in("muqin", client=client)
    key = client.cookies["furong_session"].value
    assert staff_before is None or staff_before.value != key
    assert models.Session.objects.get().digest != key
    assert not models.Session.objects.filter(digest=key).exists()


# Devices


def test_ending_a_device_signs_that_session_out_and_no_other(database: object) -> None:
    resident("muqin")
    phone = sign_in("muqin", client=browser(headers={"user-agent": "Mozilla/5.0 (iPhone) Safari/605"}))
    desk = sign_in("muqin", client=browser(headers={"user-agent": "Mozilla/5.0 (Windows) Chrome/126 Safari"}))
    page = desk.get("/account/devices").content.decode()
    assert "Safari · iPhone" in page
    assert "Chrome · Windows" in page
    assert "本设备" in page
    lost = models.Session.objects.get(label="Safari · iPhone")
    assert desk.post(f"/account/devices/{lost.id}/end").status_code == 302
    assert who(phone)["account"] is None
    assert who(desk)["account"]


def test_nobody_ends_somebody_elses_device(database: object) -> None:
    resident("muqin")
    resident("fuqin")
    hers, his = sign_in("muqin"), sign_in("fuqin")
    session = models.Session.objects.get(account__username="muqin")
    his.post(f"/account/devices/{session.id}/end")
    assert who(hers)["account"]


def test_ending_all_others_keeps_this_one(database: object) -> None:
    resident("muqin")
    first, second, third = (sign_in("muqin") for _ in range(3))
    second.post("/account/devices/end-others")
    assert [bool(who(one)["account"]) for one in (first, second, third)] == [False, True, False]


def test_a_new_password_ends_every_other_device(database: object) -> None:
    resident("muqin")
    other, mine = sign_in("muqin"), sign_in("muqin")
    page = mine.post("/account/password", {"old": "wrong", "new": "new-lotus-soup"})
    assert "当前密码不正确" in page.content.decode()
    page = mine.post("/account/password", {"old": PASSWORD, "new": "12345678"})
    assert "密码太短、太常见" in page.content.decode()
    assert mine.post("/account/password", {"old": PASSWORD, "new": "new-lotus-soup"}).status_code == 302
    assert who(other)["account"] is None
    assert who(mine)["account"]
    assert who(sign_in("muqin", "new-lotus-soup"))["account"]


def test_a_session_in_use_lives_on_and_an_idle_one_ends(database: object) -> None:
    resident("muqin")
    client = sign_in("muqin")
    soon = now() + timedelta(minutes=3)
    models.Session.objects.update(last_seen_at=now() - timedelta(minutes=2), expires_at=soon)
    assert who(client)["account"]
    assert models.Session.objects.get().expires_at > soon + timedelta(hours=1)
    models.Session.objects.update(expires_at=now() - timedelta(seconds=1))
    assert who(client)["account"] is None


# Posts


def test_a_request_of_staff_costs_two_reads_and_then_one(office: Office) -> None:
    with override_settings(ACCESS_LEASE_SECONDS=5.0):
        staff("minjing", office.first_post)
        client = sign_in("minjing")
        reads = []
        for _ in range(2):
            with CaptureQueriesContext(connection) as read:
                assert who(client)["rights"] == ["cases.decide", "population.search"]
            reads.append(len(read))
        assert reads[0] <= 2
        assert reads[1] == 1


def test_a_transfer_moves_the_rights_with_the_next_request(office: Office) -> None:
    account = staff("minjing", office.first_post)
    client = sign_in("minjing")
    before = who(client)
    assert (before["organization"], before["division"]) == (str(office.first), "430202")
    assert before["rights"] == ["cases.decide", "population.search"]
    held = organization_queries.list_appointments(account_id=account)[0]
    organizations.transfer(appointment_id=held.id, to_post_id=office.second_post, actor=SYSTEM, now=now())
    after = who(client)
    assert (after["organization"], after["division"], after["rights"]) == (
        str(office.second),
        "430203",
        ["cases.handle"],
    )


def test_who_leaves_keeps_no_right_in_an_open_session(office: Office) -> None:
    account = staff("minjing", office.first_post)
    client = sign_in("minjing")
    organizations.end_appointments_of(account_id=account, actor=SYSTEM, now=now())
    after = who(client)
    assert (after["kind"], after["post"], after["rights"]) == ("staff", None, [])


def test_staff_with_two_posts_switch_between_them_and_to_no_other(office: Office) -> None:
    staff("minjing", office.second_post, office.first_post)
    client = sign_in("minjing")
    assert who(client)["post"] == str(office.first_post)
    page = client.get("/account/").content.decode()
    assert "以此岗位办理" in page
    client.post("/account/act", {"post": str(office.second_post)})
    assert who(client)["post"] == str(office.second_post)
    client.post("/account/act", {"post": str(office.admin_post)})
    assert who(client)["post"] == str(office.second_post)


def test_a_first_password_is_changed_before_anything_else(office: Office) -> None:
    staff("minjing", office.first_post, must_change=True)
    client = browser()
    answer = client.post("/account/sign-in", {"username": "minjing", "password": PASSWORD, "next": "/draft"})
    assert answer["Location"] == "/account/sign-in/password"
    assert who(client)["account"] is None
    answer = client.post("/account/sign-in/password", {"old": PASSWORD, "new": "my-own-lotus-soup"})
    assert answer["Location"] == "/draft"
    assert who(client)["account"]


# Second factor


def enrol(account: object) -> tuple[str, list[str]]:
    secret = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
    codes = commands.enrol_totp(
        account_id=account,  # type: ignore[arg-type]
        secret=secret,
        code=code_for(secret, steps=-1),
        actor=ANYBODY,
        now=now(),
    )
    return secret, codes


def test_a_second_factor_is_asked_for_and_the_password_alone_signs_nobody_in(office: Office) -> None:
    secret, _ = enrol(staff("minjing", office.first_post))
    client = browser()
    answer = client.post("/account/sign-in", {"username": "minjing", "password": PASSWORD, "next": "/draft"})
    assert answer["Location"] == "/account/sign-in/code"
    assert who(client)["account"] is None
    wrong = client.post("/account/sign-in/code", {"code": "000000"})
    assert "验证码不正确" in wrong.content.decode()
    assert client.post("/account/sign-in/code", {"code": code_for(secret)})["Location"] == "/draft"
    assert who(client)["account"]


def test_a_code_is_good_once(office: Office) -> None:
    account = staff("minjing", office.first_post)
    secret, _ = enrol(account)
    code = code_for(secret)
    assert commands.check_second_factor(account_id=account, code=code, actor=ANYBODY, now=now()) == "totp"
    with pytest.raises(SecondFactorWrong):
        commands.check_second_factor(account_id=account, code=code, actor=ANYBODY, now=now())


def test_a_recovery_code_is_good_once(office: Office) -> None:
    account = staff("minjing", office.first_post)
    _, codes = enrol(account)
    assert len(set(codes)) == 10
    assert commands.check_second_factor(account_id=account, code=codes[3], actor=ANYBODY, now=now()) == "recovery"
    with pytest.raises(SecondFactorWrong):
        commands.check_second_factor(account_id=account, code=codes[3], actor=ANYBODY, now=now())


def test_guessing_codes_is_limited(office: Office) -> None:
    secret, _ = enrol(staff("minjing", office.first_post))
    client = browser()
    client.post("/account/sign-in", {"username": "minjing", "password": PASSWORD})
    for _ in range(5):
        client.post("/account/sign-in/code", {"code": "000000"})
    answer = client.post("/account/sign-in/code", {"code": code_for(secret)})
    assert "请 10 分钟后再试" in answer.content.decode()
    assert who(client)["account"] is None


def test_secrets_are_not_kept_in_the_clear(office: Office) -> None:
    secret, codes = enrol(staff("minjing", office.first_post))
    kept = str(list(Authenticator.objects.values_list("data", flat=True)))
    assert secret not in kept
    assert not any(code in kept for code in codes)


def test_where_it_is_required_staff_set_it_up_at_their_next_sign_in(office: Office) -> None:
    staff("minjing", office.first_post)
    with override_settings(REQUIRE_TOTP=True):
        client = browser()
        answer = client.post("/account/sign-in", {"username": "minjing", "password": PASSWORD, "next": "/draft"})
        assert answer["Location"] == "/account/sign-in/second-factor"
        page = client.get("/account/sign-in/second-factor").content.decode()
        assert "<svg" in page
        found = re.search(r'class="key">([A-Z2-7 ]+)<', page)
        assert found
        answer = client.post("/account/sign-in/second-factor", {"code": code_for(found.group(1).replace(" ", ""))})
        assert "恢复码" in answer.content.decode()
        assert 'href="/draft"' in answer.content.decode()
        assert who(client)["account"]
        removed = client.post("/account/second-factor/remove", {"code": "123456"})
        assert "不能取消" in removed.content.decode()
        resident("muqin")
        assert who(sign_in("muqin"))["account"]


def test_one_sets_it_up_and_removes_it_oneself(database: object) -> None:
    resident("muqin")
    client = sign_in("muqin")
    page = client.get("/account/second-factor").content.decode()
    found = re.search(r'class="key">([A-Z2-7 ]+)<', page)
    assert found
    secret = found.group(1).replace(" ", "")
    assert "验证码不正确" in client.post("/account/second-factor", {"code": "000000"}).content.decode()
    assert client.post("/account/second-factor", {"code": code_for(secret, steps=-1)}).status_code == 200
    assert models.Account.objects.get().authenticator_set.count() == 2  # type: ignore[attr-defined]
    assert client.post("/account/second-factor/remove", {"code": code_for(secret)}).status_code == 302
    assert Authenticator.objects.count() == 0


def test_a_sign_in_under_way_ends_after_a_quarter_of_an_hour(office: Office) -> None:
    enrol(staff("minjing", office.first_post))
    client = browser()
    client.post("/account/sign-in", {"username": "minjing", "password": PASSWORD})
    session = client.session
    session["pending"] = {**session["pending"], "at": session["pending"]["at"] - 16 * 60}
    session.save()
    assert client.get("/account/sign-in/code")["Location"] == "/account/sign-in"


@pytest.mark.parametrize(
    "path",
    [
        "/account/",
        "/account/devices",
        "/account/mandates",
        "/account/mandates/new",
        "/account/password",
        "/account/second-factor",
        "/account/mandates/enterprise",
    ],
)
@pytest.mark.parametrize("language", ["zh-hans", "en"])
def test_every_account_page_opens_and_a_stranger_is_led_to_sign_in(
    database: object, register: Register, path: str, language: str
) -> None:
    resident("muqin", person_id=register.persons[NUMBER, NAME], name=NAME)
    client = sign_in("muqin")
    client.cookies["furong_language"] = language
    answer = client.get(path)
    assert answer.status_code == 200
    assert ("My account" if language == "en" else "我的账号") in answer.content.decode()
    assert browser().get(path)["Location"].startswith("/account/sign-in?next=")
