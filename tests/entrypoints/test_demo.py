"""`furong demo`: on both servers, one clear line when it cannot start, and nothing left behind however it ends."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from furong.entrypoints.postgres import PostgresError, find_server, free_port

RESIDENTS = "120"
linux_only = pytest.mark.skipif(sys.platform != "linux", reason="processes are looked up in /proc")


def _environment(home: Path, **more: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("FURONG_")}
    # One register for all is made quicker than fourteen centres, which the story alone looks at.
    return {**kept, "FURONG_HOME": str(home), "FURONG_DEMO_CENTRES": "none", **more}


def _furong(home: Path, *words: str, **more: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "furong.entrypoints.cli", *words],
        env=_environment(home, **more),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=_ignore_interrupts,
    )


def _ignore_interrupts() -> None:
    """What a shell does to a command that it starts behind its back; Ctrl-C's signal must end the demo all the same."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _processes_of(home: Path) -> list[tuple[int, str]]:
    """The processes that name ``home`` in their words or their environment: number and command line."""
    found = []
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit() or int(folder.name) == os.getpid():
            continue
        try:
            words = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            surroundings = (folder / "environ").read_bytes().decode(errors="replace")
        except OSError:
            continue
        if words and (str(home) in words or f"FURONG_HOME={home}" in surroundings):
            found.append((int(folder.name), words))
    return found


def _wait_until_gone(home: Path, seconds: float = 15) -> list[tuple[int, str]]:
    deadline = time.monotonic() + seconds
    while (left := _processes_of(home)) and time.monotonic() < deadline:
        time.sleep(0.1)
    return left


def _wait_until_ready(port: int, process: subprocess.Popen[str], seconds: float = 150) -> float:
    began = time.monotonic()
    while time.monotonic() - began < seconds:
        if process.poll() is not None:
            pytest.fail(f"the demo ended: {process.communicate()}")
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=5) as answer:
                if answer.status == 200:
                    return time.monotonic() - began
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    pytest.fail("the demo did not answer in time")


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    """The demo's folder; what a failed test left running there is ended."""
    home = tmp_path / "home"
    yield home
    if sys.platform == "linux":
        for pid in [pid for pid, _words in _processes_of(home)]:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


@pytest.mark.timeout(600)
@pytest.mark.parametrize("source", ["wheel", pytest.param("system", marks=pytest.mark.soak)])
def test_the_newborns_story_holds_on_either_server(home: Path, source: str) -> None:
    try:
        find_server(source)
    except PostgresError as missing:
        pytest.skip(str(missing))
    # The newer server runs the fourteen centres, the older one register for all.
    centres = "all" if source == "wheel" else "none"
    process = _furong(
        home, "demo", "--check", "--residents", RESIDENTS, FURONG_POSTGRES=source, FURONG_DEMO_CENTRES=centres
    )
    out, err = process.communicate(timeout=580)
    assert process.returncode == 0, out + err
    assert f"({source})" in out
    assert "6 certificates in her folder" in out
    assert ("16 logs verify" if source == "wheel" else "2 logs verify") in out
    assert ("14 city centres abreast" in out) == (source == "wheel")


@linux_only
@pytest.mark.timeout(400)
def test_kill_9_and_ctrl_c_leave_nothing_running_and_the_second_start_is_quick(home: Path) -> None:
    port = free_port()
    first = _furong(home, "demo", "--port", str(port), "--residents", RESIDENTS)
    made = _wait_until_ready(port, first)
    os.kill(first.pid, signal.SIGKILL)
    first.communicate(timeout=30)
    assert not _wait_until_gone(home)

    # after the kill it starts again, with what was there
    second = _furong(home, "demo", "--port", str(port), "--residents", RESIDENTS)
    seconds = _wait_until_ready(port, second)
    assert seconds < max(30, made), "ten seconds on a quiet machine; this one may be busy"
    os.kill(second.pid, signal.SIGINT)
    out, err = second.communicate(timeout=60)
    assert second.returncode == 0, out + err
    assert not _wait_until_gone(home)


def test_a_busy_port_gets_one_clear_line(home: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        process = _furong(home, "demo", "--port", str(port))
        out, err = process.communicate(timeout=60)
    assert process.returncode == 1
    assert out.strip() == ""
    lines = err.strip().splitlines()
    assert len(lines) == 1
    assert f"Port {port} is in use" in lines[0]
    assert "--port" in lines[0]


def test_a_broken_cluster_gets_one_clear_line(home: Path) -> None:
    data = home / "cluster" / "data"
    data.mkdir(parents=True, mode=0o700)
    (data / "PG_VERSION").write_text(f"{find_server().major}\n")
    (home / "cluster" / "password").write_text("secret\n")
    process = _furong(home, "demo", "--port", str(free_port()))
    _out, err = process.communicate(timeout=90)
    assert process.returncode == 1
    lines = [line for line in err.strip().splitlines() if line]
    assert len(lines) == 1
    assert "--reset" in lines[0]


def test_a_second_demo_on_the_same_folder_is_told_where_the_first_runs(home: Path) -> None:
    import fcntl

    home.mkdir(parents=True)
    with (home / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        process = _furong(home, "demo", "--port", str(free_port()))
        _out, err = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "already runs" in err


def test_an_unknown_command_is_no_stack_trace(home: Path) -> None:
    process = _furong(home, "fly")
    _out, err = process.communicate(timeout=60)
    assert process.returncode == 2
    assert "Traceback" not in err
