"""Subscribe: durable, in order, within the grant, at least once on the wire and once in effect."""

from __future__ import annotations

import itertools
import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from furong_link.client import Refused
from furong_link.client_events import Event, HandlerError, Inbox, follow, pull
from furong_link.cloudevents import BATCH
from furong_link.push import Timing
from tests.link.conftest import Exchange
from tests.link.modes import Modes, birth, until

TARGET, GRANT = "/born/births", "born-for-housing"


@pytest.fixture
def modes(prepared: Exchange) -> Iterator[Modes]:
    found = Modes(prepared)
    found.prepare()
    prepared.start()
    yield found
    prepared.stop()


def _effects(path: Path) -> list[int]:
    with sqlite3.connect(path) as found:
        return [row[0] for row in found.execute("SELECT number FROM effect ORDER BY rowid")]


def _effect(event: Event, found: sqlite3.Connection) -> None:
    found.execute("CREATE TABLE IF NOT EXISTS effect (number INTEGER, key TEXT)")
    found.execute("INSERT INTO effect VALUES (?, ?)", (event.data["weight_g"], event.key))


def test_events_arrive_in_order_within_the_grants_fields_and_rows(modes: Modes) -> None:
    with modes.provider() as provider:
        places = provider.send(
            "born", "births", [birth(n, division="430190" if n == 2 else "430290") for n in range(4)]
        )
    assert places == sorted(places)
    with modes.exchange.link() as link:
        events, after = pull(link, TARGET, grant=GRANT)
        assert [event.data for event in events] == [
            {"name": "周**", "number": "430***********0018", "division": "430290", "weight_g": n} for n in (0, 1, 3)
        ]
        assert after == places[-1]
        assert all(event.key and not event.key.startswith("mother") for event in events)
        whole, _ = pull(link, TARGET, grant="born-whole")
        assert whole[2].data["division"] == "430190"
        assert whole[2].key == "mother-2"
        assert pull(link, TARGET, grant=GRANT, after=after) == ([], after)
    record = next(each for each in modes.exchange.records() if each.get("grant") == GRANT)
    assert (record["rows"], record["first"], record["last"]) == (3, places[0], places[-1])


def test_a_repeat_keeps_its_place_and_another_event_with_its_id_is_refused(modes: Modes) -> None:
    with modes.provider() as provider:
        first = provider.send("born", "births", [birth(1), birth(2)])
        assert provider.send("born", "births", [birth(2), birth(3)])[0] == first[1]
        with pytest.raises(Refused) as caught:
            provider.send("born", "births", [birth(4), birth(2, division="430291")])
        assert caught.value.problem.code == "event_differs"
    with modes.exchange.link() as link:
        assert [event.data["weight_g"] for event in pull(link, TARGET, grant=GRANT)[0]] == [1, 2, 3]


@pytest.mark.parametrize(
    "change",
    [
        {"specversion": "0.3"},
        {"id": ""},
        {"source": 5},
        {"type": None},
        {"data": [1]},
        {"data": "text"},
        {"datacontenttype": "text/xml"},
        {"time": "yesterday"},
        {"Upper": "x"},
        {"extension": {"a": 1}},
        {"subject": "x" * 2000},
        {"data": {"x": "y" * 300_000}},
    ],
)
def test_what_is_no_event_of_the_profile_is_refused_whole(modes: Modes, change: dict[str, Any]) -> None:
    content = json.dumps([birth(1).as_json(), birth(2).as_json() | change]).encode()
    with modes.provider() as provider, pytest.raises(Refused) as caught:
        provider.request("POST", "/.furong/provide/born/births", grant="provider", content=content, content_type=BATCH)
    assert caught.value.problem.code == "event_malformed"
    with modes.exchange.link() as link:
        assert pull(link, TARGET, grant=GRANT)[0] == []


