"""Administration and audit: posts give rights and transfers move them, passwords are shown once, logs prove themselves."""

from __future__ import annotations

import re
from collections.abc import Iterator
from uuid import UUID

import pytest
from django.db import connections, transaction
from django.test import Client, override_settings
from tests.sites.workbench.staff import (
    PASSWORD,
    PURPOSE,
    SYSTEM,
    account_id,
    entries,
    here,
    links,
    make_staff,
    mother,
    now,
    police_station,
    refusals,
    staff,
    tree,
    words,
)

from furong.foundation.audit.sealer import seal_once
from furong.foundation.organizations import commands as organizations
from furong.foundation.organizations import queries as places
from furong.foundation.organizations.values import Reach

pytestmark = pytest.mark.usefixtures("platform")


@pytest.fixture(autouse=True)
def _short_lease() -> Iterator[None]:
    with override_settings(ACCESS_LEASE_SECONDS=0.05):  # taking a right away waits for it
        yield


# --- organisations and posts ----------------------------------------------------------------------------------------


def test_the_tree_is_browsed_from_the_province_down_to_the_towns() -> None:
    client = staff("administrator")
    address = "/work/organizations"
    for name in ("株洲市", "荷塘区", "月塘街道"):
        page = client.get(address).content
        address = next(str(a.get("href")) for a in tree(page).iter("a") if a.text_content() == name)
    assert "株洲市公安局荷塘分局月塘派出所" in words(client.get(address).content)


@pytest.mark.parametrize("asked", ["月塘派出所", "yue tang", "YUETANG"])
def test_organisations_are_found_by_name_and_pinyin(asked: str) -> None:
    assert "荷塘分局月塘派出所" in words(staff("administrator").get("/work/organizations", {"q": asked}).content)


def test_an_organisation_is_added_renamed_and_abolished() -> None:
    client = staff("administrator")
    new = "/work/organizations/new?division=430202"
    assert client.post(new, {"department": "police"}).status_code == 422
    wrong = client.post(new, {"department": "police", "name_zh": "荷塘区新局", "code": "123456789012345678"})
    assert "统一社会信用代码" in words(wrong.content)
    made = client.post(new, {"department": "police", "name_zh": "荷塘区新局", "name_en": "New"})
    address = str(made["Location"])
    assert "荷塘区新局" in words(client.get(address).content)
    assert client.post(f"{address}/change", {"name_zh": "荷塘区更名局", "phone": "12345"}).status_code == 302
    assert "荷塘区更名局" in words(client.get(address).content)
    assert "关闭其 0 个岗位" in words(client.get(f"{address}/abolish").content)
    assert client.post(f"{address}/abolish").status_code == 302
    assert "已撤销" in words(client.get(address).content)


def test_an_organisation_in_use_is_not_abolished_and_the_page_says_why() -> None:
    answer = staff("administrator").post(f"/work/organizations/{police_station().id}/abolish")
    assert answer.status_code == 422
    assert tree(answer.content).find_class("summary")


def test_units_are_added_renamed_and_closed() -> None:
    client, place = staff("administrator"), police_station()
    address = f"/work/organizations/{place.id}"
    assert client.post(f"{address}/units", {"name_zh": ""}).status_code == 422
    assert client.post(f"{address}/units", {"name_zh": "户籍室"}).status_code == 302
    again = client.post(f"{address}/units", {"name_zh": "户籍室"})
    assert again.status_code == 422
    unit = links(client.get(address).content, f"{address}/units/")[0]
    assert client.post(unit, {"name_zh": "户政室"}).status_code == 302
    assert "户政室" in words(client.get(address).content)
    assert client.post(unit, {"act": "close"}).status_code == 302
    assert "户政室" not in words(client.get(address).content)


