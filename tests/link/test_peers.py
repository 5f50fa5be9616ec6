"""Gateway to gateway: the consumer's signs again and asks the provider's over mTLS; what it cannot prove it does not pass on."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from http.client import HTTPSConnection
from pathlib import Path
from typing import Any

import pytest

from furong_link import handshake, peers, profile
from furong_link.certificates import make_certificate
from furong_link.client import Refused
from furong_link.errors import ConfigurationError
from furong_link.keys import SoftwareKey
from furong_link.verification import verify_log
from tests.link.conftest import Clock, Exchange
from tests.link.two import EXPIRED, Two


@pytest.fixture
def resting(prepared: Exchange, tmp_path: Path) -> Iterator[Two]:
    """Two gateways that are not started yet."""
    found = Two(prepared, tmp_path / "two")
    yield found
    found.stop()


@pytest.fixture
def two(resting: Two) -> Two:
    resting.start()
    return resting


def _refused(
    two: Two, *, method: str = "GET", target: str = "/files/a", grant: str = "files", **changes: Any
) -> Refused:
    with two.link(**changes) as link, pytest.raises(Refused) as caught:
        link.request(method, target, grant=grant)
    return caught.value


def test_a_query_goes_through_both_gateways_and_is_recorded_by_both(two: Two) -> None:
    with two.link() as link:
        answer = link.get("/births/list", grant="births-for-housing")
        assert answer.json()["items"][0]["name"] == "周**"
        assert link.receipt(answer).record["peer"] == "far"
    near, far = two.records("near")[-1], two.records("far")[-1]
    assert (near["kind"], far["kind"]) == ("answered", "answered")
    assert near["message"] == far["message"] == answer.message
    assert (near["key"], far["key"]) == ("desk/1", "housing/gateway/1")
    assert near["peer_index"] == far["index"]
    leaf = two.far.do(lambda: two.far.gateway.log.tree.leaf(far["index"]).hex())
    assert (near["peer_leaf"], near["peer_log"]) == (leaf, two.far.gateway.log.log_id)
    _, _, headers, _ = two.exchange.seen[0]
    assert (headers["furong-consumer"], headers["furong-message"]) == ("housing", answer.message)
    for name in ("near", "far"):
        key = two.own if name == "near" else two.exchange.hospital
        assert verify_log(two.folder / name / "evidence", key=key.verifier()).findings == []


def test_what_may_change_something_is_on_record_at_both_before_it_is_forwarded(two: Two) -> None:
    with two.link() as link:
        answer = link.post("/files/in", {"a": 1}, grant="files")
    assert answer.status == 201
    for name in ("near", "far"):
        kinds = [(record["kind"], record["message"]) for record in two.records(name) if "message" in record]
        assert kinds == [("accepted", answer.message), ("answered", answer.message)]


def test_a_refusal_of_the_far_gateway_arrives_by_its_own_cause(two: Two) -> None:
    refused = _refused(two, target="/births/one/1", grant="births-for-housing")
    assert (refused.problem.code, refused.problem.status) == ("row_out_of_scope", 403)
    record = two.records("near")[-1]
    assert (record["kind"], record["code"], record["peer"]) == ("refused", "row_out_of_scope", "far")
    assert record["peer_index"] == two.records("far")[-1]["index"]


def test_a_quota_is_counted_once_at_the_far_gateway(two: Two) -> None:
    with two.link() as link:
        for _ in range(2):
            link.get("/files/a", grant="scarce")
    refused = _refused(two, grant="scarce")
    assert refused.problem.code == "quota_exhausted"
    assert refused.retry_after_seconds is not None


def test_a_grant_withdrawn_is_refused_at_the_near_gateway_without_a_word_to_the_far(two: Two) -> None:
    before = len(two.records("far"))
    grants = [grant | {"withdrawn": True} for grant in two.payload()["grants"]]
    two.reconfigure(grants=grants)
    assert _refused(two).problem.code == "grant_not_valid"
    assert [record["kind"] for record in two.records("far")[before:]] == ["configuration"]


def test_a_system_of_another_member_is_not_served_by_this_gateway(two: Two) -> None:
    stranger = SoftwareKey.generate(key_id="stranger/1")
    assert _refused(two, signer=stranger).problem.code == "key_unknown"
    # The hospital's own key is known to the exchange, but the housing office's gateway does not ask in its name.
    grants = [grant | {"consumer": "hospital"} for grant in two.payload()["grants"]]
    two.reconfigure(grants=grants)
    assert _refused(two, signer=two.exchange.hospital).problem.code == "not_own_system"


def test_a_key_that_only_the_near_gateway_knows_is_unknown_to_the_far(two: Two) -> None:
    with two.link(gateway_key=two.exchange.hospital.verifier()) as near:
        near.close()
    from furong_link.client import Link

    with (
        Link(
            f"http://127.0.0.1:{two.ports['far'][0]}",
            signer=two.desk,
            gateway_key=two.exchange.hospital.verifier(),
            authority="far.example:8601",
        ) as link,
        pytest.raises(Refused, match="key_unknown"),
    ):
        link.get("/files/a", grant="files")


def test_the_same_client_asks_the_far_gateway_directly_with_a_key_of_the_exchange(two: Two) -> None:
    from furong_link.client import Link

    with Link(
        f"http://127.0.0.1:{two.ports['far'][0]}",
        signer=two.own,
        gateway_key=two.exchange.hospital.verifier(),
        authority="far.example:8601",
    ) as link:
        assert link.get("/files/a", grant="files").status == 200


# --- certificates -------------------------------------------------------------------------------------------------


def _ask_far(two: Two, *, certificate: tuple[Path, Path] | None, signer: SoftwareKey) -> dict[str, Any]:
    """Ask the far gateway at its door for gateways, showing this certificate; give the problem it answers with."""
    import json
    import secrets

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    if certificate:
        context.load_cert_chain(*certificate)
    digest = profile.content_digest(b"", algorithm="ed25519")
    request = profile.Request("GET", "far.example:8601", "/files/a", "text/plain", digest, "files", "message-0001")
    signed = profile.sign_request(request, signer=signer, created=int(time.time()), nonce=secrets.token_urlsafe(16))
    headers = {
        "Host": request.authority,
        "Content-Type": request.content_type,
        "Content-Digest": digest,
        "Furong-Grant": "files",
        "Furong-Message": request.message,
        **signed.headers(),
    }
    connection = HTTPSConnection("127.0.0.1", two.ports["far"][1], context=context, timeout=10)
    try:
        connection.request("GET", request.target, headers=headers)
        reply = connection.getresponse()
        found: dict[str, Any] = json.loads(reply.read()) | {"status": reply.status}
        return found
    finally:
        connection.close()


def _pair(two: Two, name: str, file: str = "peer") -> tuple[Path, Path]:
    return two.folder / name / f"{file}.pem", two.folder / name / f"{file}.key"


def test_a_gateway_without_a_certificate_is_refused_by_name_and_recorded(two: Two) -> None:
    assert _ask_far(two, certificate=None, signer=two.own)["code"] == "certificate_missing"
    assert two.records("far")[-1]["code"] == "certificate_missing"
    assert not two.exchange.seen


@pytest.mark.parametrize(("path", "status"), [("metrics", 404), ("configuration", 404), ("head", 200), ("health", 200)])
def test_other_gateways_read_heads_and_receipts_and_nothing_of_the_members_own(
    two: Two, path: str, status: int
) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    connection = HTTPSConnection("127.0.0.1", two.ports["far"][1], context=context, timeout=10)
    connection.request("GET", f"/.furong/{path}", headers={"Host": "far.example:8601"})
    reply = connection.getresponse()
    reply.read()
    connection.close()
    assert reply.status == status


def test_a_certificate_of_another_gateway_than_the_key_is_refused(two: Two) -> None:
    assert _ask_far(two, certificate=_pair(two, "far"), signer=two.own)["code"] == "certificate_of_another"
    assert "id" not in _ask_far(two, certificate=_pair(two, "near"), signer=two.own)  # the right pair gets an answer


def _until(look: Callable[[], Any]) -> Any:
    deadline = time.monotonic() + 5
    while not (found := look()) and time.monotonic() < deadline:
        time.sleep(0.01)
    return found


@pytest.mark.parametrize("kind", ["stranger", "expired"])
def test_a_strangers_or_an_expired_certificate_ends_at_the_handshake_and_is_on_record(resting: Two, kind: str) -> None:
    if kind == "stranger":
        make_certificate(resting.folder / "near" / "odd.pem", resting.folder / "near" / "odd.key", name="near")
    else:
        # The configuration names it, and its time is over.
        resting.certificates["near"] = resting.certify("near", file="odd", **EXPIRED)
        resting.write()
    resting.start()
    with pytest.raises((ssl.SSLError, ConnectionError)):
        _ask_far(resting, certificate=_pair(resting, "near", "odd"), signer=resting.own)
    code = "certificate_unknown" if kind == "stranger" else "certificate_not_valid"
    (found,) = _until(lambda: [one for one in resting.records("far") if one.get("door")])
    assert (found["kind"], found["code"], found["door"]) == ("refused", code, "peers")
    assert set(found) == {"index", "previous", "at", "kind", "code", "door", "tls"}  # nothing of who it was
    assert f'furong_gateway_messages_total{{code="{code}"}} 1' in resting.far.do(resting.far.gateway.metrics)
    resting.restart_near(certificate="odd")
    assert _refused(resting).problem.code == "peer_unreachable"
    assert not resting.exchange.seen


def test_what_is_no_tls_is_on_record_and_a_flood_of_it_is_a_number(two: Two, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(handshake, "MOST", 2)
    second = float(int(two.clock()))
    monkeypatch.setattr(Clock, "__call__", lambda self: second + self.shift)  # the whole flood falls into one second
    for data in (b"GET / HTTP/1.1\r\nhost: x\r\n\r\n", b"\x16\x03\x01", b"", b"\0" * 100):
        with socket.create_connection(("127.0.0.1", two.ports["far"][1]), timeout=5) as plain:
            plain.sendall(data)
            plain.shutdown(socket.SHUT_WR)
            while plain.recv(4096):
                pass
    assert _until(lambda: two.far.gateway.counts["handshake_failed"] == 4)
    assert len([one for one in two.records("far") if one.get("code") == "handshake_failed"]) == 2
    two.clock.shift += 1
    with socket.create_connection(("127.0.0.1", two.ports["far"][1]), timeout=5) as plain:
        plain.sendall(b"more")
        plain.shutdown(socket.SHUT_WR)
        while plain.recv(4096):
            pass
    found = _until(lambda: [one for one in two.records("far") if one.get("more")])
    assert found[0]["more"] == {"handshake_failed": 2}
    with two.link() as link:  # and who is known is let in as before
        assert link.get("/files/a", grant="files").status == 200


def test_a_certificate_taken_out_of_the_configuration_counts_no_more_on_a_kept_connection(two: Two) -> None:
    with two.link() as link:
        link.get("/files/a", grant="files")
        two.certificates["near"] = make_certificate(
            two.folder / "near" / "new.pem", two.folder / "near" / "new.key", name="near"
        )
        two.reconfigure()
        with pytest.raises(Refused) as caught:
            link.get("/files/a", grant="files")
    assert caught.value.problem.code == "certificate_unknown"
    assert two.records("far")[-1]["code"] == "certificate_unknown"


def test_a_far_gateway_that_shows_another_certificate_is_not_spoken_to(resting: Two) -> None:
    shown = resting.certificates["far"]
    resting.certificates["far"] = make_certificate(
        resting.folder / "far" / "new.pem", resting.folder / "far" / "new.key", name="far"
    )
    assert shown != resting.certificates["far"]
    resting.write()
    resting.start()
    assert _refused(resting).problem.code == "peer_unreachable"
    assert not resting.exchange.seen


def test_a_gateway_that_the_configuration_gives_no_certificate_is_not_asked(two: Two) -> None:
    gateways = two.payload()["gateways"]
    two.reconfigure(gateways=[gateways[0], gateways[1] | {"peer": {}}])
    assert _refused(two).problem.code == "peer_unknown"


@pytest.mark.parametrize("address", ["http://127.0.0.1:1", "https://127.0.0.1", "https://a:1/b"])
def test_a_configuration_with_another_kind_of_address_does_not_hold_together(two: Two, address: str) -> None:
    gateways = two.payload()["gateways"]
    with pytest.raises(ConfigurationError):
        two.reconfigure(gateways=[gateways[0], gateways[1] | {"peer": {"address": address}}])


# --- replies that prove nothing -----------------------------------------------------------------------------------


def _tamper(two: Two, monkeypatch: pytest.MonkeyPatch, change: Any) -> None:
    """Have the far gateway's replies changed on their way."""
    plain = two.near.gateway.peers._send

    async def send(way: Any, request: Any, content: bytes) -> Any:
        heard, signed = await plain(way, request, content)
        return change(heard), signed

    monkeypatch.setattr(two.near.gateway.peers, "_send", send)