def test_only_the_provider_publishes_and_nobody_steps_out_of_the_service(modes: Modes) -> None:
    with modes.exchange.link() as link:
        for target, code in (
            ("/.furong/provide/born/births", "not_the_provider"),
            ("/.furong/provide/births/x", "service_unknown"),
            ("/.furong/provide/born/../born/births", "malformed_target"),
            ("/.furong/provide/born/%2E%2E", "malformed_target"),
        ):
            with pytest.raises(Refused) as caught:
                link.request("POST", target, grant="provider", content=b"[]", content_type=BATCH)
            assert caught.value.problem.code == code
        for target, code in ((f"{TARGET}/x/y", "not_found"), ("/born/other", "path_not_granted")):
            with pytest.raises(Refused) as caught:
                link.get(target, grant=GRANT)
            assert caught.value.problem.code == code
        for query in ("after=-1", "after=1&after=2", "limit=0", "wait=x", "evil=1", "name=../x"):
            with pytest.raises(Refused) as caught:
                link.get(f"{TARGET}?{query}", grant=GRANT)
            assert caught.value.problem.code == "malformed_request", query


def test_a_consumer_that_waits_hears_of_an_event_at_once_and_of_a_withdrawal_with_it(modes: Modes) -> None:
    import threading
    import time

    def wait_for(found: list[Any]) -> threading.Thread:
        def ask() -> None:
            with modes.exchange.link() as link:
                try:
                    found.append(pull(link, TARGET, grant=GRANT, after=0, wait_seconds=20))
                except Refused as refused:
                    found.append(refused.problem.code)

        thread = threading.Thread(target=ask)
        thread.start()
        time.sleep(0.2)  # it waits now
        return thread

    with modes.provider() as provider:
        heard: list[Any] = []
        thread = wait_for(heard)
        began = time.monotonic()
        provider.send("born", "births", [birth(1)])
        thread.join()
        assert heard[0][0][0].id == "birth-1"
        assert time.monotonic() - began < 5
        modes.exchange.reconfigure(**modes.changes(born_for_housing={"paths": ["/births"], "rows": ROWS_ELSEWHERE}))
        refused: list[Any] = []
        thread = wait_for(refused)
        modes.exchange.reconfigure(**modes.changes(born_for_housing={"withdrawn": True}))
        provider.send("born", "births", [birth(2)])
        thread.join()
    assert refused == ["grant_not_valid"]


ROWS_ELSEWHERE = [{"field": "division", "values": ["none"]}]


def test_the_client_has_each_event_take_effect_once_whatever_is_replayed(modes: Modes, tmp_path: Path) -> None:
    path = tmp_path / "inbox.db"
    with modes.provider() as provider:
        provider.send("born", "births", [birth(n) for n in range(50)])
    with modes.exchange.link() as link, Inbox(path) as inbox:
        events, _ = pull(link, TARGET, grant=GRANT, limit=20)
        # The same events, once more and in another order, as a replay or a second way would bring them.
        assert inbox.take(events, _effect, grant=GRANT)[0] == 20
        assert inbox.take(events[::-1], _effect, grant=GRANT)[0] == 0
        for found in follow(link, TARGET, grant=GRANT, inbox=inbox, handle=_effect, limit=15, wait_seconds=0):
            if not found.given:
                break
        status = link.get(f"{TARGET}/status", grant=GRANT).json()
    assert _effects(path) == list(range(50))
    assert (status["behind"], status["state"], status["mode"]) == (0, "live", "pull")


def test_a_handler_that_fails_leaves_its_event_to_come_again(modes: Modes, tmp_path: Path) -> None:
    path, broken = tmp_path / "inbox.db", [3]

    def handle(event: Event, found: sqlite3.Connection) -> None:
        _effect(event, found)
        if event.data["weight_g"] in broken:
            raise ValueError("not today")

    with modes.provider() as provider:
        provider.send("born", "births", [birth(n) for n in range(6)])
    with modes.exchange.link() as link, Inbox(path) as inbox:
        with pytest.raises(HandlerError) as caught:
            next(follow(link, TARGET, grant=GRANT, inbox=inbox, handle=handle, wait_seconds=0))
        assert isinstance(caught.value.__cause__, ValueError)
        assert 3 not in _effects(path)
        broken.clear()
        next(follow(link, TARGET, grant=GRANT, inbox=inbox, handle=handle, wait_seconds=0))
    assert sorted(_effects(path)) == list(range(6))


