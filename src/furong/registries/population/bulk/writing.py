"""Private: one batch into the register. The rows go into a temporary table by COPY; what happens then is SQL over sets."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import polars as pl
from django.db import connections

from furong.foundation.codes.ids import new_ids
from furong.foundation.codes.statements import named_statements

from ..naming import name_keys
from ..place import here
from .checking import HEAD

_SQL = Path(__file__).resolve().parent.parent / "sql" / "import.sql"
_COLUMNS = (
    "line", "number", "name", "former_name", "name_pinyin", "name_plain", "name_initials", "sex", "ethnicity", "born_on",
    "marital", "native_division_code", "division_code", "address", "household", "relation", "registered_on",
    "person_id", "version_id", "number_id", "member_id", "residence_id", "household_id",
)  # fmt: skip
# An empty text is a text; only days and keys may be missing.
_FORM = "(FORMAT csv, FORCE_NOT_NULL (former_name, name_pinyin, name_plain, name_initials, native_division_code))"


def write(frame: pl.DataFrame, *, change_id: UUID, now: datetime) -> tuple[dict[int, str], int, int, int]:
    """Write a batch of checked rows; it returns reasons by line, people written, unchanged, households opened.

    Rows of people who stand in the register with the same number, name and birth are unchanged. One transaction around it is the
    caller's. Raises nothing for a row; a household without exactly one head is left out whole.
    """
    frame = _with_keys(frame)
    statements = named_statements(_SQL)
    with connections[here()].cursor() as cursor:
        cursor.execute(statements["make_incoming"])
        with cursor.copy(f"COPY population_incoming ({', '.join(_COLUMNS)}) FROM STDIN {_FORM}") as copy:
            copy.write(frame.select(_COLUMNS).write_csv(include_header=False, quote_style="necessary"))
        cursor.execute("ANALYZE population_incoming")
        cursor.execute(statements["known"])
        ((unchanged,),) = cursor.fetchall()
        refused: dict[int, str] = {}
        for name in ("taken", "closed", "heads"):
            cursor.execute(statements[name])
            refused.update(dict(cursor.fetchall()))
        cursor.execute(statements["open_households"])
        opened = cursor.rowcount
        cursor.execute(statements["join_households"])
        values: dict[str, Any] = {"now": now, "change": change_id}
        cursor.execute(statements["persons"], values)
        written = cursor.rowcount
        for name in ("versions", "numbers", "members", "residences"):
            cursor.execute(statements[name], values)
        # The server looks for each row's person at the end. With figures of an empty table, which it may have taken while these
        # rows were on their way, it would do so by reading a whole index each time.
        cursor.execute(statements["counted"])
        ((counted,),) = cursor.fetchall()
        if counted < written:
            cursor.execute("ANALYZE population_person")
        cursor.execute("DROP TABLE population_incoming")
    return refused, written, int(unchanged), opened


def _with_keys(frame: pl.DataFrame) -> pl.DataFrame:
    names = frame["name"].unique().to_list()
    keys = [name_keys(one) for one in names]
    table = pl.DataFrame(
        {
            "name": names,
            "name_pinyin": [one.pinyin for one in keys],
            "name_plain": [one.plain for one in keys],
            "name_initials": [one.initials for one in keys],
        },
        schema_overrides=dict.fromkeys(("name", "name_pinyin", "name_plain", "name_initials"), pl.String),
    )
    households = frame["household"].unique().to_list()
    homes = pl.DataFrame(
        {"household": households, "household_id": new_ids(len(households))},
        schema_overrides={"household": pl.String, "household_id": pl.String},
    )
    frame = frame.join(table, on="name", how="left").join(homes, on="household", how="left")
    # The head first, so that lines of a household stand behind it.
    frame = frame.sort(pl.col("relation") != HEAD, "line", maintain_order=True)
    return frame.with_columns(
        *(
            pl.Series(name, new_ids(frame.height), dtype=pl.String)
            for name in ("person_id", "version_id", "number_id", "member_id", "residence_id")
        )
    )
