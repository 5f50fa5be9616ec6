"""The search when its writer is killed, another writer comes, its files break, its disk is full: what serves goes on serving.

Real processes and real files; the database holds no pack, and documents come from a source that the test holds.
"""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from furong.domains.search import commands, queries, serving
from furong.domains.search.engine.tantivy_engine import TantivyEngine
from furong.domains.search.errors import IndexMissingError, IndexWriteError, WriterBusyError
from furong.domains.search.following import Follower, rebuild
from furong.domains.search.home import Home
from furong.domains.search.values import Query
from furong.domains.search.wording import analysis_of
from furong.foundation.access.values import Actor
from tests.domains.search.conftest import NOW, TODAY
from tests.domains.search.conftest import held as held
from tests.domains.search.conftest import index_home as index_home
from tests.domains.search.feeding import HeldSource

pytestmark = pytest.mark.faults

# Writes documents in rounds and says after each commit how many there must be.
_WRITER = """
import sys
from pathlib import Path
sys.path[:0] = {paths!r}
from furong.domains.search.engine.tantivy_engine import TantivyEngine
from furong.domains.search.values import Document, Kind
from furong.domains.search.analysis.cutting import Analysis
if {limit}:
    import resource
    resource.setrlimit(resource.RLIMIT_FSIZE, ({limit}, {limit}))
engine = TantivyEngine(Path(sys.argv[1]), analysis=Analysis(), create=True)
done = int(sys.argv[2])
import hashlib
def words(n):
    return " ".join(hashlib.sha256(f"{{n}}/{{i}}".encode()).hexdigest() for i in range(30))
for _ in range(200):
    engine.add(
        Document(key=f"p:{{n}}", kind=Kind.PAGE, title=f"公报{{n}}", text=words(n), address="/x")
        for n in range(done, done + 40)
    )
    engine.commit()
    done += 40
    print(done, flush=True)
"""