def test_a_push_is_delivered_signed_in_order_and_on_record(modes: Modes, tmp_path: Path) -> None:
    path = tmp_path / "inbox.db"
    with modes.receiver(path, _effect), modes.provider() as provider, modes.exchange.link() as link:
        status = link.post(f"{TARGET}/subscription", {"endpoint": modes.endpoint}, grant=GRANT).json()
        assert (status["mode"], status["state"]) == ("push", "live")
        for n in range(30):
            provider.send("born", "births", [birth(n)])
        until(lambda: path.exists() and len(_effects_or_none(path)) == 30)
        until(lambda: link.get(f"{TARGET}/status", grant=GRANT).json()["behind"] == 0)
        found = provider.get("/.furong/provide/born/births/subscribers", grant="provider").json()["subscribers"]
    assert _effects(path) == list(range(30))
    assert [(each["grant"], each["state"]) for each in found] == [(GRANT, "live")]
    kinds = [each["kind"] for each in modes.exchange.records()]
    assert kinds.count("sent") == kinds.count("delivered") > 0


def _effects_or_none(path: Path) -> list[int]:
    try:
        return _effects(path)
    except sqlite3.OperationalError:
        return []


def test_an_event_that_is_not_taken_holds_up_its_own_key_only_and_is_tried_again(modes: Modes, tmp_path: Path) -> None:
    path, broken = tmp_path / "inbox.db", {2}

    def handle(event: Event, found: sqlite3.Connection) -> None:
        if event.data["weight_g"] in broken:
            raise ValueError("not yet")
        _effect(event, found)

    events = [birth(n, key="a" if n % 2 == 0 else "b") for n in range(10)]
    with modes.receiver(path, handle), modes.provider() as provider, modes.exchange.link() as link:
        link.post(f"{TARGET}/subscription", {"endpoint": modes.endpoint}, grant=GRANT)
        provider.send("born", "births", events[:6])
        provider.send("born", "births", events[6:])
        until(lambda: set(_effects_or_none(path)) == {0, 1, 3, 5, 7, 9})
        status = until(lambda: _waiting(link.get(f"{TARGET}/status", grant=GRANT).json(), 4))
        assert status["state"] == "retrying"
        assert status["waiting"][0]["failures"] >= 1
        broken.clear()
        until(lambda: len(_effects_or_none(path)) == 10)
    found = _effects(path)
    assert [n for n in found if n % 2 == 0] == [0, 2, 4, 6, 8]
    assert [n for n in found if n % 2 == 1] == [1, 3, 5, 7, 9]


def _waiting(status: dict[str, Any], count: int) -> dict[str, Any] | None:
    return status if len(status["waiting"]) == count and status["behind"] == 0 else None


def test_an_endpoint_away_is_tried_with_back_off_until_dead_and_revived_by_subscribing(
    prepared: Exchange, tmp_path: Path
) -> None:
    modes, path = Modes(prepared), tmp_path / "inbox.db"
    modes.timing = Timing(first_seconds=60, most_seconds=3600, dead_after_seconds=7200, look_seconds=0.02)
    modes.prepare()
    prepared.start()
    try:
        with modes.provider() as provider, prepared.link(clock=prepared.clock) as link:
            link.post(f"{TARGET}/subscription", {"endpoint": modes.endpoint}, grant=GRANT)
            provider.send("born", "births", [birth(1)])

            def status() -> dict[str, Any]:
                found = provider.get("/.furong/provide/born/births/subscribers", grant="provider").json()
                return dict(found["subscribers"][0])

            seen = until(lambda: status() if status()["failures"] == 1 else None)
            assert (seen["state"], seen["error"]) == ("retrying", "unreachable")
            pauses = []
            for failures in range(2, 9):
                before = status()
                pauses.append(round(before["next_at"] - before["failing_since"]))
                # Time is the test's: the clock stands where the next try is due, and nothing is tried before.
                prepared.clock.shift += before["next_at"] - prepared.clock() + 0.5
                until(lambda failures=failures: status()["failures"] >= failures)
            assert pauses[0] == 60
            assert [b > a for a, b in itertools.pairwise(pauses)] == [True] * 6
            assert status()["state"] == "dead"
            assert 'furong_gateway_subscribers_dead{service="born"} 1' in _metrics(prepared)
            with modes.receiver(path, _effect):
                link.post(f"{TARGET}/subscription", {"endpoint": modes.endpoint}, grant=GRANT)
                until(lambda: _effects_or_none(path) == [1])
    finally:
        prepared.stop()


