"""Documents are cut in processes of their own: to the same rows, in the same order, and without leaving anybody behind."""

from __future__ import annotations

import os
import signal
from concurrent.futures import ProcessPoolExecutor

from furong.domains.search.analysis.cutting import Analysis
from furong.domains.search.engine.cutters import AT_ONCE, Cutters
from furong.domains.search.engine.schema import cut
from furong.domains.search.values import Document, Kind

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
