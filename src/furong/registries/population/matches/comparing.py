"""A file compared with the register: a part of it at a time into a temporary table, then one statement over the set."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence

import polars as pl
from django.db import connections, transaction

from furong.foundation.codes import masking

from ..queries import DATABASE
from .values import ANSWERS, Answer

PART_ROWS = 100_000
_COLUMNS = {
    "number_masked": "coalesce(n.number, '')",
    "name_masked": "p.name",
    "sex": "p.sex",
    "birth_year": "extract(year FROM p.born_on)::int",
    "division_code": "p.division_code",
    "status": "p.status",
}
_MASKS = {"number_masked": masking.mask_number, "name_masked": masking.mask_name}
# Those of a part are looked up one after the other in an index; a plan over whole tables would read the province.
_FOUND = """
COPY (
SELECT g.line, p.person_id, p.name AS held{columns} FROM population_asked g
  JOIN population_identity_number n ON n.number = g.number AND n.type = '111' AND n.superseded_at IS NULL
   AND n.valid_until IS NULL
  JOIN population_person p ON p.person_id = n.person_id WHERE {where}
UNION ALL
SELECT g.line, p.person_id, p.name{columns} FROM population_asked g
  JOIN population_person p ON p.name = g.name AND p.born_on = g.born_on
  LEFT JOIN population_identity_number n ON n.person_id = p.person_id AND n.type = '111' AND n.superseded_at IS NULL
   AND n.valid_until IS NULL
 WHERE g.number IS NULL AND {where}
) TO STDOUT (FORMAT csv)
"""


def compare(
    asked: pl.DataFrame,
    *,
    fields: Sequence[str],
    where: str,
    params: Sequence[object],
    tell: Callable[[int], None],
    part_rows: int = PART_ROWS,
) -> tuple[pl.DataFrame, pl.Series]:
    """Answer each row of ``asked`` and return the answers, in its order, with the keys of people found.

    ``where`` and ``params`` are the rows that may be seen, over ``p.division_code``; ``tell`` hears how many rows are through.
    A row's fields are given only where its answer is a match. Memory: some 200 bytes a row.
    """
    answers: list[pl.DataFrame] = []
    people: list[pl.Series] = []
    for start in range(0, asked.height, part_rows):
        part = asked.slice(start, part_rows)
        found = _find(part, fields=fields, where=where, params=params)
        answers.append(_answer(part, found, fields))
        people.append(found["person_id"])
        tell(start + part.height)
    return pl.concat(answers), pl.concat(people).unique()


def _find(part: pl.DataFrame, *, fields: Sequence[str], where: str, params: Sequence[object]) -> pl.DataFrame:
    columns = "".join(f", {_COLUMNS[name]} AS {name}" for name in fields)
    with transaction.atomic(using=DATABASE), connections[DATABASE].cursor() as cursor:
        cursor.execute(
            "CREATE TEMPORARY TABLE population_asked (line bigint, number text, name text, born_on date) ON COMMIT DROP"
        )
        with cursor.copy("COPY population_asked FROM STDIN (FORMAT csv)") as copy:
            copy.write(part.write_csv(include_header=False))
        cursor.execute("ANALYZE population_asked")
        out = io.BytesIO()
        with cursor.copy(_FOUND.format(columns=columns, where=where), [*params, *params]) as copy:
            for block in copy:
                out.write(block)
    names = ["line", "person_id", "held", *fields]
    schema = {name: pl.Int64 if name == "line" else pl.String for name in names}
    if not out.tell():
        return pl.DataFrame(schema=schema)
    return pl.read_csv(out.getvalue(), has_header=False, new_columns=names, schema=schema)


def _answer(part: pl.DataFrame, found: pl.DataFrame, fields: Sequence[str]) -> pl.DataFrame:
    one = found.group_by("line").agg(
        pl.len().alias("many"), pl.col("held").first(), *(pl.col(name).first() for name in fields)
    )
    joined = part.join(one, on="line", how="left", maintain_order="left")
    named = pl.col("name").is_not_null()
    answer = (
        pl.when(pl.col("number").is_null() & ~(named & pl.col("born_on").is_not_null()))
        .then(pl.lit(Answer.INCOMPLETE.value))
        .when(pl.col("many").is_null())
        .then(pl.lit(Answer.NOT_FOUND.value))
        .when(pl.col("many") > 1)
        .then(pl.lit(Answer.AMBIGUOUS.value))
        .when(pl.col("number").is_not_null() & named & (_plain("name") != _plain("held")))
        .then(pl.lit(Answer.NAME_DIFFERS.value))
        .otherwise(pl.lit(Answer.MATCH.value))
    )
    joined = joined.with_columns(answer=answer)
    words = {one.value: zh for one, (zh, _) in ANSWERS.items()}
    shown = [
        pl.when(pl.col("answer") == Answer.MATCH.value).then(_masked(name)).otherwise(None).alias(name)
        for name in fields
    ]
    return joined.select(
        pl.col("line").alias("row"), "answer", pl.col("answer").replace_strict(words).alias("结果"), *shown
    )


def _plain(column: str) -> pl.Expr:
    return pl.col(column).str.replace_all("[•・]", "·").str.replace_all(r"\s+", "")


def _masked(name: str) -> pl.Expr:
    mask = _MASKS.get(name)
    return pl.col(name) if mask is None else pl.col(name).map_elements(mask, return_dtype=pl.String)