def test_a_post_is_made_with_rights_and_their_reach_and_changed() -> None:
    client, place = staff("administrator"), police_station()
    made = client.post(
        f"/work/organizations/{place.id}/posts",
        {
            "title_zh": "值班员",
            "right": ["licences.read", "population.search", "no.such"],
            "reach-population.search": "division",
        },
    )
    address = str(made["Location"])
    post_id = UUID(address.rsplit("/", 1)[1])
    grants = {one.right: one.reach for one in places.get_post(post_id=post_id).grants}
    assert grants == {"licences.read": Reach.ORGANIZATION, "population.search": Reach.DIVISION}
    shown = tree(client.get(f"{address}/change").content)
    assert [box.get("value") for box in shown.xpath("//input[@name='right'][@checked]")] == [
        "licences.read", "population.search",
    ]  # fmt: skip
    assert client.post(f"{address}/change", {"title_zh": "值班长", "right": "licences.read"}).status_code == 302
    page = words(client.get(address).content)
    assert "值班长" in page
    assert "检索人口信息" not in page
    assert client.post(f"{address}/close").status_code == 302
    assert "已关闭" in words(client.get(address).content)


def test_a_kind_of_post_of_the_pack_fills_the_form_in() -> None:
    page = staff("administrator").get(
        f"/work/organizations/{police_station().id}/posts", {"template": "police.household_officer"}
    )
    shown = tree(page.content)
    assert shown.xpath("//input[@name='title_zh']")[0].get("value") == "户籍民警"
    assert "population.register" in [box.get("value") for box in shown.xpath("//input[@name='right'][@checked]")]


def test_nobody_gives_further_than_they_administer() -> None:
    place = police_station()
    make_staff("local", place.id, here("organizations.manage"))
    client = staff("local")
    answer = client.post(
        f"/work/organizations/{place.id}/posts",
        {"title_zh": "越权岗", "right": "audit.view", "reach-audit.view": "everywhere"},
    )
    assert answer.status_code == 422
    assert tree(answer.content).xpath("//input[@value='audit.view'][@checked]")  # what was ticked stays ticked


def test_an_administrator_of_one_place_opens_no_other() -> None:
    make_staff("local", police_station().id, here("organizations.manage"), here("accounts.manage"))
    client = staff("local")
    other = places.get_responsible(department="police", division_code="430100")
    assert client.get(f"/work/organizations/{police_station().id}").status_code == 200
    assert client.get(f"/work/organizations/{other.id}").status_code == 403
    assert "workbench.organization" in [
        row[0] for row in entries("SELECT name FROM audit_entry WHERE outcome = 'refused'")
    ]
    assert "长沙市公安局" not in words(client.get("/work/organizations", {"q": "公安局"}).content)
    assert client.get(f"/work/accounts/{account_id('administrator')}").status_code == 404
    assert refusals("workbench.account") == ["identity.account_not_found"]
    assert "administrator" not in words(client.get("/work/accounts").content)


def test_an_appointment_gives_the_posts_rights_with_the_next_request_and_its_end_takes_them() -> None:
    post_id = make_staff("seated", police_station().id, here("licences.read"))
    free = make_staff("newcomer", police_station().id)
    client, newcomer = staff("administrator"), staff("newcomer")
    assert newcomer.get("/work/licences").status_code == 403
    address = f"/work/posts/{post_id}"
    assert client.post(f"{address}/appoint", {"username": "nobody-here"}).status_code == 422
    assert client.post(f"{address}/appoint", {"username": "newcomer", "is_main": "on"}).status_code == 302
    # two posts: the main one first
    assert newcomer.get("/work/licences").status_code == 200
    end = next(a for a in links(client.get(address).content, "/work/appointments/") if a.endswith("/end"))
    ends = [a for a in links(client.get(address).content, "/work/appointments/") if a.endswith("/end")]
    mine = next(a for a in ends if "测试员" in words(client.get(a).content)) if end else ends[0]
    assert client.post(mine, {"reason": ""}).status_code == 422
    for one in ends:
        assert client.post(one, {"reason": "任期届满"}).status_code == 302
    assert newcomer.get("/work/licences").status_code == 403
    assert free != post_id


