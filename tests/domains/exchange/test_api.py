"""The centre over HTTP: who gets the configuration, what a report leaves, and rows that the platform shares with no code."""

from __future__ import annotations

import json
import secrets
import time
from base64 import b64encode
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django.contrib.auth import get_user_model
from django.test import Client

from furong.domains.exchange import issuing, models, queries, shared_rows
from furong.foundation.access import using
from furong.foundation.audit import queries as audit
from furong.foundation.codes.ids import new_id
from furong.registries.population import demo
from furong_link import profile
from furong_link.archive import Head
from furong_link.certificates import make_certificate
from furong_link.enrolment import seal_request
from furong_link.evidence import head_bytes
from furong_link.keys import SoftwareKey
from furong_link.traffic import TrafficBook
from tests.domains.exchange.setting import SYSTEM, Exchange, admit, make, request_of
from tests.domains.exchange.test_commands import grants, payload

pytestmark = pytest.mark.usefixtures("platform")
CONFIGURATION, REPORTS = "/api/exchange/configuration", "/api/exchange/reports"


@pytest.fixture
def made(platform: object, monkeypatch: pytest.MonkeyPatch) -> Exchange:
    monkeypatch.setattr(issuing, "PUSH_SECONDS", 0.01)
    return make()


def ask(key: SoftwareKey, method: str, path: str, content: bytes = b"", *, at: float | None = None, **more: str) -> Any:
    digest = profile.content_digest(content, algorithm=key.algorithm)
    request = profile.Request(method, "127.0.0.1", path, "application/json", digest, "centre", "c-12345678")
    signed = profile.sign_request(
        request, signer=key, created=int(at or time.time()), nonce=secrets.token_urlsafe(16)
    ).headers()
    return Client(SERVER_NAME="127.0.0.1").generic(
        method,
        path,
        data=more.pop("sent", None) or content,
        content_type="application/json",
        CONTENT_TYPE="application/json",
        headers={
            "Content-Digest": digest,
            "Furong-Grant": "centre",
            "Furong-Message": "c-12345678",
            "Signature-Input": signed["signature-input"],
            "Signature": signed["signature"],
            "Accept": "application/json",
            **more,
        },
    )


def report(key: SoftwareKey, *, number: int = 1, boot: str = "a", **more: Any) -> Any:
    content = json.dumps({"boot": boot, "number": number, "traffic": [], **more}).encode()
    return ask(key, "POST", REPORTS, content)


def head(key: SoftwareKey, size: int, root: bytes = b"\1" * 32) -> dict[str, object]:
    at = "2026-11-23T00:00:00.000000Z"
    signature = key.sign(head_bytes(log="l", size=size, root=root, at=at))
    return Head("l", size, root, at, key.key_id, key.algorithm, signature).as_json()


def test_a_live_gateway_gets_the_newest_configuration_once(made: Exchange) -> None:
    key = made.keys["hospital-1"]
    found = ask(key, "GET", CONFIGURATION, **{"If-None-Match": '"0"'})
    assert found.status_code == 200
    serial = json.loads(found["ETag"])
    assert found.content == (issuing.newest_file(beyond=0) or (0, b""))[1]
    assert ask(key, "GET", CONFIGURATION, **{"If-None-Match": f'"{serial}"'}).status_code == 304
    assert models.Gateway.objects.get(code="hospital-1").held_serial == int(serial)


def test_strangers_old_requests_changed_content_and_gateways_that_wait_are_refused(made: Exchange) -> None:
    stranger = SoftwareKey.generate(key_id="hospital-1/gateway/1")
    assert ask(stranger, "GET", CONFIGURATION).status_code == 403
    assert ask(made.keys["rental"], "GET", CONFIGURATION).status_code == 403  # a system is no gateway
    assert ask(made.keys["hospital-1"], "GET", CONFIGURATION, at=time.time() - 120).status_code == 403
    assert ask(made.keys["hospital-1"], "POST", REPORTS, b'{"a": 1}', sent='{"a": 2}').status_code == 403
    assert Client(SERVER_NAME="127.0.0.1").get(CONFIGURATION).status_code == 403
    models.Gateway.objects.filter(code="hospital-1").update(state="revoked")
    assert ask(made.keys["hospital-1"], "GET", CONFIGURATION).json()["code"] == "exchange.gateway_refused"


def test_an_enrolment_over_http_is_answered_under_the_code_only() -> None:
    now = datetime.now(UTC)
    code = admit("zz-housing", now=now)
    key = SoftwareKey.generate(key_id="housing-1/gateway/1")
    sent = seal_request(request_of("housing-1", key), code=code, signer=key)
    client = Client(SERVER_NAME="127.0.0.1")
    post = {"path": "/api/exchange/enrolments", "content_type": "application/json"}
    assert client.post(data=json.dumps({**sent, "seal": "0" * 64}), **post).status_code == 403
    assert client.post(data="[]", **post).status_code == 403
    assert client.post(data=json.dumps(sent), **post).status_code == 201