def _metrics(exchange: Exchange) -> str:
    import urllib.request

    with urllib.request.urlopen(f"http://{exchange.authority}/.furong/metrics", timeout=10) as found:
        return str(found.read().decode())


def test_a_withdrawn_grant_stops_a_push_with_the_next_event(modes: Modes, tmp_path: Path) -> None:
    path = tmp_path / "inbox.db"
    with modes.receiver(path, _effect), modes.provider() as provider, modes.exchange.link() as link:
        link.post(f"{TARGET}/subscription", {"endpoint": modes.endpoint}, grant=GRANT)
        provider.send("born", "births", [birth(1)])
        until(lambda: _effects_or_none(path) == [1])
        modes.exchange.reconfigure(**modes.changes(born_for_housing={"withdrawn": True}))
        provider.send("born", "births", [birth(2)])
        found = until(lambda: _stopped(provider))
        assert found["error"] == "grant_not_valid"
        assert _effects(path) == [1]
        modes.exchange.reconfigure(**modes.changes())
        until(lambda: _effects_or_none(path) == [1, 2])


def _stopped(provider: Any) -> dict[str, Any] | None:
    found = provider.get("/.furong/provide/born/births/subscribers", grant="provider").json()["subscribers"][0]
    return found if found["state"] == "stopped" else None


def test_data_goes_only_where_the_operator_signed_that_it_may(modes: Modes) -> None:
    with modes.exchange.link() as link:
        for endpoint in ("http://127.0.0.1:1/events", f"{modes.endpoint}/more", "file:///etc/passwd", "x"):
            with pytest.raises(Refused) as caught:
                link.post(f"{TARGET}/subscription", {"endpoint": endpoint}, grant=GRANT)
            assert caught.value.problem.code == "endpoint_not_allowed"


def test_a_subscriber_replays_from_any_position(modes: Modes, tmp_path: Path) -> None:
    seen: list[int] = []

    def handle(event: Event, found: sqlite3.Connection) -> None:
        seen.append(event.position)

    with modes.provider() as provider, modes.exchange.link() as link:
        places = provider.send("born", "births", [birth(n) for n in range(5)])
        assert [event.position for event in pull(link, TARGET, grant=GRANT, after=places[1])[0]] == places[2:]
        assert [event.position for event in pull(link, TARGET, grant=GRANT, after=0)[0]] == places
        with modes.receiver(tmp_path / "one.db", handle):
            link.post(f"{TARGET}/subscription", {"endpoint": modes.endpoint, "after": places[2]}, grant=GRANT)
            until(lambda: seen == places[3:])
        with modes.receiver(tmp_path / "two.db", handle):
            link.post(f"{TARGET}/subscription", {"endpoint": modes.endpoint, "after": 0}, grant=GRANT)
            until(lambda: seen == places[3:] + places)


def test_an_erased_day_is_not_given_and_positions_stay(modes: Modes) -> None:
    with modes.provider() as provider, modes.exchange.link() as link:
        places = provider.send("born", "births", [birth(n) for n in range(3)])
        assert modes.exchange.do(lambda: modes.events.log.erase_before("2999-01-01")) == 1
        assert pull(link, TARGET, grant=GRANT) == ([], places[-1])
        again = provider.send("born", "births", [birth(7)])
        assert again[0] > places[-1]


def test_a_stored_event_is_unreadable_on_the_disk_and_a_changed_one_is_not_given(modes: Modes) -> None:
    with modes.provider() as provider:
        provider.send("born", "births", [birth(1)])
    folder = modes.exchange.folder / "events" / "born"
    for path in folder.glob("events.db*"):
        assert b"mother" not in path.read_bytes()
        assert "周芷沅".encode() not in path.read_bytes()
    with sqlite3.connect(folder / "events.db") as found:
        found.execute("UPDATE event SET sealed = zeroblob(length(sealed))")
    with modes.exchange.link() as link, pytest.raises(Refused) as caught:
        pull(link, TARGET, grant=GRANT)
    assert caught.value.problem.code == "events_unwritable"
