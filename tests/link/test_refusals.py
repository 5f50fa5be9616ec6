"""Every refusal at the door names its cause, is signed where the sender signed, and is on record."""

from __future__ import annotations

import json
import secrets
import socket
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from furong_link import profile
from furong_link.client import Refused
from furong_link.errors import ConfigurationError, UnverifiedReplyError
from furong_link.keys import SoftwareKey
from tests.link.conftest import Exchange


def _refused(exchange: Exchange, target: str, *, grant: str, method: str = "GET", **changes: Any) -> Refused:
    with exchange.link(**changes) as link, pytest.raises(Refused) as caught:
        link.request(method, target, grant=grant)
    return caught.value


@pytest.mark.parametrize(
    ("method", "target", "grant", "code", "status"),
    [
        ("GET", "/births/list", "unknown", "grant_unknown", 403),
        ("GET", "/births/list", "others", "grant_of_another", 403),
        ("GET", "/births/list", "over", "grant_not_valid", 403),
        ("GET", "/births/list", "files", "service_not_granted", 403),
        ("POST", "/births/list", "births-for-housing", "method_not_granted", 403),
        ("GET", "/births/hidden", "births-for-housing", "path_not_granted", 403),
        ("GET", "/births/one/../hidden", "births-for-housing", "malformed_target", 400),
        ("GET", "/births/one/%2E%2E/hidden", "births-for-housing", "malformed_target", 400),
        ("GET", "/births/one/1", "births-for-housing", "row_out_of_scope", 403),
        ("GET", "/births/text", "births-for-housing", "provider_not_filterable", 502),
        ("GET", "/births/broken", "births-for-housing", "provider_refused", 502),
    ],
)
def test_a_grant_that_does_not_fit_is_refused(
    exchange: Exchange, method: str, target: str, grant: str, code: str, status: int
) -> None:
    refused = _refused(exchange, target, grant=grant, method=method)
    assert (refused.problem.code, refused.problem.status) == (code, status)
    assert "secret" not in refused.problem.detail
    record = exchange.records()[refused.record.index]
    assert (record["kind"], record["code"], record["consumer"]) == ("refused", code, "housing")
    if not code.startswith(("provider", "row")):
        assert not exchange.seen


def test_a_quota_is_used_up_and_stays_so_after_a_restart(prepared: Exchange) -> None:
    prepared.start()
    with prepared.link() as link:
        for _ in range(2):
            assert link.get("/files/a", grant="scarce").status == 200
    refused = _refused(prepared, "/files/a", grant="scarce")
    prepared.stop()
    prepared.start()
    again = _refused(prepared, "/files/a", grant="scarce")
    prepared.stop()
    for found in (refused, again):
        assert found.problem.code == "quota_exhausted"
        assert found.retry_after_seconds is not None
        assert 0 < found.retry_after_seconds <= 86400


def test_a_withdrawn_grant_a_revoked_key_and_a_suspended_member_are_out_with_the_next_call(exchange: Exchange) -> None:
    payload = exchange.payload()
    with exchange.link() as link:
        link.get("/births/list", grant="births-for-housing")
        exchange.reconfigure(grants=[grant | {"withdrawn": True} for grant in payload["grants"]])
        assert _refused(exchange, "/files/a", grant="files").problem.code == "grant_not_valid"
        exchange.reconfigure(keys=[key | {"revoked": key["member"] == "housing"} for key in payload["keys"]])
        assert _refused(exchange, "/files/a", grant="files").problem.code == "key_not_valid"
        exchange.reconfigure(members=[{"id": "hospital"}, {"id": "housing", "suspended": True}, {"id": "other"}])
        assert _refused(exchange, "/files/a", grant="files").problem.code == "member_suspended"
        exchange.reconfigure()
        assert link.get("/files/a", grant="files").record.configuration == exchange.serial


def test_an_older_or_foreign_configuration_is_not_taken(exchange: Exchange) -> None:
    exchange.reconfigure()
    held = exchange.gateway.configuration
    old, stranger = exchange.file(serial=1), SoftwareKey.generate(key_id="x")
    from furong_link.configuration import sign_configuration

    foreign = sign_configuration(exchange.payload(serial=9), signer=stranger)
    twin = exchange.file(serial=exchange.serial)
    for file in (old, twin, foreign, b"{}", b"", exchange.file(serial=9, exchange="elsewhere")):
        with pytest.raises(ConfigurationError):
            exchange.do(lambda file=file: exchange.gateway.take_configuration(file))
    assert exchange.gateway.configuration is held