def test_a_report_counts_once_even_when_it_comes_again(made: Exchange) -> None:
    book, now = TrafficBook(), time.time()
    grant = grants("births", "hunan")[0]["id"]
    for outcome, seconds in (("ok", 0.004), ("ok", 0.03), ("provider_timeout", 4.0), ("grant_unknown", 0.001)):
        book.note(at=now, consumer="hunan", service="births", grant=grant, outcome=outcome, seconds=seconds)
    lines = book.take()
    assert book.take() == []
    key = made.keys["hospital-1"]
    for _ in range(2):
        assert report(key, number=1, traffic=lines, quotas={grant: 3}).status_code == 204
    assert report(key, number=2, traffic=lines).status_code == 204
    monitor = queries.get_monitor(actor=SYSTEM, now=datetime.now(UTC))
    assert monitor.messages == 8
    assert {cause.value: count for cause, count in monitor.causes.items()} == {
        "none": 4,
        "caller": 2,
        "gateway": 0,
        "provider": 2,
    }
    assert [(flow.consumer, flow.provider, flow.messages) for flow in monitor.flows] == [("hunan", "zz-fuyou", 8)]
    assert (monitor.p50_ms, monitor.p99_ms) == (5, 5000)
    # The member's own system was read under the grant: it does not rest for want of use.
    used = using.last_used(grant_ids=[UUID(grant.partition(".")[0])])
    assert len(used) == 1


@pytest.mark.parametrize("body", [b"[]", b"{", b'{"boot": "a"}', b'{"boot":"a","number":1,"traffic":[{"minute":1}]}'])
def test_a_report_of_another_form_is_refused_and_changes_nothing(made: Exchange, body: bytes) -> None:
    assert ask(made.keys["hospital-1"], "POST", REPORTS, body).status_code in (400, 409, 422)
    assert models.Gateway.objects.get(code="hospital-1").reported_at is None


ODD = (None, [], -1, True, {"a": {"b": []}}, "2026-01-01T00:00:00")


def test_whatever_a_gateway_says_of_itself_the_operators_pages_stand(made: Exchange) -> None:
    names = ("ready", "evidence", "records", "configuration", "configuration_age_seconds", "configuration_staleness")
    quota, operator = grants("births", "hunan")[0]["id"], get_user_model().objects.get(username="administrator")
    client = Client(SERVER_NAME="127.0.0.1")
    client.force_login(operator, backend="django.contrib.auth.backends.ModelBackend")
    for number, odd in enumerate(ODD):
        whole = {"health": odd, "quotas": odd, "certificate_until": odd, "at": odd, "software": odd}
        parts = {"health": dict.fromkeys(names, odd), "quotas": {"g": odd, quota: odd}}
        for half, more in enumerate((whole, parts)):
            assert report(made.keys["hospital-1"], number=2 * number + half + 1, **more).status_code == 204
            found = queries.get_gateway(gateway="hospital-1", actor=SYSTEM, now=datetime.now(UTC))
            assert set(found.warnings) <= {"evidence"}
            assert found.report["certificate_until"] is None
        for address in ("/work/exchange", "/work/exchange/gateways/hospital-1"):
            assert client.get(address).status_code == 200, odd


def test_a_log_that_shrinks_differs_or_is_signed_by_another_is_shown(made: Exchange) -> None:
    key = made.keys["hospital-1"]

    def warnings() -> tuple[str, ...]:
        return queries.get_gateway(gateway="hospital-1", actor=SYSTEM, now=datetime.now(UTC)).warnings

    report(key, number=1, head=head(key, 5))
    report(key, number=2, head=head(key, 9, b"\2" * 32))
    assert not [one for one in warnings() if one.startswith("log_")]
    report(key, number=3, head=head(key, 7, b"\3" * 32))
    assert "log_shrank" in warnings()
    report(key, number=4, head=head(key, 9, b"\4" * 32))
    assert "log_differs" in warnings()
    report(key, number=5, head=head(made.keys["housing-1"], 12))
    assert "log_unsigned" in warnings()


def test_what_is_near_its_end_silent_or_cannot_write_is_warned_of(made: Exchange) -> None:
    key, now = made.keys["hospital-1"], datetime.now(UTC)
    grant = grants("marriages", "zz-housing")[0]["id"]
    report(
        key,
        certificate_until=(now + timedelta(days=3)).isoformat(),
        quotas={grant: 4600},
        health={"evidence": "full", "configuration_staleness": "old"},
    )
    found = set(queries.get_gateway(gateway="hospital-1", actor=SYSTEM, now=now).warnings)
    assert found == {"evidence", "configuration_old", "certificate", "quota"}
    later = queries.get_gateway(gateway="hospital-1", actor=SYSTEM, now=now + timedelta(days=700)).warnings
    assert {"silent", "key"} <= set(later)
    assert queries.get_gateway(gateway="housing-1", actor=SYSTEM, now=now).warnings == ("never_seen",)


