"""Acting for a child, a parent and an enterprise through the portal's own pages, and what the one acted for sees of it."""

from __future__ import annotations

import re

import pytest
from django.test import Client
from tests.sites.portal.test_pages import page, visitor, words

from furong.foundation.codes.credit_codes import make_credit_code, parse_credit_code

pytestmark = pytest.mark.usefixtures("platform")
FIRM = make_credit_code("9", "1", "430290", 1)


def _mandates(client: Client) -> str:
    return words(page(client, "/account/mandates"))


def _act_for(client: Client, label: str) -> None:
    shown = page(client, "/account/mandates")
    for form in shown.forms:
        if "mandate" in form.fields and label in words(form.getparent()):
            answer = client.post("/account/act", {"mandate": form.fields["mandate"], "next": "/my/"})
            assert answer.status_code == 302
            return
    raise AssertionError(f"nobody to act for: {label}")


def _give(client: Client, username: str, name: str) -> None:
    form = {
        "agent_username": username,
        "agent_name": name,
        "months": "12",
        "reference": "",
        "powers": ["apply", "view"],
    }
    shown = page(client, "/account/mandates/new")
    offered = {box.get("value") for box in shown.xpath("//input[@name='powers']")}
    form["powers"] = sorted(offered)
    answer = client.post("/account/mandates/new", form)
    assert answer.status_code == 302, words(page(client, "/account/mandates/new"))


def _end(client: Client, label: str) -> None:
    shown = page(client, "/account/mandates")
    for form in shown.forms:
        if "/revoke" in (form.action or "") and label in words(form.getparent()):
            assert client.post(form.action, {}).status_code == 302
            return
    raise AssertionError(f"nothing to end: {label}")


def test_a_legal_representative_acts_for_the_enterprise_names_an_agent_and_ends_it() -> None:
    parse_credit_code(FIRM)
    boss, agent = visitor("representative"), visitor("agent")
    wrong = boss.post("/account/mandates/enterprise", {"credit_code": make_credit_code("9", "1", "430290", 2)})
    assert wrong.status_code in {200, 422}  # she does not represent that one
    assert "荷塘月色" not in _mandates(boss)
    assert boss.post("/account/mandates/enterprise", {"credit_code": FIRM}).status_code == 302
    assert "株洲荷塘月色食品有限公司" in _mandates(boss)
    _act_for(boss, "荷塘月色")
    assert boss.get("/my/").status_code == 200
    assert (
        len(page(boss, "/my/").xpath("//a[contains(@href, '/account/mandates')]")) >= 2
    )  # the notice leads to where it is changed
    for address in ("/my/", "/my/licences", "/my/messages", "/my/reads"):
        assert boss.get(address).status_code == 200, address
    # An enterprise has no children: what is for persons is refused, and nothing is begun.
    refused = boss.post("/life/newborn/start", {"division": "430202", "item": []})
    assert refused.status_code == 409
    assert "您现在代表的对象不能申请这项服务" in refused.content.decode()
    _give(boss, "agent", "曾晓雅")
    assert "曾晓雅" in _mandates(boss)
    _act_for(agent, "荷塘月色")
    assert agent.get("/my/").status_code == 200
    _end(boss, "曾晓雅")
    assert "荷塘月色" not in _mandates(agent)
    assert not re.search("荷塘月色", words(page(agent, "/my/")))


def test_a_daughter_acts_for_her_father_who_sees_it_and_ends_it() -> None:
    elder, daughter = visitor("elder"), visitor("representative")
    _give(elder, "representative", "罗红霞")
    assert "罗红霞" in _mandates(elder)
    _act_for(daughter, "罗松柏")
    assert daughter.get("/my/licences").status_code == 200
    _end(elder, "罗红霞")
    assert "罗松柏" not in _mandates(daughter)


def test_parents_act_for_a_minor_child_by_the_registers_word() -> None:
    from django.contrib.auth import get_user_model

    from furong.registries.population import demo

    account = get_user_model().objects.get(username="agent")
    account.person_id = demo.person_id("single_mother")
    account.save()
    mother = visitor("agent")
    told = _mandates(mother)
    assert "任知远" in told
    assert "未成年" in told or "父母" in told
    _act_for(mother, "任知远")
    assert mother.get("/my/licences").status_code == 200
    answer = visitor("elder").get("/account/mandates")
    assert "任知远" not in answer.content.decode()