def test_a_transfer_says_its_effect_first_and_moves_the_rights() -> None:
    client, officer = staff("administrator"), staff("police")
    assert officer.get("/work/population").status_code == 200
    target = places.get_responsible(department="civil_affairs", division_code="430202")
    new_post = organizations.create_post(
        organization_id=target.id,
        title=places.get_post(post_id=make_staff("helper", target.id)).title,
        grants=[here("licences.read")],
        actor=SYSTEM,
        now=now(),
    )
    appointment = places.list_appointments(account_id=account_id("police"))[0]
    address = f"/work/appointments/{appointment.id}/transfer"
    found = client.get(address, {"q": target.name.zh})
    assert f"?organization={target.id}" in links(found.content, "?organization")
    assert str(new_post) in client.get(address, {"organization": str(target.id)}).content.decode()
    effect = words(client.get(address, {"post": str(new_post)}).content)
    lost, gained = effect.split("结束的权限")[1].split("开始的权限")
    assert "检索人口信息" in lost
    assert "查看证照" in gained
    assert officer.get("/work/population").status_code == 200  # looking changes nothing
    assert client.post(f"{address}?post={new_post}", {"reason": ""}).status_code == 422
    assert client.post(f"{address}?post={new_post}", {"reason": "株人调〔2026〕1号"}).status_code == 302
    assert officer.get("/work/population").status_code == 403
    assert officer.get("/work/licences").status_code == 200
    assert client.get(address).status_code == 404  # the appointment is over


# --- accounts -------------------------------------------------------------------------------------------------------


def test_an_account_is_made_for_a_post_and_its_password_is_shown_once() -> None:
    client, place = staff("administrator"), police_station()
    post_id = places.list_posts(organization_id=place.id)[0].id
    address = f"/work/accounts/new?post={post_id}"
    taken = client.post(address, {"username": "police", "display_name": "某某"})
    assert taken.status_code == 422
    made = client.post(address, {"username": "clerk9", "display_name": "新来的"})
    password = tree(made.content).find_class("big")[0].text_content()
    assert re.fullmatch(r"(?:\w{4}-){3}\w{4}", password)
    account = f"/work/accounts/{account_id('clerk9')}"
    assert password not in client.get(account).content.decode()
    assert all(password not in str(row) for row in entries("SELECT content FROM audit_detail"))
    # the first password must be changed before anything else
    first = Client(HTTP_HOST="localhost")
    answer = first.post("/account/sign-in", {"username": "clerk9", "password": password})
    assert "password" in str(answer["Location"])
    assert first.get("/work/population").status_code == 302


def test_accounts_are_searched_in_the_body_and_listed_with_their_posts() -> None:
    client = staff("administrator")
    page = words(client.post("/work/accounts", {"text": "谭"}).content)
    assert "police" in page
    assert "月塘派出所 · 户籍民警" in page
    assert "insurance" not in page
    assert "没有符合的账号" in words(client.post("/work/accounts", {"text": "不存在"}).content)


def test_locking_signs_out_and_ends_the_posts_and_opening_brings_none_back() -> None:
    client, officer = staff("administrator"), staff("police")
    address = f"/work/accounts/{account_id('police')}"
    assert "HTTP" not in words(client.get(address).content)
    assert client.post(f"{address}/lock", {"reason": ""}).status_code == 422
    assert client.post(f"{address}/lock", {"reason": "停职"}).status_code == 302
    assert officer.get("/work/population").status_code == 302  # a stranger now
    page = words(client.get(address).content)
    assert "已锁定" in page
    assert "已结束" in page
    assert client.post(f"{address}/open").status_code == 302
    assert staff("police").get("/work/population").status_code == 403


def test_nobody_locks_themselves() -> None:
    client = staff("administrator")
    answer = client.post(f"/work/accounts/{account_id('administrator')}/lock", {"reason": "试试"})
    assert answer.status_code == 422
    assert client.get("/work/accounts").status_code == 200


def test_devices_are_signed_out_names_changed_and_passwords_reset() -> None:
    client, officer = staff("administrator"), staff("police")
    address = f"/work/accounts/{account_id('police')}"
    assert client.post(f"{address}/sign-out").status_code == 302
    assert officer.get("/work/population").status_code == 302
    assert client.post(f"{address}/rename", {"display_name": "谭警官"}).status_code == 302
    assert "谭警官" in words(client.get(address).content)
    none = client.post(f"{address}/reset-second-factor")
    assert none.status_code == 422  # there is none to reset
    reset = client.post(f"{address}/reset-password")
    password = tree(reset.content).find_class("big")[0].text_content()
    assert staff("police", password).get("/work/population").status_code == 302
    assert password != PASSWORD
    assert client.post(f"{address}/destroy").status_code == 404


