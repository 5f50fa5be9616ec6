"""Rows as files: CSV (RFC 4180), JSON, XLSX (ISO/IEC 29500) and Apache Parquet. Pure, but for the libraries' own buffers."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from furong.domains.catalogue.data import Table
from furong.domains.catalogue.resources.values import ItemType

# What a spreadsheet would take for a formula when a cell of text begins with it (OWASP, CSV injection).
_FORMULAS = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """A format that rows are handed out in; ``write`` gives the bytes."""

    code: str
    label: str
    media_type: str
    write: Callable[[Table], bytes]


def plain(value: Any) -> Any:
    """Give a value as JSON holds it: dates and moments in ISO 8601, moments in UTC."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    return value.isoformat() if isinstance(value, date) else value


def written(value: Any) -> str:
    """Give a value as a cell of CSV. Text that a spreadsheet would take for a formula gets an apostrophe before it."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return f"'{value}" if value.startswith(_FORMULAS) else value
    return str(plain(value))


def to_csv(table: Table) -> bytes:
    """Write UTF-8 with a header of item codes and lines that end with CRLF."""
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow([column.code for column in table.columns])
    writer.writerows([written(value) for value in row] for row in table.rows)
    return out.getvalue().encode()


def to_json(table: Table) -> bytes:
    """Write an array of objects, one a row, keys being item codes."""
    codes = [column.code for column in table.columns]
    rows = [dict(zip(codes, map(plain, row), strict=True)) for row in table.rows]
    return json.dumps(rows, ensure_ascii=False, separators=(",", ":")).encode()


def to_xlsx(table: Table) -> bytes:
    """Write one sheet with a header of Chinese names; text stays text, so that no cell is a formula."""
    import xlsxwriter  # type: ignore[import-untyped]  # it ships none

    out = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    book = xlsxwriter.Workbook(out, options)
    sheet = book.add_worksheet("data")
    bold, day = book.add_format({"bold": True}), book.add_format({"num_format": "yyyy-mm-dd"})
    moment = book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"})
    for place, column in enumerate(table.columns):
        sheet.write_string(0, place, column.name.get("zh") or column.code, bold)
        sheet.set_column(place, place, 24 if column.type in {ItemType.TEXT, ItemType.MEMO} else 14)
    sheet.freeze_panes(1, 0)
    for line, row in enumerate(table.rows, 1):
        for place, value in enumerate(row):
            if value is None:
                continue
            if isinstance(value, bool):
                sheet.write_boolean(line, place, value)
            elif isinstance(value, str):
                sheet.write_string(line, place, value[:32_767])
            elif isinstance(value, datetime):
                sheet.write_datetime(line, place, value.astimezone(UTC).replace(tzinfo=None), moment)
            elif isinstance(value, date):
                sheet.write_datetime(line, place, value, day)
            else:
                sheet.write_number(line, place, value)
    book.close()
    return out.getvalue()


def to_parquet(table: Table) -> bytes:
    """Write typed columns named by item codes; moments in UTC."""
    import polars

    kinds: dict[ItemType, Any] = {
        ItemType.INTEGER: polars.Int64,
        ItemType.MONEY: polars.Int64,
        ItemType.NUMBER: polars.Float64,
        ItemType.DOUBLE: polars.Float64,
        ItemType.FLOAT: polars.Float64,
        ItemType.DATE: polars.Date,
        ItemType.DATETIME: polars.Datetime("us", "UTC"),
        ItemType.LOGICAL: polars.Boolean,
    }
    columns = {
        column.code: polars.Series(
            column.code, [row[place] for row in table.rows], dtype=kinds.get(column.type, polars.String), strict=False
        )
        for place, column in enumerate(table.columns)
    }
    out = io.BytesIO()
    polars.DataFrame(columns).write_parquet(out)
    return out.getvalue()


FORMATS: Mapping[str, Format] = {
    one.code: one
    for one in (
        Format(code="csv", label="CSV", media_type="text/csv; charset=utf-8", write=to_csv),
        Format(code="json", label="JSON", media_type="application/json", write=to_json),
        Format(
            code="xlsx",
            label="XLSX",
            media_type="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            write=to_xlsx,
        ),
        Format(code="parquet", label="Parquet", media_type="application/vnd.apache.parquet", write=to_parquet),
    )
}
