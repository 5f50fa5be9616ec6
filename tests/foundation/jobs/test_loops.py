from __future__ import annotations

import logging
import threading
import time

import pytest

from furong.foundation.jobs import loops
from furong.foundation.jobs.loops import Loop, run_loops


def run_until(condition: object, *made: Loop, seconds: float = 10) -> list[str]:
    stop = threading.Event()
    left: list[str] = []
    running = threading.Thread(target=lambda: left.extend(run_loops(made, stop, patience_seconds=1)))
    running.start()
    deadline = time.monotonic() + seconds
    while not condition() and time.monotonic() < deadline:  # type: ignore[operator]
        time.sleep(0.005)
    stop.set()
    running.join(5)
    assert not running.is_alive()
    assert condition()  # type: ignore[operator]
    return left


def test_a_loop_calls_its_function_again_and_again_and_ends_cleanly() -> None:
    loop = Loop("count", 0.001, lambda: None)
    assert run_until(lambda: loop.state.runs >= 3, loop) == []
    assert loop.state.failures == 0


def test_a_loop_with_more_to_do_does_not_pause() -> None:
    left = [5]

    def work() -> bool:
        left[0] -= 1
        return left[0] > 0

    loop = Loop("drain", 3600, work)
    run_until(lambda: left[0] == 0, loop)
    assert loop.state.runs == 5


def test_a_failing_loop_is_logged_without_the_errors_words_and_goes_on(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loops, "LONGEST_PAUSE_SECONDS", 0.001)
    failures = [ValueError("13800001234")]

    def work() -> None:
        if failures:
            raise failures.pop()

    loop = Loop("shaky", 0.001, work)
    loops.logger.addHandler(caplog.handler)
    try:
        run_until(lambda: loop.state.runs >= 1, loop)
    finally:
        loops.logger.removeHandler(caplog.handler)
    [record] = {id(record): record for record in caplog.records if record.name == "furong.loops"}.values()
    assert (record.levelno, record.__dict__["loop"], record.__dict__["error"]) == (
        logging.ERROR, "shaky", "builtins.ValueError",
    )  # fmt: skip
    assert "13800001234" not in caplog.text
    assert (loop.state.failures, loop.state.failures_in_a_row) == (1, 0)


def test_the_pause_of_a_failing_loop_grows() -> None:
    def work() -> None:
        raise RuntimeError

    loop = Loop("broken", 0.001, work)
    pauses = [loop._once(threading.Event()) for _ in range(12)]
    assert pauses == sorted(pauses)
    assert pauses[-1] == loops.LONGEST_PAUSE_SECONDS


def test_a_broken_loop_does_not_stop_the_others() -> None:
    def work() -> None:
        raise RuntimeError

    fine = Loop("fine", 0.001, lambda: None)
    run_until(lambda: fine.state.runs > 3, Loop("broken", 0.001, work), fine)


def test_a_loop_that_runs_until_stopped_is_told_to_stop() -> None:
    seen: list[str] = []

    def work(stop: threading.Event) -> None:
        seen.append("begun")
        stop.wait()
        seen.append("ended")

    run_until(lambda: seen[:1] == ["begun"], Loop("long", 1, until_stopped=work))
    assert seen == ["begun", "ended"]


def test_a_loop_that_does_not_end_is_named() -> None:
    release = threading.Event()
    begun = threading.Event()

    def work() -> None:
        begun.set()
        release.wait(20)

    assert run_until(begun.is_set, Loop("stubborn", 1, work)) == ["stubborn"]
    release.set()


def test_a_loop_without_exactly_one_function_is_refused() -> None:
    with pytest.raises(ValueError, match="one function"):
        Loop("none", 1)
