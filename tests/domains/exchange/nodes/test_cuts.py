"""Two nodes cut off from one another for an hour: requests and documents wait and arrive once, and what was withdrawn is gone."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from furong.domains.exchange import commands as exchange
from furong.domains.exchange import issuing
from furong.domains.exchange import queries as monitoring
from furong.domains.exchange.nodes import carrying, commands, queries, requests, tasks
from furong.domains.exchange.nodes.events import AskAnswered
from furong.domains.exchange.nodes.values import AskState
from furong_link.centre import Centre
from furong_link.configuration import read_configuration
from furong_link.keys import verifier
from furong_link.nation import Nation, Twin
from tests.domains.exchange.nodes.test_cascade import ASK, name_node
from tests.domains.exchange.setting import SYSTEM, make
from tests.link.conftest import Clock
from tests.link.cutting import Cut

pytestmark = pytest.mark.usefixtures("platform")


class Behind(Nation):
    """The nation's node behind a link that can be cut: its address is the link's."""

    way: Cut | None = None

    @property
    def address(self) -> str:
        return self.way.address if self.way else super().address


def test_what_two_nodes_say_waits_for_the_link_and_arrives_once_and_what_was_withdrawn_meanwhile_is_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock, answered = Clock(), list[Any]()
    monkeypatch.setattr(issuing, "PUSH_SECONDS", 0.01)
    monkeypatch.setattr(carrying, "TIMEOUT_SECONDS", 2.0)
    monkeypatch.setattr(carrying, "Centre", partial(Centre, clock=clock))
    monkeypatch.setattr(
        carrying, "publish", lambda event, now: answered.append(event) if isinstance(event, AskAnswered) else None
    )

    def now() -> datetime:
        return datetime.fromtimestamp(clock(), UTC)

    def held() -> set[str]:
        """The grants of the nation's that our gateways are given."""
        file = issuing.newest_file(beyond=0)
        assert file is not None
        operator = verifier(algorithm="ed25519", public=issuing.operator_public())
        return {one.id for one in read_configuration(file[1], operator=operator).grants.values()} & asked

    def ask(resource: str, item: str) -> str:
        found = str(requests.ask_node(resource=resource, items=[item], **ASK, actor=SYSTEM, now=now()))
        asked.add(found)
        return found

    def settle() -> None:
        for _ in range(2):
            tasks.keep(now=now())

    asked: set[str] = set()
    make()
    name_node()
    nation = Behind(tmp_path / "nation", clock=clock)
    twin = Twin(nation)
    twin.start()
    try:
        with Cut(nation.state["ports"]["node"]) as cut:
            nation.way = cut
            commands.join_upper(address=nation.address, code=nation.state["code"], actor=SYSTEM, now=now())
            settle()
            first = ask("national_marriage", "state")
            settle()
            assert held() == {first}
            upper = queries.get_node(node="nation", actor=SYSTEM, now=now())
            assert (upper.warnings, upper.address) == ((), cut.address)
            serial = nation.state["nodes"]["hunan"]["taken_serial"]
            # Cut: a request goes nowhere, on either side something is withdrawn, and the operator sees who is away.
            cut.sever()
            nation.withdraw(first)
            second = ask("national_residence", "province")
            exchange.withdraw_service(code="marriages", actor=SYSTEM, now=now())
            listed = []
            for minute in (6, 61):
                clock.shift = minute * 60.0
                tasks.keep(now=now())
                (shown,) = monitoring.get_monitor(actor=SYSTEM, now=now()).nodes
                listed.append((shown.code, *shown.warnings))
            assert listed == [
                ("nation", "node_late", "node_unreached"),
                ("nation", "node_old", "node_unreached"),
            ]
            assert held() == {first}  # by the document held, which is good for a day
            assert (len(nation.state["asks"]), nation.state["nodes"]["hunan"]["taken_serial"]) == (1, serial)
            # Mended: the first document that comes takes the withdrawn grant away; the request is decided once.
            cut.mend()
            tasks.keep(now=now())
            assert first not in held()
            settle()
            assert held() == {second}
            states = {str(one.id): one.state for one in queries.get_cascade(actor=SYSTEM, now=now()).asks}
            assert states == {first: AskState.REFUSED, second: AskState.GRANTED}
            assert sorted(nation.state["asks"]) == sorted([first, second])
            assert sorted((str(one.id), one.state) for one in answered) == sorted(
                [(first, "granted"), (first, "refused"), (second, "granted")]
            )
            offered = nation.state["nodes"]["hunan"]["taken"]["catalogue"]
            assert [one["code"] for one in offered] == ["birth_records"]  # what we withdrew is gone there too
            assert monitoring.get_monitor(actor=SYSTEM, now=now()).nodes == ()
    finally:
        twin.stop()
