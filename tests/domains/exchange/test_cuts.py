"""A gateway cut off from the centre for an hour: it serves and counts, is listed, and a restriction holds once it is back."""

from __future__ import annotations

import json
from collections.abc import Callable, Coroutine, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db.models import Sum
from django.utils import timezone

from furong.domains.catalogue.grants import granting
from furong.domains.exchange import commands, issuing, models, queries, tasks
from furong.domains.exchange.compiling import catalogue_grant
from furong_link.centre import Answered, Centre, CentreError, Keeper
from furong_link.client import Link, Refused
from furong_link.configuration import Configuration
from furong_link.gateway import Gateway, Settings
from furong_link.handover import KeyName
from furong_link.keys import SoftwareKey
from furong_link.nation import free_port
from tests.domains.exchange import test_api
from tests.domains.exchange.nodes.test_cascade import rows_served
from tests.domains.exchange.setting import SYSTEM, Exchange, make
from tests.domains.exchange.test_commands import grants
from tests.link.running import Running

pytestmark = pytest.mark.usefixtures("platform")
HOUR = 3600.0


class Way(Centre):
    """The way to this platform's own API, without a socket between; cut, or losing the answers, as a test wants."""

    def __init__(self, key: SoftwareKey, clock: Callable[[], float]) -> None:
        super().__init__("http://127.0.0.1:1", signer=key)
        self._key, self._time = key, clock
        self.is_cut = self.loses = False

    def ask(
        self, method: str, path: str, content: bytes = b"", *, headers: Mapping[str, str] | None = None
    ) -> Answered:
        if self.is_cut:
            raise CentreError("The centre does not answer: ConnectionRefusedError.")
        found = test_api.ask(self._key, method, path, content, at=self._time(), **(headers or {}))
        if self.loses:
            raise CentreError("The centre does not answer: ConnectionResetError.")
        return Answered(found.status_code, found.content)


class Beside:
    """The gateway as its keeper sees it, whose loop runs in a thread of its own."""

    def __init__(self, running: Running) -> None:
        self._running = running

    def __getattr__(self, name: str) -> Any:
        return getattr(self._running.gateway, name)

    async def take_configuration(self, file: bytes) -> Configuration:
        return self._running.do(lambda: self._running.gateway.take_configuration(file))  # type: ignore[no-any-return]


def done(work: Coroutine[Any, Any, Any]) -> Any:
    """Run what never waits, without a loop: the platform's database is asked in this thread."""
    try:
        work.send(None)
    except StopIteration as found:
        return found.value
    raise AssertionError("it waited")