def test_a_gateway_says_where_others_meet_it_and_its_last_certificate_stays_beside_the_new_one(
    made: Exchange, tmp_path: Path
) -> None:
    key = made.keys["hospital-1"]
    ders = [
        b64encode(make_certificate(tmp_path / f"{n}.pem", tmp_path / f"{n}.key", name="hospital-1")).decode()
        for n in range(3)
    ]
    for number, der in enumerate(ders, start=1):
        assert (
            report(key, number=number, peer={"address": "https://h.example:8602", "certificate": der}).status_code
            == 204
        )
    issuing.issue(now=datetime.now(UTC))  # as the worker does each second
    (gateway,) = [one for one in payload()["gateways"] if one["id"] == "hospital-1"]
    assert gateway["peer"] == {"address": "https://h.example:8602", "certificates": ders[:0:-1]}
    for wrong in (
        {"address": "http://h.example:8602", "certificate": ders[0]},
        {"address": "https://h.example:8602/x", "certificate": ders[0]},
        {"address": "https://h.example:8602", "certificate": "AAAA"},
        {"address": "https://h.example:8602", "certificate": "no"},
    ):
        assert report(key, number=9, peer=wrong).status_code == 422


# --- rows with no code --------------------------------------------------------------------------------------------------


def rows(path: str, *, grant: str, consumer: str = "zz-housing", token: str | None = None, address: str = "") -> Any:
    return Client(SERVER_NAME="127.0.0.1").get(
        f"/api/exchange/rows/{path}",
        headers={
            "Authorization": f"Bearer {shared_rows.rows_token() if token is None else token}",
            "Furong-Consumer": consumer,
            "Furong-Grant": grant,
            "Furong-Message": "m-12345678",
        },
        REMOTE_ADDR=address or "127.0.0.1",
    )


def test_a_marriage_goes_out_under_its_grant_and_both_people_see_it(made: Exchange) -> None:
    mother = demo.person_id("mother")
    grant = grants("marriages", "zz-housing")[0]["id"]
    answer = rows(f"marriages/one/{mother}?case={new_id()}", grant=grant)
    assert answer.status_code == 200
    (row,) = answer.json()["rows"]
    assert set(row) == {"certificate_number", "registered_on", "wife", "husband"}
    for person in (mother, UUID(row["husband"])):
        read = audit.list_reads_of_person(person_id=person, limit=1)[0]
        assert read.what == "exchange.read_rows"
        assert read.grant.startswith("SQ")
        assert "公共租赁住房" in read.purpose
        assert "住房" in read.organization_label


def test_without_a_case_a_grant_a_token_or_from_elsewhere_no_row_goes_out(made: Exchange) -> None:
    mother, case = demo.person_id("mother"), f"?case={new_id()}"
    grant = grants("marriages", "zz-housing")[0]["id"]
    before = len(audit.list_reads_of_person(person_id=mother, limit=50))
    assert rows(f"marriages/one/{mother}", grant=grant).json()["code"] == "access.case_needed"
    assert rows(f"marriages/rows{case}", grant=grant).json()["code"] == "access.case_needed"
    assert rows(f"marriages/one/{mother}{case}", grant=str(new_id())).json()["code"] == "access.grant_not_in_force"
    assert rows(f"marriages/one/{mother}{case}", grant=grant, consumer="zz-fuyou").status_code >= 400
    assert rows(f"marriages/one/{mother}{case}", grant=grant, token="x" * 64).status_code == 403
    assert rows(f"marriages/one/{mother}{case}", grant=grant, address="10.9.8.7").status_code == 403
    assert rows(f"births/one/{mother}{case}", grant=grant).status_code == 404
    assert len(audit.list_reads_of_person(person_id=mother, limit=50)) == before


def test_any_resource_with_rows_is_served_with_no_code_narrowed_and_filtered(made: Exchange) -> None:
    found = shared_rows.catalogue_data.find_all_rows(code="divisions")
    assert found
    one = found[0]
    question = shared_rows.Question(
        service="x", consumer="x", grant="x", message="x", filters={"level": str(one["level"])}
    )
    kept = [
        row for row in shared_rows._rows("divisions", question) if shared_rows._fits(row, {"code": one["code"]}, row)
    ]
    assert kept == [one]
    assert not shared_rows._fits(one, {"name": one["name"]}, {"code"})  # a filter on what is not granted tells nothing
