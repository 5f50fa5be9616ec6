"""Documents are cut in processes of their own: to the same rows, in the same order, and without leaving anybody behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from furong.domains.search.analysis.cutting import Analysis
from furong.domains.search.engine.cutters import AT_ONCE, Cutters
from furong.domains.search.engine.schema import cut
from furong.domains.search.values import Document, Kind

# Cuts for a while, and says which process cuts for it.
_CUTTING = """
import itertools
from furong.domains.search.analysis.cutting import Analysis
from furong.domains.search.engine.cutters import Cutters
from furong.domains.search.values import Document, Kind

if __name__ == "__main__":
    cutters = Cutters(Analysis(), 1)
    rows = cutters.rows(Document(key=f"page:{n}", kind=Kind.PAGE, title="t", address="/t") for n in itertools.count())
    next(rows)
    print(next(iter(cutters._pool._processes)), flush=True)
    for _ in rows:
        pass
"""
ANALYSIS = Analysis(["公积金"])
DOCUMENTS = [
    Document(
        key=f"page:{n}", kind=Kind.PAGE, title=f"公积金通知{n}", address=f"/{n}", text="湘政发〔2020〕5号，ＡＢＣ。" * 3
    )
    for n in range(2 * AT_ONCE + 5)
]


def test_processes_cut_as_this_one_does_and_their_loss_loses_no_document() -> None:
    cutters = Cutters(ANALYSIS, 1)
    whole = [cut(one, ANALYSIS) for one in DOCUMENTS]
    try:
        rows = cutters.rows(DOCUMENTS)
        found = [next(rows)]
        pool = cutters._pool
        assert isinstance(pool, ProcessPoolExecutor)
        for process in list(pool._processes.values()):
            os.kill(process.pid or 0, signal.SIGKILL)
        found += rows
        assert found == whole
    finally:
        cutters.close()


def test_a_writer_that_is_killed_leaves_nobody_behind(tmp_path: Path) -> None:
    program = tmp_path / "cutting.py"
    program.write_text(_CUTTING)
    source = Path(__file__).resolve().parents[3] / "src"
    with subprocess.Popen(
        [sys.executable, str(program)],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(source)},
    ) as writer:
        assert writer.stdout is not None
        cutter = int(writer.stdout.readline())
        os.kill(cutter, 0)  # it is there
        writer.kill()
    end = time.monotonic() + 15
    while _is_running(cutter):
        assert time.monotonic() < end, "it waits for documents for ever"
        time.sleep(0.05)


def _is_running(pid: int) -> bool:
    """Whether a process is there, and not only its end that nobody has taken note of."""
    try:
        os.kill(pid, 0)
        return ") Z " not in Path(f"/proc/{pid}/stat").read_text()
    except (ProcessLookupError, FileNotFoundError):
        return False
