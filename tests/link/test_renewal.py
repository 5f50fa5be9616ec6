"""A gateway's key is renewed while messages pass: none is refused, everybody follows, and the log stays one."""

from __future__ import annotations

import secrets
import threading
from base64 import b64encode
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from json import dumps, loads
from pathlib import Path
from typing import Any

import pytest

from furong_link import profile, renewal
from furong_link.centre import Keeper
from furong_link.cli import main
from furong_link.client import Link, Refused
from furong_link.client_events import Inbox, Receiver
from furong_link.cloudevents import BATCH
from furong_link.errors import ConfigurationError, UnverifiedReplyError
from furong_link.handover import FOLLOWED_SECONDS, KeyName, hand_over, line_of
from furong_link.keys import SoftwareKey
from furong_link.verification import verify_log
from furong_link.witness import Watched, Witness
from tests.link.conftest import Exchange
from tests.link.two import Two

DAY = 86_400.0
AT = datetime(2026, 11, 1, tzinfo=UTC)


def keys(count: int, *, algorithm: str = "ed25519") -> list[SoftwareKey]:
    return [SoftwareKey.generate(key_id=f"far/gateway/{n + 1}", algorithm=algorithm) for n in range(count)]


def handed(old: SoftwareKey, new: SoftwareKey, *, at: datetime = AT, days: int = 8) -> dict[str, Any]:
    names = KeyName(old.algorithm, old.public), KeyName(new.algorithm, new.public)
    number = renewal.number_of(new.key_id)
    return hand_over(number=number, old=old, new=new, names=names, at=at, until=at + timedelta(days=days))


@pytest.mark.parametrize("algorithm", ["ed25519", "sm2-sm3"])
def test_who_holds_one_key_of_a_gateway_knows_the_others_as_long_as_they_may_sign(algorithm: str) -> None:
    first, second, third, stranger = keys(4, algorithm=algorithm)
    given = [handed(first, second), handed(second, third, at=AT + timedelta(days=60))]
    now = AT.timestamp()

    def signing(known: SoftwareKey, sent: Any = given, *, at: float | None) -> list[bool]:
        line = line_of(known.verifier(), sent, now=at)
        return [line.verify(b"x", key.sign(b"x")) for key in (first, second, third, stranger)]

    assert signing(first, at=now + 1) == [True, True, True, False]
    assert signing(first, at=now + 9 * DAY) == [False, True, True, False]
    assert signing(first, at=now + 70 * DAY) == [False, False, True, False]
    assert signing(first, at=now + FOLLOWED_SECONDS + 1) == [True, False, False, False]  # it was away for too long
    assert signing(third, at=now + 61 * DAY) == [False, True, True, False]
    for known in (first, second, third):
        assert signing(known, at=None) == [True, True, True, False]  # a log keeps what each of them signed
    assert signing(stranger, at=now + 1) == [False, False, False, True]
    forged = given[0] | {"old": given[1]["old"]}
    for wrong in ([forged], "x", [{}], [given[0]] * 65):
        with pytest.raises(ConfigurationError):
            line_of(first.verifier(), wrong, now=now)


class Quiet:
    """A centre that is told by which key it is asked."""

    def __init__(self) -> None:
        self.signer: Any = None

    def sign_by(self, signer: Any) -> None:
        self.signer = signer


@pytest.fixture
def two(prepared: Exchange, tmp_path: Path) -> Iterator[Two]:
    found = Two(prepared, tmp_path / "two")
    found.start()
    yield found
    found.stop()


def direct(two: Two) -> Link:
    """A system of the housing office's at the far gateway, whose first key it was given by hand."""
    return Link(
        f"http://127.0.0.1:{two.ports['far'][0]}",
        signer=two.own,
        gateway_key=two.exchange.hospital.verifier(),
        authority="far.example:8601",
        clock=two.clock,
    )