def test_a_configuration_ages_in_grades_and_stops_only_after_its_limit(prepared: Exchange) -> None:
    hours = timedelta(hours=20)
    issued = (datetime.now(UTC) - hours).isoformat()
    (prepared.folder / "configuration.json").write_bytes(prepared.file(issued_at=issued))
    prepared.start()
    try:
        with prepared.link() as link:
            stale = link.get("/files/a", grant="files").record.stale_seconds
            assert stale is not None
            assert abs(stale - hours.total_seconds()) < 60
            assert prepared.gateway.health()["configuration_staleness"] == "ending"
            prepared.clock.shift = 5 * 3600
            assert prepared.gateway.health()["ready"] is False
            late = _refused(prepared, "/files/a", grant="files", clock=prepared.clock)
        assert late.problem.code == "configuration_expired"
    finally:
        prepared.clock.shift = 0
        prepared.stop()


def _raw(exchange: Exchange, data: bytes) -> tuple[int, dict[str, Any]]:
    with socket.create_connection(("127.0.0.1", exchange.port), timeout=10) as connection:
        connection.sendall(data)
        found = b""
        while b"\r\n\r\n" not in found:
            part = connection.recv(65536)
            if not part:
                raise AssertionError("no reply")
            found += part
        head, _, content = found.partition(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0])
        while len(content) < length:
            content += connection.recv(65536)
        return int(head.split()[1]), json.loads(content)


def _message(exchange: Exchange, *, created: int | None = None, content: bytes = b"", **changes: str) -> bytes:
    request = profile.Request(
        "GET",
        exchange.authority,
        "/files/a",
        "application/json",
        profile.content_digest(content, algorithm="ed25519"),
        "files",
        "message-0001",
    )
    signed = profile.sign_request(
        request, signer=exchange.housing, created=created or int(time.time()), nonce=secrets.token_urlsafe(16)
    )
    headers = {
        "host": request.authority,
        "content-type": request.content_type,
        "content-digest": request.content_digest,
        "furong-grant": request.grant,
        "furong-message": request.message,
        "content-length": str(len(content)),
        **signed.headers(),
    } | changes
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"GET {request.target} HTTP/1.1\r\n{lines}\r\n".encode() + content


def test_a_replayed_message_is_refused_even_after_a_restart(prepared: Exchange) -> None:
    prepared.start()
    data = _message(prepared)
    assert _raw(prepared, data)[0] == 200
    assert _raw(prepared, data)[1]["code"] == "replayed"
    prepared.stop()
    prepared.start()
    try:
        assert _raw(prepared, data)[1]["code"] == "replayed"
    finally:
        prepared.stop()
    assert len(prepared.seen) == 1


@pytest.mark.parametrize("seconds", [-61, 62])
def test_a_skewed_clock_is_refused(exchange: Exchange, seconds: int) -> None:
    status, problem = _raw(exchange, _message(exchange, created=int(time.time()) + seconds))
    assert (status, problem["code"]) == (401, "clock_skewed")
    assert problem["type"] == "urn:furong:problem:clock_skewed"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"host": "127.0.0.1:1"}, "wrong_gateway"),
        ({"furong-grant": "scarce"}, "signature_invalid"),
        ({"furong-message": "message-0002"}, "signature_invalid"),
        ({"content-type": "text/html"}, "signature_invalid"),
        ({"content-digest": "sha-256=:X48E9qOokqqrvdts8nOJRJN3OWDUoyWxBf7kbu9DBPE=:"}, "digest_mismatch"),
        ({"content-digest": "md5=:AAAA:"}, "digest_malformed"),
        ({"furong-grant": "a b"}, "grant_unknown"),
        ({"signature": "furong=:AAAA:"}, "signature_outside_profile"),
        ({"content-length": "99999999"}, "content_too_large"),
        ({"x-large": "a" * 20000}, "head_too_large"),
    ],
)
def test_a_tampered_message_is_refused(exchange: Exchange, changes: dict[str, str], code: str) -> None:
    assert _raw(exchange, _message(exchange, **changes))[1]["code"] == code
    assert exchange.records()[-1]["code"] == code
    assert not exchange.seen