def _with(heard: Any, *, content: bytes | None = None, status: int | None = None, **headers: str | None) -> Any:
    head = heard.head
    kept = {name: value for name, value in head.headers.items() if headers.get(name.replace("-", "_"), "") is not None}
    kept |= {name.replace("_", "-"): value for name, value in headers.items() if value is not None}
    return type(heard)(type(head)(status or head.status, kept, head.length, True), content or heard.content)


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (lambda heard: _with(heard, content=b'{"a":2}'), "digest_mismatch"),
        (lambda heard: _with(heard, status=201), "signature_invalid"),
        (lambda heard: _with(heard, signature=None), "signature_missing"),
        (lambda heard: _with(heard, content_type="text/html"), "signature_invalid"),
        (lambda heard: _with(heard, furong_record='log="00", index=1'), "signature_invalid"),
        (lambda heard: _with(heard, content_digest=None), "digest_missing"),
    ],
)
def test_a_reply_that_was_changed_is_not_passed_on(
    two: Two, monkeypatch: pytest.MonkeyPatch, change: Any, fault: str
) -> None:
    _tamper(two, monkeypatch, change)
    refused = _refused(two, target="/births/list", grant="births-for-housing")
    assert (refused.problem.code, refused.problem.status) == ("peer_reply_unverified", 502)
    record = two.records("near")[-1]
    assert (record["code"], record["peer_fault"]) == ("peer_reply_unverified", fault)