def test_a_renewed_key_takes_over_under_load_and_no_message_is_refused(two: Two, tmp_path: Path) -> None:
    folder, old, far = two.folder / "far", two.exchange.hospital, two.far
    old.write(folder / renewal.KEY)
    office = SoftwareKey.generate(key_id="office/witness/1")
    watched = Watched("far", f"http://127.0.0.1:{two.ports['far'][0]}", old.verifier())

    def witness() -> Witness:
        return Witness(tmp_path / "w", id_="office", signer=office, own_key=office.verifier(), clock=two.clock)

    waiting = renewal.begin(folder, gateway="far", at_once=False, now=two.clock())
    assert renewal.begin(folder, gateway="far", at_once=True, now=two.clock()).handover == waiting.handover  # as it was
    new, centre = waiting.key, Quiet()
    keeper = Keeper(far.gateway, centre, clock=two.clock)  # type: ignore[arg-type]
    renew = lambda: far.do(keeper.renew)  # noqa: E731
    assert renew() is False  # no configuration names it

    payload = two.payload()
    shown = {**payload["keys"][0], "id": new.key_id, "public": new.public}
    shown["valid_from"] = datetime.fromtimestamp(two.clock() - renewal.BACK_SECONDS, UTC).isoformat()
    gateways = [payload["gateways"][0], payload["gateways"][1] | {"keys": [old.key_id, new.key_id]}]
    named = {"keys": [*payload["keys"], shown], "gateways": gateways}
    two.reconfigure(**named)
    assert renew() is False  # a gateway that was not reached may serve for a day without it
    assert renewal.takes_over_at(waiting, far.gateway.configuration, gateway="far") == pytest.approx(
        two.clock() + DAY, abs=5
    )
    stop, wrong, answered = threading.Event(), list[str](), list[str]()

    def call(make: Any) -> None:
        with make() as link:
            while not stop.is_set():
                for method in ("GET", "POST"):
                    try:
                        answered.append(link.request(method, "/files/a", grant="files", content=b"{}").message)
                    except (Refused, UnverifiedReplyError) as error:
                        wrong.append(str(error))

    with direct(two) as kept:
        kept.get("/files/a", grant="files")
        assert witness().look(watched) is not None
        two.clock.shift = DAY + 10
        two.reconfigure(**named)
        callers = [threading.Thread(target=call, args=(make,)) for make in (two.link, lambda: direct(two))]
        for caller in callers:
            caller.start()
        try:
            _until(lambda: len(answered) > 20)
            assert renew() is True
            many = len(answered)
            _until(lambda: len(answered) > many + 20)
        finally:
            stop.set()
            for caller in callers:
                caller.join()
        assert wrong == []
        assert (far.gateway.key_id, centre.signer.public) == (new.key_id, new.public)
        answer = kept.get("/files/a", grant="files")
        assert kept.receipt(answer).head.key_id == new.key_id
    assert SoftwareKey.read(folder / renewal.KEY).public == new.public
    assert not (folder / renewal.NEXT).exists()
    assert renew() is False
    assert [(one["key"], one["before"]) for one in two.records("far") if one["kind"] == "key"] == [
        (new.key_id, old.key_id)
    ]
    # The witness follows, and still knows the key when the gateway's hand-over is no longer followed.
    found = witness().look(watched)
    assert found is not None
    assert found.head.key_id == new.key_id
    two.clock.shift = DAY * 120
    assert witness().look(watched) is not None
    assert not witness().alarms()
    # The log is one, by whichever key it is checked; and a gateway that starts anew signs by the new key.
    evidence = folder / "evidence"
    for key in (old, new):
        assert verify_log(evidence, key=key.verifier()).findings == []
    assert verify_log(evidence, key=two.own.verifier()).findings != []
    far.stop()
    two.exchange.hospital = SoftwareKey.read(folder / renewal.KEY)
    two.clock.shift = DAY + 60
    far.start()
    with two.link() as link:
        assert link.get("/files/a", grant="files").status == 200