def test_parts_in_another_order_or_of_two_messages_are_refused_and_order_of_arrival_is_no_cause(
    exchange: Exchange,
) -> None:
    def refused(data: bytes) -> str:
        code = str(_raw(exchange, data)[1]["code"])
        assert exchange.records()[-1]["code"] == code
        return code

    first, second = _message(exchange), _message(exchange, created=int(time.time()) - 30)
    inside = b'("@method" "@authority"'
    assert inside in first
    assert refused(first.replace(inside, b'("@authority" "@method"', 1)) == "signature_outside_profile"
    lines = [message.split(b"\r\n") for message in (first, second)]
    for name in (b"signature: ", b"signature-input: "):  # the one's field in the other
        mixed = [
            next(other for other in lines[1] if other.startswith(name)) if line.startswith(name) else line
            for line in lines[0]
        ]
        assert refused(b"\r\n".join(mixed)) == "signature_invalid"
    assert refused(_message(exchange, content=b"{}")[:-2] + b"[]") == "digest_mismatch"
    assert not exchange.seen
    # The one signed later may arrive first: who sends keeps no order that a network could break.
    for message in (first, second):
        assert _raw(exchange, message)[0] == 200
    assert refused(first) == "replayed"


def test_a_stranger_is_not_named_in_the_record(exchange: Exchange) -> None:
    exchange.housing = SoftwareKey.generate(key_id="stranger/1")
    assert _raw(exchange, _message(exchange))[1]["code"] == "key_unknown"
    exchange.housing = SoftwareKey.generate(key_id="housing/desk/1")
    assert _raw(exchange, _message(exchange))[1]["code"] == "signature_invalid"
    for record in exchange.records():
        assert not {"consumer", "key", "message"} & set(record)


def test_smuggled_bytes_after_a_refused_head_are_not_read(exchange: Exchange) -> None:
    data = _message(exchange).replace(b"content-length: 0", b"content-length: 0\r\ncontent-length: 5")
    assert _raw(exchange, data + _message(exchange))[1]["code"] == "ambiguous_length"
    assert not exchange.seen


def test_half_a_message_is_given_up_in_time(prepared: Exchange) -> None:
    prepared.settings = {"message_seconds": 0.2, "head_seconds": 0.05}
    prepared.start()
    try:
        assert _raw(prepared, _message(prepared)[:60])[1]["code"] == "request_timeout"
    finally:
        prepared.stop()


def test_a_message_that_may_change_something_is_on_record_before_it_is_forwarded(exchange: Exchange) -> None:
    with exchange.link() as link:
        answer = link.post("/files/in", {"a": "好"}, grant="files")
    assert (answer.status, answer.json()) == (201, {"a": "好"})
    accepted, answered = exchange.records()[-2:]
    assert (accepted["kind"], answered["kind"]) == ("accepted", "answered")
    assert accepted["message"] == answered["message"] == answer.message


def test_an_unreachable_provider_is_told_from_the_gateway(exchange: Exchange) -> None:
    exchange.provider.shutdown()
    exchange.provider.server_close()
    assert _refused(exchange, "/files/a", grant="files").problem.code == "provider_unreachable"


def test_a_providers_odd_content_type_does_not_reach_the_signature(exchange: Exchange) -> None:
    with exchange.link() as link:
        assert link.get("/files/odd", grant="files").content_type == "application/octet-stream"


def test_a_key_module_that_fails_is_answered_for_and_nothing_unsigned_is_believed(
    exchange: Exchange, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Silent:
        key_id, algorithm = "hospital/gateway/1", "ed25519"

        def sign(self, message: bytes) -> bytes:
            raise RuntimeError("no answer")

    monkeypatch.setattr(exchange.gateway, "_signer", Silent())
    with exchange.link() as link, pytest.raises(UnverifiedReplyError) as caught:
        link.get("/files/a", grant="files")
    assert caught.value.code_seen == "gateway_failed"


def test_the_client_believes_no_other_key(exchange: Exchange) -> None:
    other = SoftwareKey.generate(key_id="hospital/gateway/1")
    with exchange.link(gateway_key=other.verifier()) as link, pytest.raises(UnverifiedReplyError):
        link.get("/files/a", grant="files")


def test_sm2_goes_the_whole_way(prepared: Exchange) -> None:
    prepared.algorithm = "sm2-sm3"
    prepared.__post_init__()
    from tests.link.conftest import _free_port

    prepared.port = _free_port()
    (prepared.folder / "configuration.json").write_bytes(prepared.file())
    prepared.start()
    try:
        with prepared.link() as link:
            answer = link.get("/births/list", grant="births-for-housing")
            assert link.receipt(answer).head.algorithm == "sm2-sm3"
    finally:
        prepared.stop()
