"""Members, gateways, keys and services: who may, what each leaves in the configuration, and what a restriction does."""

from __future__ import annotations

import json
from base64 import b64decode
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from furong.domains.catalogue.grants import granting
from furong.domains.exchange import commands, enrolling, issuing, models, queries, tasks
from furong.domains.exchange.compiling import catalogue_grant, compile_configuration
from furong.domains.exchange.errors import (
    CodeMalformed,
    EnrolmentRefused,
    FingerprintDiffers,
    GatewayMoved,
    KeyKnown,
    KeyNotFound,
    KeyUnreadable,
    MemberKnown,
    MemberNotFound,
    ResourceWithoutRows,
    ServiceKnown,
)
from furong.foundation.access.errors import AccessRefused
from furong.foundation.access.values import Actor, ActorKind
from furong.foundation.codes.ids import new_id
from furong.foundation.organizations import queries as organizations
from furong_link.configuration import read_configuration
from furong_link.enrolment import read_answer, seal_request
from furong_link.keys import SoftwareKey, verifier
from tests.domains.exchange.setting import SYSTEM, Exchange, admit, approve, enrol, make, request_of

pytestmark = pytest.mark.usefixtures("platform")


@pytest.fixture
def made(platform: object, monkeypatch: pytest.MonkeyPatch) -> Exchange:
    # Nobody listens at the gateways' addresses here: what cannot be pushed is listed at once.
    monkeypatch.setattr(issuing, "PUSH_SECONDS", 0.01)
    return make()


def payload() -> dict[str, Any]:
    newest = issuing.newest_file(beyond=0)
    assert newest is not None
    found: dict[str, Any] = json.loads(b64decode(json.loads(newest[1])["payload"]))
    return found


def grants(service: str, consumer: str) -> list[dict[str, Any]]:
    return [g for g in payload()["grants"] if (g["service"], g["consumer"]) == (service, consumer)]


def test_a_gateway_enrolled_with_its_code_is_live_once_its_fingerprint_was_compared() -> None:
    now = datetime.now(UTC)
    code = admit("zz-housing", now=now)
    key, sealed = enrol("housing-1", code, now=now)
    answer = read_answer(sealed, code=code)
    assert answer["member"] == "zz-housing"
    assert answer["operator"]["public"] == issuing.operator_public()
    assert payload()["gateways"] == []
    with pytest.raises(FingerprintDiffers):
        commands.approve_gateway(gateway="housing-1", fingerprint="0000 0000", actor=SYSTEM, now=now)
    with pytest.raises(FingerprintDiffers):
        commands.approve_gateway(gateway="housing-1", fingerprint="", actor=SYSTEM, now=now)
    approve("housing-1", key, now=now)
    assert [one["id"] for one in payload()["gateways"]] == ["housing-1"]
    assert [one["id"] for one in payload()["keys"]] == ["housing-1/gateway/1"]
    with pytest.raises(GatewayMoved):
        approve("housing-1", key, now=now)


def test_a_wrong_used_or_late_code_and_a_foreign_key_are_refused_alike() -> None:
    now = datetime.now(UTC)
    code = admit("zz-housing", now=now)
    other = SoftwareKey.generate(key_id="housing-1/gateway/1")
    with pytest.raises(EnrolmentRefused):
        enrol("housing-1", "AAAA-BBBB-CCCC-DDDD", now=now)
    with pytest.raises(EnrolmentRefused):
        enrol("housing-1", code, now=now + timedelta(days=8))
    key, _ = enrol("housing-1", code, now=now)
    again = seal_request(request_of("housing-1", key), code=code, signer=key)
    enrolling.enrol_gateway(sent=again, actor=SYSTEM, now=now)  # the answer was lost
    with pytest.raises(EnrolmentRefused):
        enrolling.enrol_gateway(
            sent=seal_request(request_of("housing-1", other), code=code, signer=other), actor=SYSTEM, now=now
        )
    forged = seal_request(request_of("housing-1", key), code=code, signer=key)
    forged["request"]["authority"] = "elsewhere:1"
    with pytest.raises(EnrolmentRefused):
        enrolling.enrol_gateway(sent=forged, actor=SYSTEM, now=now)
    renewed = commands.renew_code(member="zz-housing", actor=SYSTEM, now=now)
    assert renewed != code
    with pytest.raises(EnrolmentRefused):
        enrolling.enrol_gateway(sent=again, actor=SYSTEM, now=now)


def test_the_catalogues_grants_are_in_the_signed_configuration_for_members_only(made: Exchange) -> None:
    newest = issuing.newest_file(beyond=0)
    assert newest is not None
    read = read_configuration(newest[1], operator=verifier(algorithm="ed25519", public=issuing.operator_public()))
    assert read.serial == newest[0]
    assert read.staleness(made.now.timestamp()) == "fresh"
    housing = grants("marriages", "zz-housing")
    assert [one["paths"] for one in housing] == [["/one/*"]]
    assert set(housing[0]["fields"]) == {"certificate_number", "registered_on", "wife", "husband"}
    assert housing[0]["quota"] == {"calls": 5000, "seconds": 86400}
    assert grants("births", "hunan")
    assert not grants("births", "zz-housing")


def test_a_revoked_grant_is_out_of_the_configuration_before_the_command_returns(made: Exchange) -> None:
    issuing_before = payload()["serial"]
    grant = catalogue_grant(grants("marriages", "zz-housing")[0]["id"])
    assert grant is not None
    granting.revoke_grant(grant_id=grant, reason="不再需要", actor=SYSTEM, now=made.now)
    assert not grants("marriages", "zz-housing")
    assert payload()["serial"] > issuing_before


