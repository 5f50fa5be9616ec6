"""A file of people to compare, made ready: line, number, name, date of birth."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from ..bulk.mapping import ColumnMapping
from ..bulk.staging import header_of, scan
from ..errors import FileUnreadable, MappingInvalid
from .values import MOST_ROWS

_DATE_FORMS = ("%Y-%m-%d", "%Y%m%d", "%Y/%m/%d", "%Y.%m.%d")
# What a column is usually called; a mapping says otherwise.
USUAL_NAMES = {
    "number": ("number", "公民身份号码", "身份证号", "身份证号码", "身份证件号码", "证件号码"),
    "name": ("name", "姓名"),
    "born_on": ("born_on", "出生日期", "出生年月日"),
}


def read_asked(*, source: Path, columns: dict[str, str], encoding: str, separator: str) -> pl.DataFrame:
    """Return the rows of a CSV or Parquet file as line, number, name and born_on, in the file's order.

    ``columns`` gives ``number``, ``name`` and ``born_on`` the names of the file's columns; what it leaves out is looked for under
    its usual names. Raises `FileUnreadable`, `MappingInvalid`. Some two seconds for a million rows.
    """
    is_parquet = source.suffix.lower() == ".parquet"
    mapping = ColumnMapping(columns=columns, encoding=encoding, separator=separator)
    try:
        header = header_of(source, mapping)
        found = {name: columns.get(name) or _usual(name, header) for name in USUAL_NAMES}
        for name, column in found.items():
            if column and column not in header:
                raise MappingInvalid(problem=f"the file has no column {column!r} (for {name})")
        if not found["number"] and not (found["name"] and found["born_on"]):
            raise MappingInvalid(problem="it names neither a number, nor a name with a date of birth")
        lazy = scan(source, mapping).with_row_index("\x00line", offset=1 if is_parquet else 2)
        text = {
            name: pl.col(column).cast(pl.String).str.strip_chars().replace("", None)
            if column
            else pl.lit(None, pl.String)
            for name, column in found.items()
        }
        frame = (
            lazy.select(
                pl.col("\x00line").cast(pl.Int64).alias("line"),
                text["number"].str.to_uppercase().alias("number"),
                text["name"].alias("name"),
                pl.coalesce(
                    text["born_on"].str.slice(0, 10).str.to_date(form, strict=False) for form in _DATE_FORMS
                ).alias("born_on"),
            )
            .head(MOST_ROWS + 1)
            .collect()
        )
    except (pl.exceptions.PolarsError, UnicodeDecodeError, OSError) as error:
        raise FileUnreadable(problem=(str(error).strip().splitlines() or ["?"])[0][:200]) from error
    if frame.height > MOST_ROWS:
        raise FileUnreadable(problem=f"it has more than {MOST_ROWS:,} rows", mend="Divide the file.")
    if not frame.height:
        raise FileUnreadable(problem="it has no rows")
    return frame


def _usual(name: str, header: list[str]) -> str:
    return next((one for one in USUAL_NAMES[name] if one in header), "")
