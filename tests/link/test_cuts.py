"""A link that is cut for an hour, between any two: what was acknowledged is there, nothing is done twice, and it mends itself.

Time is the test's. The centre's links to gateways and to other nodes are cut in ``tests/domains/exchange/test_cuts.py``.
"""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from furong_link import batch, batch_store, client_batch, peers
from furong_link.client import Refused, UnreachableError
from furong_link.client_events import Event, pull
from furong_link.keys import SoftwareKey
from furong_link.push import Timing
from furong_link.verification import verify_log
from furong_link.witness import AwayError, Watched, Witness
from tests.link.conftest import Exchange
from tests.link.cutting import Cut
from tests.link.modes import Modes, birth, until
from tests.link.two import Two

HOUR = 3600.0


@pytest.fixture
def resting(prepared: Exchange, tmp_path: Path) -> Iterator[Two]:
    """Two gateways that are not started yet."""
    found = Two(prepared, tmp_path / "two")
    yield found
    found.stop()


def _refused(asked: Two | Exchange, *, method: str = "GET", target: str = "/files/a") -> Refused:
    with asked.link(clock=asked.clock) as link, pytest.raises(Refused) as caught:
        link.request(method, target, grant="files")
    return caught.value


# --- gateway and gateway ------------------------------------------------------------------------------------------


def test_what_may_change_something_is_not_sent_twice_when_its_reply_is_lost(resting: Two) -> None:
    """The far gateway takes the message, acts, and the link breaks before the reply: the near one does not repeat it."""
    cut = Cut(resting.ports["far"][1])
    resting.meets = cut.port
    resting.write()
    resting.start()
    try:
        cut.drops = lambda: bool(resting.exchange.seen)
        refused = _refused(resting, method="POST", target="/files/in")
        assert refused.problem.code == "peer_unreachable"
        posts = [seen for seen in resting.exchange.seen if seen[0] == "POST"]
        assert len(posts) == 1
        # The caller repeats it under the same id, and the provider's system can tell.
        cut.drops = lambda: False
        resting.clock.shift = 10
        with resting.link() as link:
            link.request("POST", "/files/in", grant="files", message=refused.message)
        assert {seen[2]["furong-message"] for seen in resting.exchange.seen} == {refused.message}
    finally:
        resting.stop()
        cut.close()