def test_gateways_that_a_restriction_did_not_reach_are_listed_until_they_fetch_it(made: Exchange) -> None:
    commands.suspend_member(member="zz-housing", actor=SYSTEM, now=made.now)
    assert [one for one in payload()["members"] if one["suspended"]] == [{"id": "zz-housing", "suspended": True}]
    monitor = queries.get_monitor(actor=SYSTEM, now=made.now)
    assert set(monitor.unreached) == {"hospital-1", "housing-1", "province-1"}
    issuing.note_held(gateway="hospital-1", serial=monitor.serial, now=made.now)
    assert set(queries.get_monitor(actor=SYSTEM, now=made.now).unreached) == {"housing-1", "province-1"}
    commands.resume_member(member="zz-housing", actor=SYSTEM, now=made.now)
    assert not [one for one in payload()["members"] if one["suspended"]]


def test_a_void_key_and_a_gateway_shut_out_leave_with_what_hung_on_them(made: Exchange) -> None:
    commands.revoke_key(key_id="zz-housing/rental/1", reason="遗失", actor=SYSTEM, now=made.now)
    assert {one["id"] for one in payload()["keys"] if one["revoked"]} == {"zz-housing/rental/1"}
    with pytest.raises(KeyNotFound):
        commands.revoke_key(key_id="zz-housing/rental/1", reason="遗失", actor=SYSTEM, now=made.now)
    with pytest.raises(KeyNotFound):
        commands.revoke_key(key_id="hospital-1/gateway/1", reason="", actor=SYSTEM, now=made.now)
    commands.revoke_gateway(gateway="hospital-1", actor=SYSTEM, now=made.now)
    assert "births" not in {one["id"] for one in payload()["services"]}
    assert not grants("births", "hunan")
    assert "hospital-1" not in {one["id"] for one in payload()["gateways"]}


def test_a_configuration_is_renewed_after_two_minutes_and_left_alone_before(made: Exchange) -> None:
    serial = payload()["serial"]
    assert tasks.keep(now=made.now + timedelta(seconds=5)) is False
    assert payload()["serial"] == serial
    tasks.keep(now=made.now + timedelta(seconds=121))
    assert payload()["serial"] == serial + 1
    rows = models.Configuration.objects.count()
    tasks.tidy(now=made.now + timedelta(days=8))
    assert models.Configuration.objects.count() == 1 < rows


def test_what_is_not_of_the_form_or_there_already_is_refused(made: Exchange) -> None:
    now = made.now
    with pytest.raises(MemberKnown):
        admit("zz-housing", now=now)
    body = organizations.get_responsible(department="police", division_code="430000")
    with pytest.raises(CodeMalformed):
        commands.admit_member(code="No Code", organization_id=body.id, actor=SYSTEM, now=now)
    with pytest.raises(KeyUnreadable):
        commands.register_key(member="hunan", system="other", key="ed25519:AAAA", actor=SYSTEM, now=now)
    same = made.keys["rental"]
    with pytest.raises(KeyKnown):
        commands.register_key(member="hunan", system="other", key=f"ed25519:{same.public}", actor=SYSTEM, now=now)
    with pytest.raises(ServiceKnown):
        commands.publish_service(
            code="births",
            resource_code="birth_records",
            gateway="hospital-1",
            is_platforms=False,
            actor=SYSTEM,
            now=now,
        )
    with pytest.raises(ResourceWithoutRows):
        commands.publish_service(
            code="cards",
            resource_code="identity_cards",
            gateway="province-1",
            is_platforms=True,
            actor=SYSTEM,
            now=now,
        )


def test_a_small_member_is_hosted_at_anothers_gateway_and_a_suspended_one_neither_asks_nor_answers(
    made: Exchange,
) -> None:
    now = made.now
    body = organizations.get_responsible(department="police", division_code="430000")
    commands.admit_member(code="gat", organization_id=body.id, actor=SYSTEM, now=now)
    cards = {"resource_code": "identity_cards", "is_platforms": False, "actor": SYSTEM, "now": now}
    for gateway, provider, refusal in (
        ("province-1", "nobody", MemberNotFound),
        ("province-1", "zz-housing", GatewayMoved),  # it has a gateway, and answers through that
    ):
        with pytest.raises(refusal):
            commands.publish_service(code="cards", gateway=gateway, provider=provider, **cards)  # type: ignore[arg-type]
    commands.publish_service(code="cards", gateway="province-1", provider="gat", **cards)  # type: ignore[arg-type]

    def services() -> dict[str, str]:
        return {one["id"]: one["provider"] for one in compile_configuration(now=now).payload["services"]}

    assert services() == {"births": "zz-fuyou", "marriages": "hunan", "cards": "gat"}
    commands.suspend_member(member="gat", actor=SYSTEM, now=now)
    assert services() == {"births": "zz-fuyou", "marriages": "hunan"}
    commands.resume_member(member="gat", actor=SYSTEM, now=now)
    commands.suspend_member(member="hunan", actor=SYSTEM, now=now)  # whose gateway it is
    assert services() == {"births": "zz-fuyou"}


def test_only_the_operator_reads_and_writes_here(made: Exchange) -> None:
    clerk = Actor(kind=ActorKind.STAFF, account_id=new_id(), post_id=new_id())
    with pytest.raises(AccessRefused):
        commands.suspend_member(member="zz-housing", actor=clerk, now=made.now)
    with pytest.raises(AccessRefused):
        queries.get_monitor(actor=clerk, now=made.now)
    with pytest.raises(AccessRefused):
        queries.get_member(member="hunan", actor=clerk, now=made.now)