def test_a_reply_to_another_message_is_not_passed_on(two: Two, monkeypatch: pytest.MonkeyPatch) -> None:
    first: list[Any] = []

    def old(heard: Any) -> Any:
        first.append(heard)
        return first[0]

    _tamper(two, monkeypatch, old)
    with two.link() as link:
        link.get("/files/a", grant="files")
    assert _refused(two).problem.code == "peer_reply_unverified"


def test_a_far_gateway_signing_with_a_key_not_its_own_is_not_believed(two: Two) -> None:
    keys = two.payload()["keys"]
    other = SoftwareKey.generate(key_id="hospital/other/1")
    keys = [*keys, keys[0] | {"id": other.key_id, "public": other.public}]
    gateways = two.payload()["gateways"]
    two.reconfigure(keys=keys, gateways=[gateways[0], gateways[1] | {"key": other.key_id}])
    assert _refused(two).problem.code == "peer_reply_unverified"


# --- the other's log ----------------------------------------------------------------------------------------------


def _witness(two: Two) -> None:
    two.near.do(lambda: two.near.gateway.peers.witness(two.near.gateway.configuration))


def test_gateways_witness_one_anothers_logs(two: Two) -> None:
    with two.link() as link:
        for _ in range(3):
            link.get("/files/a", grant="files")
            _witness(two)
    found = [record for record in two.records("near") if record["kind"] == "witnessed"]
    sizes = [record["head"]["size"] for record in found]
    assert len(sizes) == 3
    assert sizes == sorted(sizes)
    assert two.near.gateway.peers.troubles() == {}