def test_a_gateway_cut_off_for_an_hour_goes_on_is_listed_and_holds_a_restriction_with_its_first_fetch(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(issuing, "PUSH_SECONDS", 0.01)
    shift, real = [0.0], timezone.now

    def clock() -> float:
        return real().timestamp() + shift[0]

    def now() -> datetime:
        return datetime.fromtimestamp(clock(), UTC)

    async def here(self: Keeper, function: Callable[..., Any], *given: Any) -> Any:
        return function(*given)

    monkeypatch.setattr(timezone, "now", now)
    monkeypatch.setattr(Keeper, "_apart", here)
    made: Exchange = make()
    key, port, operator = made.keys["hospital-1"], free_port(), KeyName("ed25519", issuing.operator_public())
    grant = grants("births", "hunan")[0]["id"]
    with rows_served() as provider:
        running = Running(
            lambda: Gateway(
                settings=Settings(
                    id="hospital-1",
                    authority="127.0.0.1:1",
                    folder=tmp_path,
                    port=port,
                    upstreams={"births": f"http://127.0.0.1:{provider}"},
                ),
                signer=key,
                operator=operator,
                clock=clock,
            )
        )
        running.start()
        centre = Way(key, clock)
        keeper = Keeper(Beside(running), centre, clock=clock)
        link = Link(
            f"http://127.0.0.1:{port}",
            signer=made.keys["platform"],
            gateway_key=key.verifier(),
            authority="127.0.0.1:1",
            clock=clock,
        )

        def beat() -> tuple[bool, bool]:
            """What the gateway does by itself: fetch, report, look at the age of what it holds."""
            found = done(keeper.fetch()), done(keeper.tell())
            keeper._warn()
            return found

        def counted() -> int:
            return int(models.Traffic.objects.filter(outcome="ok").aggregate(found=Sum("messages"))["found"] or 0)

        try:
            assert beat() == (True, True)
            target, asked = "/births/one/4c9e", 0
            for _ in range(2):
                link.get(target, grant=grant)
                asked += 1
            assert beat() == (False, True)
            assert counted() == asked
            # The last report before the cut arrives, and its answer does not.
            link.get(target, grant=grant)
            asked += 1
            centre.loses = True
            assert beat() == (False, False)
            assert counted() == asked
            centre.is_cut, centre.loses = True, False
            graded = []
            for minute in (0, 6, 30, 61):
                shift[0] = minute * 60.0
                tasks.keep(now=now())  # the centre goes on issuing
                assert beat() == (False, False)
                answer = link.get(target, grant=grant)
                asked += 1
                graded.append((keeper.grade, answer.record.stale_seconds is not None))
                if minute == 30:
                    catalogues = catalogue_grant(grant)
                    assert catalogues is not None
                    granting.revoke_grant(grant_id=catalogues, reason="不再需要", actor=SYSTEM, now=now())
                    assert "hospital-1" in queries.get_monitor(actor=SYSTEM, now=now()).unreached
            assert graded == [("fresh", False), ("late", True), ("late", True), ("old", True)]
            view = queries.get_gateway(gateway="hospital-1", actor=SYSTEM, now=now())
            assert {"unreached", "silent"} <= set(view.warnings)
            assert counted() == 3
            # Mended: what was taken away holds from the first fetch, and the hour is counted once.
            centre.is_cut = False
            assert beat() == (True, True)
            assert keeper.grade == "fresh"
            with pytest.raises(Refused) as refused:
                link.get(target, grant=grant)
            assert refused.value.problem.code == "grant_unknown"
            assert refused.value.record.stale_seconds is None
            for _ in range(2):
                assert beat()[1]
            assert counted() == asked == 7
            refusals = models.Traffic.objects.filter(outcome="grant_unknown")
            assert [one.messages for one in refusals] == [1]
            monitor = queries.get_monitor(actor=SYSTEM, now=now())
            assert "hospital-1" not in monitor.unreached
            assert queries.get_gateway(gateway="hospital-1", actor=SYSTEM, now=now()).warnings == ()
            # Where it can be reached, a member that is shut out is out before the command returns; who cannot be is listed.
            place = {"authority": "127.0.0.1:1", "address": f"http://127.0.0.1:{port}"}
            commands.move_gateway(gateway="hospital-1", **place, actor=SYSTEM, now=now())
            monkeypatch.setattr(issuing, "PUSH_SECONDS", 0.5)
            commands.suspend_member(member="hunan", actor=SYSTEM, now=now())
            with pytest.raises(Refused) as refused:
                link.get(target, grant=grant)
            assert refused.value.problem.code == "member_suspended"
            assert set(queries.get_monitor(actor=SYSTEM, now=now()).unreached) == {"housing-1", "province-1"}
            hour_ago = now() - timedelta(minutes=61)
            assert models.Traffic.objects.filter(outcome="ok", minute__lt=hour_ago).exists()  # in their own minutes
            told = [json.loads(line) for line in _records(running) if b'"answered"' in line]
            assert len(told) == asked  # and each is on record at the gateway
        finally:
            link.close()
            running.stop()


def _records(running: Running) -> list[bytes]:
    log = running.gateway.log
    return running.do(lambda: [log.record_text(n) for n in range(log.tree.size)])  # type: ignore[no-any-return]