def test_a_link_cut_for_an_hour_is_refused_by_name_and_mends_itself(
    resting: Two, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(peers, "PAUSES", (0.01,))
    cut = Cut(resting.ports["far"][1])
    resting.meets = cut.port
    resting.write()
    resting.start()
    try:
        with resting.link() as link:
            link.get("/files/a", grant="files")
            cut.sever()
            refused = _refused(resting)
            assert (refused.problem.code, refused.retry_after_seconds) == ("peer_unreachable", None)
            # While it is known to be down, nobody waits for it.
            again = _refused(resting)
            assert again.problem.code == "peer_unreachable"
            assert again.retry_after_seconds is not None
            assert resting.near.gateway.peers.down() == ["far"]
            resting.clock.shift = 3600
            # The configuration is an hour old by now; it is still decided by, and the reply says so.
            assert _refused(resting).problem.code == "peer_unreachable"
            cut.mend()
            resting.clock.shift = 3610
            answer = link.get("/files/a", grant="files")
        assert answer.status == 200
        assert answer.record.stale_seconds is not None
        assert resting.records("near")[-1]["peer_stale"] >= 3600
        assert resting.near.gateway.peers.down() == []
        kinds = [record["kind"] for record in resting.records("near") if "message" in record]
        assert kinds == ["answered", "refused", "refused", "refused", "answered"]
    finally:
        resting.stop()
        cut.close()


# --- system and gateway, gateway and provider ---------------------------------------------------------------------


def test_a_system_cut_off_from_its_gateway_repeats_its_message_and_the_provider_can_tell(exchange: Exchange) -> None:
    with Cut(exchange.port) as cut, exchange.link(gateway=cut.port, clock=exchange.clock) as link:
        link.get("/files/a", grant="files")
        cut.drops = lambda: bool(exchange.seen and exchange.seen[-1][0] == "POST")
        with pytest.raises(UnreachableError):
            link.request("POST", "/files/in", grant="files", content=b"{}", message="message-stable-1")
        cut.sever()
        exchange.clock.shift = HOUR
        for method in ("GET", "POST"):
            with pytest.raises(UnreachableError):
                link.request(method, "/files/in", grant="files", content=b"{}", message="message-stable-1")
        cut.mend()
        cut.drops = lambda: False
        answer = link.request("POST", "/files/in", grant="files", content=b"{}", message="message-stable-1")
        assert link.receipt(answer).record["message"] == "message-stable-1"
    ids = [headers["furong-message"] for method, _, headers, _ in exchange.seen if method == "POST"]
    assert ids == ["message-stable-1"] * 2  # by which the provider does it once


def test_a_provider_cut_off_is_named_nothing_is_sent_twice_and_it_is_asked_again_as_soon_as_it_is_back(
    prepared: Exchange,
) -> None:
    seen = prepared.seen
    with Cut(prepared.provider.server_port) as cut:
        prepared.upstreams = {"files": f"{cut.address}/api/files"}
        prepared.start()
        try:
            with prepared.link(clock=prepared.clock) as link:
                answers = [link.get("/files/a", grant="files"), link.post("/files/in", {"n": 1}, grant="files")]
                # It acts, and the link breaks before its answer: said to the caller, and not sent again.
                cut.drops = lambda: True
                lost = _refused(prepared, method="POST", target="/files/in")
                assert (lost.problem.code, lost.problem.status) == ("provider_unreachable", 502)
                cut.sever()
                for minute in (0, 20, 40, 60):
                    prepared.clock.shift = minute * 60.0
                    for method in ("GET", "POST"):
                        refused = _refused(prepared, method=method, target="/files/in")
                        assert refused.problem.code == "provider_unreachable"
                assert [method for method, *_ in seen] == ["GET", "POST", "POST"]
                cut.drops = lambda: False
                cut.mend()
                answers.append(link.request("POST", "/files/in", grant="files", message=lost.message))
                answers.append(link.get("/files/a", grant="files"))
                assert [seen[n][2]["furong-message"] for n in (2, 3)] == [lost.message] * 2  # the provider can tell
                for answer in answers:  # what was acknowledged is on record, before the cut and after
                    assert link.receipt(answer).record["kind"] == "answered"
            kinds = [(one["method"], one["kind"]) for one in prepared.records() if "message" in one]
            cut_off = [("GET", "refused"), ("POST", "accepted"), ("POST", "refused")] * 4
            assert kinds == [
                *[("GET", "answered"), ("POST", "accepted"), ("POST", "answered")],
                *[("POST", "accepted"), ("POST", "refused")],
                *cut_off,
                *[("POST", "accepted"), ("POST", "answered"), ("GET", "answered")],
            ]
            assert 'code="provider_unreachable"} 9' in prepared.gateway.metrics()
        finally:
            prepared.stop()
    assert verify_log(prepared.folder / "evidence", key=prepared.hospital.verifier()).findings == []


# --- gateway and witness ------------------------------------------------------------------------------------------


def test_a_witness_cut_off_raises_no_alarm_and_co_signs_the_whole_hour_once_it_is_back(
    exchange: Exchange, tmp_path: Path
) -> None:
    key = SoftwareKey.generate(key_id="audit-office/witness/1")
    with Cut(exchange.port) as cut, exchange.link(clock=exchange.clock) as link:
        witness = Witness(tmp_path, id_="office", signer=key, own_key=key.verifier(), clock=exchange.clock)
        watched = Watched("hospital-1", cut.address, exchange.hospital.verifier())
        link.get("/files/a", grant="files")
        first = witness.look(watched)
        cut.sever()
        answers = []
        for minute in (0, 30, 60):
            exchange.clock.shift = minute * 60.0
            with pytest.raises(AwayError):
                witness.look(watched)
            answers.append(link.get("/files/a", grant="files"))  # nobody waits for a witness
        cut.mend()
        second = witness.look(watched)
        assert first is not None
        assert second is not None
        assert (first.head.size, second.head.size) == (1, 4)
        assert second.at > first.at
        for answer in answers:
            link.witnessed(answer, cosigned=[second], keys={"office": key.verifier()}, needed=1)
    assert not witness.alarms()


# --- events and files ---------------------------------------------------------------------------------------------


def test_a_subscriber_cut_off_gets_every_event_in_its_keys_order_and_replays_from_any_position(
    prepared: Exchange, tmp_path: Path
) -> None:
    modes, taken, positions = Modes(prepared), list[int](), list[int]()

    def handle(event: Event, found: sqlite3.Connection) -> None:
        taken.append(event.data["weight_g"])
        positions.append(event.position)

    # As gateways are set without a word, but that the clock is looked at more often: it is the test's.
    modes.timing = Timing(look_seconds=0.01)
    modes.listens = modes.endpoint_port
    with Cut(modes.listens) as cut:
        modes.endpoint_port = cut.port
        modes.prepare()
        prepared.start()
        try:
            with (
                modes.receiver(tmp_path / "inbox.db", handle),
                modes.provider() as provider,
                prepared.link(clock=prepared.clock) as link,
            ):
                status = lambda: link.get("/born/births/status", grant="born-for-housing").json()  # noqa: E731
                link.post("/born/births/subscription", {"endpoint": modes.endpoint}, grant="born-for-housing")
                provider.send("born", "births", [birth(n) for n in range(3)])
                until(lambda: len(taken) == 3 and status()["behind"] == 0)
                # A batch arrives and its answer is lost; then nothing passes for an hour, and the provider goes on.
                cut.drops = lambda: len(taken) > 3
                provider.send("born", "births", [birth(n) for n in range(3, 6)])
                until(lambda: status()["failures"] == 1)
                cut.sever()
                for minute in (10, 30, 60):
                    before = status()["failures"]
                    prepared.clock.shift = minute * 60.0
                    provider.send("born", "births", [birth(n) for n in range(minute, minute + 3)])
                    until(lambda before=before: status()["failures"] > before)
                found = status()
                assert (found["state"], found["error"]) == ("retrying", "unreachable")
                cut.drops = lambda: False
                cut.mend()
                prepared.clock.shift += modes.timing.most_seconds
                until(lambda: status()["behind"] == 0)
                wanted = [*range(6), *range(10, 13), *range(30, 33), *range(60, 63)]
                assert taken == wanted  # each once: the inbox knew those whose answer was lost
                by_key = [[n for n in taken if n % 7 == key] for key in range(7)]
                assert by_key == [sorted(one) for one in by_key]
                again, _ = pull(link, "/born/births", grant="born-for-housing", after=positions[5])
                assert [event.data["weight_g"] for event in again] == wanted[6:]
        finally:
            prepared.stop()


def test_a_file_on_its_way_waits_for_the_link_and_goes_on_where_it_was(
    prepared: Exchange, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (batch_store, client_batch, batch):
        monkeypatch.setattr(module, "CHUNK", 65_536)
    modes, file = Modes(prepared), tmp_path / "big.csv"
    file.write_bytes(b"name\n" + random.Random(7).randbytes(600_000))
    modes.prepare()
    prepared.start()
    waits: list[float] = []
    try:
        with modes.provider() as provider:
            provider.publish("births-files", "births", version=1, file=file)
        with Cut(prepared.port) as cut, prepared.link(gateway=cut.port, clock=prepared.clock) as link:
            part = tmp_path / "got.part"
            cut.drops = lambda: part.exists() and part.stat().st_size > 200_000

            def wait(seconds: float) -> None:
                cut.sever()
                waits.append(seconds)
                prepared.clock.shift += seconds
                if prepared.clock.shift > HOUR:
                    cut.drops = lambda: False
                    cut.mend()

            found = client_batch.download(
                link, "/births-files/births", grant="files-whole", to=tmp_path / "got", sleep=wait
            )
        begun = [one["offset"] for one in prepared.records() if one.get("grant") == "files-whole" and "offset" in one]
    finally:
        prepared.stop()
    assert found.path.read_bytes() == file.read_bytes()
    assert HOUR < sum(waits) < HOUR + 60
    assert len(begun) - len(set(begun)) <= 2  # what had arrived is not fetched again
