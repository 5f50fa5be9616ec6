"""What a message's cost rests on: threads that share one queue, encoders made once, times as text, TLS accepted by hand."""

from __future__ import annotations

import asyncio
import json
import ssl
import threading
import time
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pytest
import uvloop
from hypothesis import given
from hypothesis import strategies as st

from furong_link.beside import Beside
from furong_link.certificates import make_certificate
from furong_link.compact import compact, quote
from furong_link.evidence import text_of_time
from furong_link.handshake import Listener, Refusals


def test_threads_share_one_queue_and_each_call_is_told_its_own_result_or_error() -> None:
    async def main() -> None:
        beside = Beside(threads=2)
        seen: set[str] = set()

        def work(number: int) -> int:
            seen.add(threading.current_thread().name)
            time.sleep(0.001)
            if number % 7 == 3:
                raise ValueError(str(number))
            return number * number

        states = [beside.busy]
        calls = [beside.call(work, number) for number in range(60)]
        calls[10].cancel()
        states.append(beside.busy)
        found = await asyncio.gather(*calls, return_exceptions=True)
        states.append(beside.busy)
        assert states == [False, True, False]
        for number, result in enumerate(found):
            if number == 10:
                assert isinstance(result, asyncio.CancelledError)
            elif number % 7 == 3:
                assert isinstance(result, ValueError)
                assert str(result) == str(number)
            else:
                assert result == number * number
        assert seen == {"beside-0", "beside-1"}
        beside.close()
        assert not [one for one in threading.enumerate() if one.name.startswith("beside-")]

    asyncio.run(main())


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=10,
)


@given(VALUES, st.text())
def test_compact_text_is_that_of_json(value: object, text: str) -> None:
    for ascii_only in (True, False):
        expected = json.dumps(value, ensure_ascii=ascii_only, separators=(",", ":"))
        assert compact(ascii_only=ascii_only)(value) == expected
    assert quote(text) == json.dumps(text, ensure_ascii=False)
    with pytest.raises(ValueError, match="JSON compliant"):
        compact(ascii_only=True, allow_nan=False)([float("nan")])


@given(st.floats(0, 4_102_444_800) | st.integers(0, 4_102_444_800) | st.just(1_764_000_000.999_999_9))
def test_a_time_as_text_is_that_of_the_calendar(at: float) -> None:
    assert text_of_time(at) == datetime.fromtimestamp(at, UTC).isoformat(timespec="microseconds")[:-6] + "Z"


class _Echo(asyncio.Protocol):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: asyncio.Transport = transport  # type: ignore[assignment]  # uvloop's is of its own class

    def data_received(self, data: bytes) -> None:
        self._transport.write(data)


@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
def test_a_message_that_comes_with_the_last_of_the_handshake_is_heard_and_a_failed_one_is_told(
    tmp_path: Path, loop: str
) -> None:
    make_certificate(tmp_path / "a.pem", tmp_path / "a.key", name="a")
    server, client = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    server.load_cert_chain(tmp_path / "a.pem", tmp_path / "a.key")
    client.check_hostname = False
    client.load_verify_locations(tmp_path / "a.pem")
    counts, told = Counter[str](), list[object]()

    async def record(facts: object) -> None:
        told.append(facts)

    async def one(port: int, tls: ssl.SSLContext | None) -> bytes:
        reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=tls, server_hostname="" if tls else None)
        writer.write(b"first")
        found = await reader.read(5)
        writer.close()
        return found

    async def main() -> None:
        listener = Listener(
            door=_Echo, tls=server, refusals=Refusals(door="x", counts=counts, record=record, clock=time.time)
        )
        await listener.start("127.0.0.1", 0, backlog=64)
        port = listener.sockets[0].getsockname()[1]
        async with asyncio.timeout(20):
            assert await asyncio.gather(*(one(port, client) for _ in range(20))) == [b"first"] * 20
            assert await one(port, None) != b"first"  # it does not speak TLS
            while not counts:
                await asyncio.sleep(0.01)
        assert counts == {"handshake_failed": 1}
        assert len(told) == 1
        listener.close()
        await asyncio.sleep(0.05)
        with pytest.raises(OSError):
            await asyncio.open_connection("127.0.0.1", port)

    (uvloop.run if loop == "uvloop" else asyncio.run)(main())