def test_a_log_rolled_back_is_found_by_the_gateway_that_saw_it_longer(two: Two) -> None:
    with two.link() as link:
        for _ in range(4):
            link.get("/files/a", grant="files")
        _witness(two)
        two.far.stop()
        evidence = two.folder / "far" / "evidence"
        for name, keep in (("records.log", 1), ("heads.jsonl", 0)):
            lines = (evidence / name).read_bytes().splitlines(keepends=True)
            (evidence / name).write_bytes(b"".join(lines[:keep]))
        # On its own the shortened log holds together.
        assert verify_log(evidence, key=two.exchange.hospital.verifier()).findings == []
        two.far.start()
        with pytest.raises(Refused) as caught:
            link.get("/files/a", grant="files")
    assert caught.value.problem.code == "peer_reply_unverified"
    assert two.records("near")[-1]["peer_fault"] == "rolled_back"
    assert two.near.gateway.peers.troubles() == {"far": "rolled_back"}


def test_what_was_witnessed_is_still_known_after_a_restart(two: Two) -> None:
    with two.link() as link:
        for _ in range(2):
            link.get("/files/a", grant="files")
    _witness(two)
    size = two.far.gateway.log.tree.size
    two.near.stop()
    two.near.start()
    assert two.near.gateway.peers._heads["far"].size == size