# --- audit ----------------------------------------------------------------------------------------------------------


def test_a_whole_log_is_told_whole_and_a_tampered_one_is_found() -> None:
    client = staff("auditor")
    seal_once("default")
    assert "完好" in words(client.post("/work/audit/default/verify").content)
    with transaction.atomic(), connections["default"].cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute("UPDATE audit_entry SET name = 'x' WHERE id = (SELECT entry_id FROM audit_leaf WHERE index = 1)")
    page = words(client.post("/work/audit/default/verify").content)
    assert "发现篡改" in page
    assert "有日志被改动" in page
    assert client.post("/work/audit/elsewhere/verify").status_code == 404


def test_entries_are_found_by_command_outcome_object_and_day_and_refusals_stand_out() -> None:
    staff("insurance").get("/work/audit")
    client = staff("auditor")
    page = words(client.get("/work/audit").content)
    assert "最近的拒绝" in page
    assert "workbench.audit" in page
    refused = words(client.get("/work/audit", {"outcome": "refused"}).content)
    assert "workbench.audit" in refused
    assert "identity.record_sign_in 已完成" not in refused
    by_name = words(client.get("/work/audit", {"name": "identity.record_sign_in"}).content)
    assert "organizations.appoint" not in by_name.split("标识")[-1].split("全部")[-1].replace(
        "organizations.appoint_", ""
    )
    room = client.get("/work/audit", {"name": "organizations"}).content
    assert {row.text_content() for row in tree(room).xpath("//tbody//th/span")} <= {
        "organizations.create_post", "organizations.appoint",
    }  # fmt: skip
    account = str(account_id("auditor"))
    mine = tree(client.get("/work/audit", {"object": account}).content).xpath("//tbody//th")
    assert {row.text_content() for row in mine} == {"登录identity.record_sign_in"}
    none = client.get("/work/audit", {"until_on_year": "2001", "until_on_month": "1", "until_on_day": "1"})
    assert "没有符合的日志" in words(none.content)
    assert client.get("/work/audit", {"object": "李某某"}).status_code == 422


def test_the_log_is_paged_without_gap_or_double() -> None:
    client = staff("auditor")
    for _number in range(60):
        client.get("/work/population")  # refused, and an entry each
    seen: list[str] = []
    address = "/work/audit?outcome=refused"
    while address:
        page = client.get(address).content
        shown = links(page, "/work/audit/default/")
        seen += shown
        following = [a for a in links(page, "?") if "before=" in a]
        address = f"/work/audit{following[0].split('#')[0]}" if following else ""
    assert len(seen) == len(set(seen)) == 60


def test_what_an_entry_says_of_people_needs_a_purpose_and_is_recorded_in_turn() -> None:
    person = mother()
    staff("police").post("/work/population", {**PURPOSE, "number": person.text("number")})
    seal_once("population")
    client = staff("auditor")
    entry = entries(
        "SELECT id FROM audit_entry WHERE name = 'population.search_people' ORDER BY seq DESC LIMIT 1", [], "population"
    )[0][0]
    address = f"/work/audit/population/{entry}"
    page = words(client.get(address).content)
    assert "证明成立" in page
    assert str(person.person_id) not in page
    assert PURPOSE["legal_basis"] not in page
    assert client.post(address, {"legal_basis": "l"}).status_code == 422
    assert refusals("audit.get_detail", "population") == ["access.purpose_missing"]
    shown = words(client.post(address, {"purpose": "supervision", "legal_basis": "《监察法》"}).content)
    assert str(person.person_id) in shown
    assert "number_masked" in shown
    assert person.text("name") not in shown
    reads = entries(
        "SELECT e.name FROM audit_subject s JOIN audit_entry e ON e.id = s.entry_id WHERE s.person_id = %s",
        [person.person_id],
        "population",
    )
    assert ("audit.get_detail",) in reads


def test_every_command_and_reading_has_words_for_the_auditor() -> None:
    from furong.foundation.audit.commands import COMMANDS, READS
    from furong.sites.workbench.words_audit import ACTIONS

    ours = {name for name, made in {**COMMANDS, **READS}.items() if made.__module__.startswith("furong.")}
    assert ours - ACTIONS.keys() == set()
