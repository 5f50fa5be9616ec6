"""Importing a file: each batch is a transaction with one audit entry and one event; what cannot be taken is told by row."""

from __future__ import annotations

import csv
import os
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from uuid import UUID

import polars as pl

from furong.foundation.access.values import Actor, Basis
from furong.foundation.audit.commands import current
from furong.foundation.codes.ids import new_id
from furong.foundation.events.commands import publish

from ..acts import begin
from ..events import PeopleImported
from ..ledger import Ledger, local_date, lock
from ..models import ImportRun
from ..place import command, here, is_one_of_several
from ..values import ChangeKind
from .checking import REASONS, check
from .staging import Staged, batches, stage
from .writing import write

Progress = Callable[[str, float | None], None]
BATCH_ROWS = 50_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """What became of a file. ``reasons`` counts why rows were not taken."""

    import_id: UUID
    rows: int
    written: int
    unchanged: int
    rejected: int
    households: int
    reasons: dict[str, int]
    resumed: bool
    was_done: bool


def import_people(
    *,
    source: Path,
    mapping: Path | None,
    folder: Path,
    rejects: Path,
    actor: Actor,
    basis: Basis,
    now: Callable[[], datetime],
    allow_reserved: bool = False,
    batch_rows: int = BATCH_ROWS,
    progress: Progress | None = None,
) -> Imported:
    """Import the people of a CSV or Parquet file and write the rows that it did not take to ``rejects``.

    ``folder`` holds what is on its way and is emptied in the end. The same file with the same mapping again goes on where it was
    cut off, and changes nothing once it is through; people who stand in the register just so count as unchanged. The rest of a
    file goes on when rows are refused. Raises `FileUnreadable`, `MappingInvalid`, `AccessRefused`.
    """
    tell = progress or (lambda _text, _share: None)
    staged = stage(source=source, mapping=mapping, folder=folder, tell=tell)
    run, resumed = _run_of(staged, name=source.name, now=now())
    if run.finished_at is None:
        for position, frame in batches(staged, after=run.position, size=batch_rows):
            _one_batch(run.id, position, frame, folder, allow_reserved, actor=actor, basis=basis, now=now())
            tell("importing", position / max(1, staged.rows))
        run = _finish(run.id, now=now())
        _gather_rejects(run, folder, rejects)
        was_done = False
    else:
        was_done = True
    staged.path.unlink(missing_ok=True)
    return Imported(
        import_id=run.id,
        rows=run.rows,
        written=run.written,
        unchanged=run.unchanged,
        rejected=run.rejected,
        households=run.households,
        reasons=dict(run.reasons),
        resumed=resumed and not was_done,
        was_done=was_done,
    )


def _run_of(staged: Staged, *, name: str, now: datetime) -> tuple[ImportRun, bool]:
    run, made = ImportRun.objects.get_or_create(
        digest=staged.digest, defaults={"id": new_id(), "file_name": name, "rows": staged.rows, "started_at": now}
    )
    return run, not made


def _finish(import_id: UUID, *, now: datetime) -> ImportRun:
    ImportRun.objects.filter(pk=import_id, finished_at__isnull=True).update(finished_at=now)
    return ImportRun.objects.get(pk=import_id)


def _one_batch(
    import_id: UUID,
    position: int,
    frame: pl.DataFrame,
    folder: Path,
    allow_reserved: bool,
    *,
    actor: Actor,
    basis: Basis,
    now: datetime,
) -> None:
    centre = here().removeprefix("centre_") if is_one_of_several() else ""
    checked = check(frame, today=local_date(now), allow_reserved=allow_reserved, centre=centre)
    import_batch(
        import_id=import_id,
        position=position,
        rows=checked,
        folder=folder,
        given=frame,
        actor=actor,
        basis=basis,
        now=now,
    )


@command("population.import_batch", of="")
def import_batch(
    *,
    import_id: UUID,
    position: int,
    rows: pl.DataFrame,
    given: pl.DataFrame,
    folder: Path,
    actor: Actor,
    basis: Basis,
    now: datetime,
) -> None:
    """Write one batch of checked rows, with the position up to which the file is through, in one transaction.

    What is refused is written to ``folder`` first, so that nothing is lost between the commit and the file. A batch that is
    through is not written again. Raises `AccessRefused`.
    """
    begin(actor=actor, basis=basis, division_code="")
    lock(f"import:{import_id}")
    run = ImportRun.objects.select_for_update().get(pk=import_id)
    if run.position >= position:
        return
    ledger = Ledger(kind=ChangeKind.IMPORT, actor=actor, basis=basis, now=now, evidence=f"import:{import_id}")
    good = rows.filter(pl.col("reasons").list.len() == 0)
    refused, written, unchanged, opened = write(good, change_id=ledger.change.id, now=now)
    bad = rows.filter(pl.col("reasons").list.len() > 0).select("line", pl.col("reasons").list.join(" "))
    reasons = {**dict(bad.iter_rows()), **refused}
    _keep_rejects(folder, import_id, run.position, given, reasons)
    counts = Counter(run.reasons)
    counts.update(reason for several in reasons.values() for reason in several.split())
    run.position = position
    run.written += written
    run.unchanged += unchanged
    run.rejected += len(reasons)
    run.households += opened
    run.reasons = dict(counts)
    run.save()
    ledger.finish({"written": written})
    entry = current()
    entry.object("import", import_id)
    entry.detail(change_id=str(ledger.change.id), written=written, unchanged=unchanged, rejected=len(reasons))
    publish(
        PeopleImported(import_id=import_id, change_id=ledger.change.id, people=written, households=opened),
        database=here(),
        now=now,
    )


def _keep_rejects(folder: Path, import_id: UUID, position: int, given: pl.DataFrame, reasons: dict[int, str]) -> None:
    path = _part(folder, import_id, position)
    if not reasons:
        path.unlink(missing_ok=True)
        return
    told = pl.DataFrame(
        {"line": list(reasons), "reasons": list(reasons.values())},
        schema={"line": given.schema["line"], "reasons": pl.String},
    )
    told.join(given.drop("twice"), on="line", how="left").sort("line").write_parquet(path)
    os.chmod(path, 0o600)


def _part(folder: Path, import_id: UUID, position: int) -> Path:
    return folder / f"{import_id}-{position:012d}.rejects"


def _gather_rejects(run: ImportRun, folder: Path, rejects: Path) -> None:
    """Put the refused rows of all batches into one CSV file, in the file's order, with the reasons in words."""
    parts = sorted(folder.glob(f"{run.id}-*.rejects"))
    if not parts:
        return
    frame = pl.concat([pl.read_parquet(part) for part in parts]).sort("line")
    descriptor = os.open(rejects, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8-sig", newline="") as out:
        writer = csv.writer(out)
        writer.writerow(["line", "reasons", "原因", *frame.columns[2:]])
        for line, reasons, *values in frame.iter_rows():
            words = "；".join(REASONS[one][0] for one in reasons.split())
            writer.writerow([line, reasons, words, *("" if one is None else one for one in values)])
    for part in parts:
        part.unlink()