def test_a_forged_head_is_recorded_as_mistrusted(two: Two, monkeypatch: pytest.MonkeyPatch) -> None:
    with two.link() as link:
        link.get("/files/a", grant="files")
    plain = two.near.gateway.peers._fetch

    async def fetch(way: Any, what: str) -> Any:
        found = await plain(way, what)
        return found | {"head": found["head"] | {"root": "00" * 32}}

    monkeypatch.setattr(two.near.gateway.peers, "_fetch", fetch)
    _witness(two)
    assert two.records("near")[-1]["kind"] == "mistrusted"
    assert two.near.gateway.peers.troubles() == {"far": "log_not_proven"}


# --- restarts -----------------------------------------------------------------------------------------------------


def test_a_far_gateway_that_restarts_is_waited_for_by_what_changes_nothing(two: Two) -> None:
    with two.link() as link:
        link.get("/files/a", grant="files")
        two.far.stop()
        back = threading.Timer(0.3, two.far.start)
        back.start()
        try:
            answer = link.get("/files/a", grant="files", message="message-stable-1")
        finally:
            back.join()
    assert answer.status == 200
    told = [record for record in two.records("far") if record.get("message") == "message-stable-1"]
    assert [record["kind"] for record in told] == ["answered"]


def test_the_context_for_gateways_wants_tls_1_3(two: Two) -> None:
    context = peers.server_context(two.near.gateway.settings.peers)  # type: ignore[arg-type]
    assert context.minimum_version is ssl.TLSVersion.TLSv1_3


# --- systems that show a certificate ------------------------------------------------------------------------------


def test_an_own_system_may_show_a_certificate_instead_of_signing(resting: Two) -> None:
    import json
    from hashlib import sha256

    shown = resting.certify("near", file="client")
    resting.settings = {"certificates": {sha256(shown).hexdigest(): "desk/by-certificate"}}
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(*_pair(resting, "near"))
    tls.verify_mode, tls.verify_flags = ssl.CERT_REQUIRED, tls.verify_flags | ssl.VERIFY_X509_PARTIAL_CHAIN
    tls.load_verify_locations(_pair(resting, "near", "client")[0])
    plain = resting._gateway

    def with_tls(name: str, **more: str) -> Any:
        gateway = plain(name, **more)
        if name == "near":
            gateway._tls = tls
        return gateway

    resting._gateway = with_tls  # type: ignore[method-assign]
    resting.start()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.load_verify_locations(_pair(resting, "near")[0])
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    context.load_cert_chain(*_pair(resting, "near", "client"))
    connection = HTTPSConnection("127.0.0.1", resting.ports["near"][0], context=context, timeout=10)
    connection.request("GET", "/files/a", headers={"Host": "near.example:8601", "Furong-Grant": "files"})
    reply = connection.getresponse()
    body = reply.read()
    connection.close()
    assert (reply.status, "Furong-Record" in reply.headers) == (200, True), body
    record = resting.records("near")[-1]
    assert (record["key"], record["sign_in"], record["peer"]) == ("desk/by-certificate", "certificate", "far")
    assert resting.records("far")[-1]["key"] == "housing/gateway/1"
    assert json.loads(body)
