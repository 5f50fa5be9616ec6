"""Requests and grants for programs: the pages' commands, rights and refusals, and nothing of what is not one's own."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import settings

from furong.foundation.access import sharing
from furong.foundation.codes.ids import new_id
from furong.foundation.organizations import queries as organizations
from tests.sites.workbench.staff import refusals, staff

pytestmark = pytest.mark.usefixtures("platform")

API = "/api/catalogue"
TERMS = {"items": ["name", "address"], "days": 90, "methods": ["interface"]}
ASKED = {
    "resource_code": "police_stations",
    "scenario": "核对新生儿落户",
    "legal_basis": "社会保险法 第七十四条",
    "terms": TERMS,
}


@pytest.fixture(autouse=True)
def _short_leases(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(settings, "ACCESS_LEASE_SECONDS", 0.05, raising=False)
    sharing.BOOK.forget()
    yield
    sharing.BOOK.forget()


class Program:
    """A member of staff who speaks JSON."""

    def __init__(self, username: str) -> None:
        self.client = staff(username)

    def get(self, path: str, status: int = 200, **query: object) -> Any:
        answer = self.client.get(f"{API}{path}", query)
        assert answer.status_code == status, answer.content.decode()
        return answer.json()

    def post(self, path: str, body: object, status: int = 200) -> Any:
        answer = self.client.post(f"{API}{path}", json.dumps(body), content_type="application/json")
        assert answer.status_code == status, answer.content.decode()
        return answer.json()


def test_a_request_goes_from_its_submission_to_a_grant_in_force_and_is_revoked() -> None:
    officer, steward = Program("officer"), Program("steward")
    request = officer.post("/requests", ASKED, 201)["id"]
    found = officer.get(f"/requests/{request}")
    assert (found["state"], found["sharing"], found["may"]) == ("submitted", "unconditional", ["withdraw"])
    assert found["terms"]["items"] == ["name", "address"]
    assert [one["id"] for one in officer.get("/requests", box="mine")["rows"]].count(request) == 1
    assert request in [one["id"] for one in steward.get("/requests", box="waiting")["rows"]]
    narrower = {**TERMS, "items": ["name"], "days": 30}
    found = steward.post(f"/requests/{request}/acts", {"act": "consent", "terms": narrower})
    assert (found["state"], found["agreed"]["items"]) == ("consented", ["name"])
    grant = found["grant_id"]
    assert officer.post(f"/grants/{grant}/acts", {"act": "sign"})["state"] == "offered"
    signed = steward.post(f"/grants/{grant}/acts", {"act": "sign"})
    assert (signed["state"], signed["is_in_force"], signed["terms"]["items"]) == ("active", True, ["name"])
    assert [one["is_good"] for one in signed["entries"] if one["act"].startswith("sign")] == [True, True]
    assert grant in [one["id"] for one in officer.get("/grants", resource="police_stations")]
    assert officer.get("/grants", page=50) == []
    assert steward.post(f"/grants/{grant}/acts", {"act": "suspend", "words": "检查"})["state"] == "suspended"
    assert steward.post(f"/grants/{grant}/acts", {"act": "resume"})["state"] == "active"
    ended = officer.post(f"/grants/{grant}/acts", {"act": "revoke", "words": "停办"})
    assert (ended["state"], ended["is_in_force"], ended["may"]) == ("revoked", False, [])


def test_a_grant_is_passed_on_narrower_and_never_wider() -> None:
    officer = Program("officer")
    (held,) = [one for one in officer.get("/grants", resource="population_persons") if one["terms"]["delegable"]]
    below = organizations.get_responsible(department="medical_insurance", division_code="430202")
    terms = {**held["terms"], "items": ["name"], "days": 30, "delegable": False}
    wider = {"act": "delegate", "organization_id": str(below.id), "terms": {**terms, "items": ["name", "ethnicity"]}}
    assert officer.post(f"/grants/{held['id']}/acts", wider, 409)["code"] == "catalogue.grant_too_wide"
    bare = officer.post(f"/grants/{held['id']}/acts", {"act": "delegate"}, 422)
    assert bare["code"] == "catalogue.request_refused"
    child = officer.post(f"/grants/{held['id']}/acts", {**wider, "terms": terms})
    assert (child["parent_id"], child["terms"]["items"], child["is_in_force"]) == (held["id"], ["name"], True)
    assert [one["id"] for one in officer.get(f"/grants/{held['id']}")["children"]] == [child["id"]]


def test_what_cannot_be_had_is_refused_as_the_pages_refuse_it() -> None:
    officer, steward = Program("officer"), Program("steward")

    def asked(**changed: Any) -> dict[str, Any]:
        return {**ASKED, "terms": {**TERMS, **changed}}

    for body, code in (
        (asked(items=[]), "catalogue.request_refused"),
        (asked(items=["no_such"]), "catalogue.request_refused"),
        (asked(methods=["mail"]), "catalogue.request_refused"),
        (asked(services=["household_registration"]), "catalogue.request_refused"),  # the police's own service
        (asked(services=["no_such_service"]), "catalogue.request_refused"),
        ({**ASKED, "scenario": " "}, "catalogue.request_refused"),
    ):
        assert officer.post("/requests", body, 422)["code"] == code, body
    own = {**ASKED, "resource_code": "insured_persons", "terms": {**TERMS, "items": ["area"]}}
    assert officer.post("/requests", own, 409)["code"] == "catalogue.own_resource"
    secret = {**ASKED, "resource_code": "adoptions"}
    assert officer.post("/requests", secret, 404)["code"] == "catalogue.resource_missing"
    for wrong in (asked(days=0), asked(days=5000), asked(daily_quota=0), {}, asked(items="name")):
        assert officer.post("/requests", wrong, 422)["errors"]
    first = officer.post("/requests", asked(services=["maternity_benefit"]), 201)["id"]
    assert officer.get(f"/requests/{first}")["terms"]["services"] == ["maternity_benefit"]
    assert officer.post("/requests", ASKED, 409)["code"] == "catalogue.request_open"
    steward.post(f"/requests/{first}/acts", {"act": "ask", "words": ""}, 409)
    assert steward.post(f"/requests/{first}/acts", {"act": "ask", "words": "请说明"})["state"] == "to_supplement"
    assert officer.post(f"/requests/{first}/acts", {"act": "supplement", "words": "三级"})["state"] == "submitted"
    assert steward.post(f"/requests/{first}/acts", {"act": "refuse", "words": "超出职责"})["reason"] == "超出职责"
    assert officer.post(f"/requests/{first}/acts", {"act": "withdraw"}, 409)["code"] == "catalogue.act_impossible"
    steward.post(f"/requests/{first}/acts", {"act": "explode"}, 422)


def test_what_is_not_ones_own_is_missing_like_what_never_was() -> None:
    officer, steward = Program("officer"), Program("steward")
    (waiting,) = steward.get("/requests", box="waiting")["rows"]
    grants = officer.get("/grants")
    assert grants
    for username in ("police", "mother", "auditor"):  # without the rights of data officers
        program = Program(username)
        for path in ("/requests", "/grants", f"/requests/{waiting['id']}", f"/grants/{grants[0]['id']}"):
            program.get(path, 403)
        program.post("/requests", ASKED, 403)
        program.post(f"/grants/{grants[0]['id']}/acts", {"act": "revoke", "words": "x"}, 403)
    outsider = Program("")
    outsider.get("/requests", 401)
    never = str(new_id())
    for path in (f"/requests/{never}", f"/grants/{never}"):
        assert officer.get(path, 404)["code"] == "catalogue.request_missing"
    of_others = [one for one in Program("catalogue").get("/grants") if one not in grants]
    assert of_others, "the data authority sees more"
    hidden = of_others[0]
    assert hidden["id"] not in {one["id"] for one in grants}
    missing = officer.get(f"/grants/{never}", 404)
    assert {**officer.get(f"/grants/{hidden['id']}", 404), "request_id": ""} == {**missing, "request_id": ""}
    before = len(refusals("catalogue.revoke_grant"))
    officer.post(f"/grants/{hidden['id']}/acts", {"act": "revoke", "words": "x"}, 404)
    assert len(refusals("catalogue.revoke_grant")) == before + 1