def _writer(folder: Path, done: int, *, limit: int = 0) -> subprocess.Popen[str]:
    code = _WRITER.format(paths=[str(Path(__file__).resolve().parents[2] / "src")], limit=limit)
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.Popen(
        [sys.executable, "-c", code, str(folder), str(done)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
    )


def _found(text: str) -> int:
    return queries.search(query=Query(text=text, today=TODAY), actor=Actor.anonymous(), counted=False).total


@pytest.fixture
def followed(database: object, held: HeldSource, index_home: Path) -> Iterator[Follower]:
    for number in range(20):
        held.put(f"p{number}", f"公报{number}")
    follower = Follower(serving.home())
    for _ in range(5):
        follower.step(now=NOW, today=TODAY)
    yield follower
    follower.close()


def test_a_writer_killed_at_any_moment_loses_nothing_that_was_committed(tmp_path: Path) -> None:
    chance, done = random.Random(5), 0
    for _ in range(3):
        writer = _writer(tmp_path, done)
        assert writer.stdout is not None
        line = writer.stdout.readline()
        time.sleep(chance.uniform(0.01, 0.25))
        writer.send_signal(signal.SIGKILL)
        rest = [line, *writer.communicate()[0].split()]
        done = int(rest[-1])
        engine = TantivyEngine(tmp_path, analysis=analysis_of(()))
        engine.prove()
        count = engine.count(rights=frozenset({"public"}))
        assert count >= done  # what was said to be committed is there; at most one round more, whose word was cut off
        assert count % 40 == 0
        done = count
        engine.open_writer()  # the dead one's lock holds nobody up
        engine.close()


def test_a_full_disk_stops_the_writer_and_nobody_else(tmp_path: Path) -> None:
    writer = _writer(tmp_path, 0, limit=60_000)
    out, err = writer.communicate(timeout=240)
    assert "IndexWriteError" in err
    done = int(out.split()[-1]) if out.split() else 0
    engine = TantivyEngine(tmp_path, analysis=analysis_of(()))
    engine.prove()
    assert engine.count(rights=frozenset({"public"})) == done
    engine.open_writer()
    engine.close()


@pytest.mark.usefixtures("followed")
def test_a_commit_that_fails_is_done_again_and_meanwhile_the_last_one_serves(
    held: HeldSource, followed: Follower, monkeypatch: pytest.MonkeyPatch
) -> None:
    held.put("late", "号外")
    commands.touch(keys=["held:late"], now=NOW)

    def full(engine: TantivyEngine) -> None:
        raise IndexWriteError("the index could not be committed")

    with monkeypatch.context() as broken:
        broken.setattr(TantivyEngine, "commit", full)
        with pytest.raises(IndexWriteError):
            followed.step(now=NOW, today=TODAY)
        with pytest.raises(IndexWriteError):
            rebuild(place=serving.home(), now=NOW + timedelta(seconds=1), today=TODAY)
    assert _found("公报") == 20
    assert queries.get_status(now=NOW + timedelta(seconds=90)).waiting == 1
    assert not queries.get_status(now=NOW + timedelta(seconds=90)).is_well
    assert len(list(serving.home().path.glob("g-*"))) == 1  # the half-built one is gone
    followed.step(now=NOW, today=TODAY)
    assert _found("号外") == 1


def test_of_two_writers_the_second_stands_by_and_takes_over(followed: Follower, held: HeldSource) -> None:
    second = Follower(serving.home())
    held.put("late", "号外")
    commands.touch(keys=["held:late"], now=NOW)
    assert second.step(now=NOW, today=TODAY) is False
    assert queries.get_status(now=NOW).waiting == 1
    with serving.home().held("rebuild"), pytest.raises(WriterBusyError, match=str(os.getpid())):
        rebuild(place=serving.home(), now=NOW, today=TODAY)
    followed.close()
    second.step(now=NOW, today=TODAY)
    assert _found("号外") == 1
    second.close()


def test_a_broken_index_is_served_from_memory_then_from_the_one_before_and_made_anew(
    followed: Follower, held: HeldSource
) -> None:
    place = serving.home()
    newest = rebuild(place=place, now=NOW + timedelta(seconds=1), today=TODAY)
    assert _found("公报") == 20
    followed.close()
    for path in (place.folder(newest) / "public").iterdir():
        path.unlink()  # what is open stays readable
    (place.folder(newest) / "public" / "meta.json").write_text('{"segments": [')
    assert _found("公报") == 20
    serving.forget()  # another process starts now
    assert _found("公报") == 20
    assert queries.get_status(now=NOW).is_current is False
    (place.path / "current.json").write_text("no JSON")
    serving.forget()
    assert _found("公报") == 20
    place.serve(newest)
    repaired = Follower(place)
    repaired.step(now=NOW + timedelta(seconds=2), today=TODAY)
    assert place.current() != newest
    assert queries.get_status(now=NOW).is_current
    repaired.close()
    for generation in place.generations():
        (place.folder(generation) / "public" / "meta.json").write_text("")
    serving.forget()
    with pytest.raises(IndexMissingError):
        _found("公报")
    assert queries.get_status(now=NOW).generation == ""


def test_a_rebuild_that_was_killed_leaves_the_serving_index_alone(followed: Follower) -> None:
    place = serving.home()
    serves = place.current()
    half = place.begin(now=NOW + timedelta(seconds=1))
    TantivyEngine(place.folder(half), analysis=analysis_of(()), create=True)  # never completed, as after kill -9
    serving.forget()
    assert _found("公报") == 20
    assert serving.engine(on=TODAY).generation == serves
    newest = rebuild(place=place, now=NOW + timedelta(seconds=2), today=TODAY)
    assert not place.folder(half).exists()
    assert json.loads((place.path / "current.json").read_text())["generation"] == newest
    assert Home(place.path).generations()[0] == newest