def _until(look: Any) -> None:
    import time

    deadline = time.monotonic() + 20
    while not look():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def test_a_key_that_others_may_know_is_renewed_at_once(tmp_path: Path) -> None:
    old = SoftwareKey.generate(key_id="far/gateway/7")
    old.write(tmp_path / renewal.KEY)
    now = AT.timestamp()
    waiting = renewal.begin(tmp_path, gateway="far", at_once=True, now=now)
    assert waiting.key.key_id == "far/gateway/8"
    line = line_of(old.verifier(), [waiting.handover], now=now + 601)
    assert not line.verify(b"x", old.sign(b"x"))
    assert line.verify(b"x", waiting.key.sign(b"x"))
    (tmp_path / renewal.NOTE).unlink()  # a crash between the two files: the key stays, the hand-over is made anew
    again = renewal.begin(tmp_path, gateway="far", at_once=True, now=now)
    assert again.key.public == waiting.key.public
    (tmp_path / "evidence").mkdir()
    renewal.take_over(tmp_path, again)
    assert renewal.read_given(tmp_path / "evidence") == [again.handover]
    assert renewal.read_next(tmp_path) is None


def test_a_subscriber_follows_a_renewed_key_by_what_comes_with_the_push(tmp_path: Path) -> None:
    first, second, stranger = keys(3)
    now = AT.timestamp() + 60
    with Inbox(tmp_path / "inbox.db") as inbox:
        receiver = Receiver(
            authority="desk.example:1",
            signer=SoftwareKey.generate(key_id="housing/desk/1"),
            gateway_key=first.verifier(),
            grants=frozenset({"g"}),
            inbox=inbox,
            handle=lambda event, found: None,
            clock=lambda: now,
        )

        def push(signer: SoftwareKey, sent: list[Any] | None) -> int:
            content = b"[]"
            request = profile.Request(
                "POST",
                "desk.example:1",
                "/events",
                BATCH,
                profile.content_digest(content, algorithm="ed25519"),
                "g",
                "m-1234567",
            )
            signed = profile.sign_request(request, signer=signer, created=int(now), nonce=secrets.token_urlsafe(16))
            headers = {
                "host": request.authority,
                "content-type": BATCH,
                "content-digest": request.content_digest,
                "furong-grant": "g",
                "furong-message": request.message,
                **signed.headers(),
                **({"furong-handovers": b64encode(dumps(sent).encode()).decode()} if sent else {}),
            }
            return receiver.receive("POST", "/events", headers, content)[0]

        given = [handed(first, second)]
        assert push(first, None) == 200
        assert push(second, None) == 401
        assert push(stranger, given) == 401
        assert push(stranger, [handed(stranger, second)]) == 401
        assert push(second, given) == 200
        assert push(first, given) == 200  # within its grace


def test_the_command_tells_the_centre_by_the_old_key_the_same_key_again_and_says_when_it_signs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    taken: list[dict[str, Any]] = []
    status = [503]

    class Door(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            headers = {name.lower(): value for name, value in self.headers.items()}
            sent = self.rfile.read(int(headers["content-length"]))
            found = profile.read_signature(headers)
            taken.append({"path": self.path, "key": found.key_id, "sent": loads(sent)})
            self.send_response(status[0])
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Door)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        place, operator = tmp_path / "clinic", SoftwareKey.generate(key_id="operator")
        given = ["--id", "clinic-1", "--authority", "127.0.0.1:8601", "--operator", f"ed25519:{operator.public}"]
        assert main(["init", str(place), *given]) == 0
        assert main(["renew-key", str(place)]) == 1  # no centre to tell
        command = ["renew-key", str(place), "--centre", f"http://127.0.0.1:{server.server_port}"]
        assert main(command) == 1  # the centre did not take it
        status[0] = 201
        assert main(command) == 0
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
    said = capsys.readouterr().out
    waiting = renewal.read_next(place)
    assert waiting is not None
    assert f"clinic-1/gateway/2 ed25519:{waiting.key.public}" in said
    assert "in a day" in said
    assert [(one["path"], one["key"]) for one in taken] == [("/api/exchange/keys", "clinic-1/gateway/1")] * 2
    assert taken[0]["sent"] == taken[1]["sent"] == waiting.handover
    assert (
        SoftwareKey.read(place / renewal.KEY).key_id == "clinic-1/gateway/1"
    )  # it signs until the gateway takes the new one
