"""A file made ready: the mapped columns as trimmed text, ordered by household, in one Parquet file that batches are cut from.

Ordering lets a household stand in one batch. What was staged holds personal data: the folder is the operator's alone, and is
removed when the import is through.
"""

from __future__ import annotations

import codecs
import csv
import hashlib
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from ..errors import FileUnreadable
from .mapping import FIELDS, ColumnMapping, fit, read_mapping

_CHUNK = 1 << 20
_PARQUET = frozenset({".parquet", ".pq"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Staged:
    """A file that is ready: where it lies, how many rows it has, and the digest that names file and mapping."""

    path: Path
    rows: int
    digest: str


def stage(*, source: Path, mapping: Path | None, folder: Path, tell: Callable[[str, float | None], None]) -> Staged:
    """Make ``source`` (CSV or Parquet) ready in ``folder`` and return what it is.

    A file that was staged before, with the same mapping, is taken as it lies. Raises `FileUnreadable` and `MappingInvalid`. About
    a second for a million rows; ordering keeps the rows in memory (some 300 bytes each).
    """
    tell("reading", None)
    if not source.is_file():
        raise FileUnreadable(problem="there is no such file")
    said = None if mapping is None else read_mapping(mapping)
    is_parquet = source.suffix.lower() in _PARQUET
    try:
        header = pl.read_parquet_schema(source) if is_parquet else _csv_header(source, said)
        found = fit(said, list(header))
        digest = hashlib.sha256((_digest(source) + found.digest).encode()).hexdigest()
        path = folder / f"{digest}.parquet"
        if not path.exists():
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            plain = source if is_parquet or found.encoding == "utf-8" else _as_utf8(source, found.encoding, folder)
            lazy = pl.scan_parquet(source) if is_parquet else _scan_csv(plain, found)
            tell("ordering", None)
            draft = path.with_suffix(".draft")
            _rows(lazy, found, first_line=1 if is_parquet else 2).collect().write_parquet(draft)
            os.chmod(draft, 0o600)
            draft.rename(path)
            if plain != source:
                plain.unlink()
        rows = pl.scan_parquet(path).select(pl.len()).collect().item()
    except (pl.exceptions.PolarsError, UnicodeDecodeError, OSError) as error:
        raise FileUnreadable(problem=_first_line(error)) from error
    return Staged(path=path, rows=int(rows), digest=digest)


def batches(staged: Staged, *, after: int, size: int) -> Iterator[tuple[int, pl.DataFrame]]:
    """Cut the staged rows behind the first ``after`` into batches of about ``size`` that split no household.

    It gives each batch with the number of rows that are through when it is.
    """
    lazy = pl.scan_parquet(staged.path)
    while after < staged.rows:
        frame = lazy.slice(after, size).collect()
        wanted = size
        while after + frame.height < staged.rows and frame["household"].n_unique() == 1:
            wanted *= 2  # a collective household of more than a batch
            frame = lazy.slice(after, wanted).collect()
        if after + frame.height < staged.rows:
            last = frame["household"][-1]
            whole = frame.filter(pl.col("household").ne_missing(last))
            # Rows without a household sort first; they may be cut anywhere.
            frame = whole if last is not None and whole.height else frame
        after += frame.height
        yield after, frame


def header_of(source: Path, mapping: ColumnMapping) -> list[str]:
    """Return the names of the columns of a CSV or Parquet file."""
    if source.suffix.lower() in _PARQUET:
        return list(pl.read_parquet_schema(source))
    return _csv_header(source, mapping)


def scan(source: Path, mapping: ColumnMapping) -> pl.LazyFrame:
    """Return the rows of a CSV or Parquet file, all of them texts where it is CSV, to be read when needed.

    Of a file in another encoding a copy is made beside it, which is the caller's to remove with its folder.
    """
    if source.suffix.lower() in _PARQUET:
        return pl.scan_parquet(source)
    plain = source if mapping.encoding == "utf-8" else _as_utf8(source, mapping.encoding, source.parent)
    return _scan_csv(plain, mapping)


def _csv_header(source: Path, mapping: ColumnMapping | None) -> list[str]:
    with source.open("rb") as file:
        first = file.readline(_CHUNK)
    encoding = "utf-8-sig" if mapping is None or mapping.encoding == "utf-8" else mapping.encoding
    separator = "," if mapping is None else mapping.separator
    return next(csv.reader([first.decode(encoding)], delimiter=separator), [])


def _scan_csv(source: Path, mapping: ColumnMapping) -> pl.LazyFrame:
    return pl.scan_csv(source, separator=mapping.separator, infer_schema=False)


def _as_utf8(source: Path, encoding: str, folder: Path) -> Path:
    plain = folder / "transcoded.csv"
    decoder = codecs.getincrementaldecoder(encoding)()
    with source.open("rb") as read, plain.open("w", encoding="utf-8", newline="") as write:
        os.chmod(plain, 0o600)
        while chunk := read.read(_CHUNK):
            write.write(decoder.decode(chunk))
        write.write(decoder.decode(b"", final=True))
    return plain


def _rows(lazy: pl.LazyFrame, mapping: ColumnMapping, *, first_line: int) -> pl.LazyFrame:
    given = [
        pl.col(mapping.columns[name]).cast(pl.String).str.strip_chars().replace("", None).alias(name)
        for name in FIELDS
        if name in mapping.columns
    ]
    absent = [pl.lit(None, dtype=pl.String).alias(name) for name in FIELDS if name not in mapping.columns]
    coded = [
        pl.col(name).replace(dict(table)).alias(name)
        for name, table in mapping.codes.items()
        if name in mapping.columns
    ]
    # A file of rejects has a column called line; no file has one called like this.
    counted = lazy.with_row_index("\x00line", offset=first_line)
    ready = counted.select(pl.col("\x00line").alias("line"), *given, *absent)
    ready = ready.with_columns(*coded, pl.col("number").str.to_uppercase())
    ready = ready.with_columns(twice=pl.col("number").is_duplicated() & pl.col("number").is_not_null())
    return ready.sort("household", "line", nulls_last=False)


def _digest(source: Path) -> str:
    with source.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
