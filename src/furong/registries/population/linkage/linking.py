"""Two files, or one, matched: by number first, then by likeness; a part of the rows at a time, within the memory allowed."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from ..errors import MappingInvalid
from .preparing import add_keys, columns_of, drop_blocks, one_character, read_side, value_of
from .values import MARGIN_BITS, MATCH_FROM, PART_ROWS, REVIEW_FROM, FoundBy, Linked, LinkKind, Side, Verdict

if TYPE_CHECKING:
    import duckdb

_TYPES: dict[LinkKind, Literal["link_only", "dedupe_only", "link_and_dedupe"]] = {
    LinkKind.LINK: "link_only",
    LinkKind.DEDUPE: "dedupe_only",
    LinkKind.BOTH: "link_and_dedupe",
}
# How many of the pairs that are one person agree on name, birth and sex to the letter; measured, and it may be wrong by half.
_PLAINLY_EQUAL = 0.8


def match_files(
    *,
    left: Side,
    right: Side | None = None,
    kind: LinkKind = LinkKind.LINK,
    out: Path,
    folder: Path | None = None,
    memory: str = "4GB",
    threads: int = 0,
    match_from: float = MATCH_FROM,
    review_from: float = REVIEW_FROM,
    tell: Callable[[str, float | None], None] = lambda _text, _share: None,
) -> Linked:
    """Write the pairs of rows that are one person to ``out`` (CSV, or Parquet by its ending).

    ``kind`` is what is looked for; `LinkKind.LINK` gives each row at most one partner. A pair names its rows by their ``id``, or
    by their place in the file, counted from 1; beside it stand its verdict, what found it, its probability, and in which degree
    it agrees in each respect. ``folder`` is where work is put aside, ``memory`` what DuckDB may hold. Raises `FileUnreadable`,
    `MappingInvalid`; then nothing is written. Some three seconds for 100,000 rows.
    """
    import duckdb

    if (right is None) == (kind != LinkKind.DEDUPE):
        raise MappingInvalid(
            problem="one file is searched for people who stand in it twice, two are linked",
            mend="Name two files with link or both, one with dedupe.",
        )
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="furong-match-", dir=folder) as aside:
        place = Path(aside)
        connection = duckdb.connect(str(place / "work.duckdb"))
        try:
            connection.execute(f"SET memory_limit = '{memory}'")
            connection.execute("SET temp_directory = ?", [str(place / "spill")])
            if threads:
                connection.execute(f"SET threads = {int(threads)}")
            done = _match(
                connection, left=left, right=right, kind=kind, out=out, aside=place, tell=tell,
                match_from=match_from, review_from=review_from, began=began,
            )  # fmt: skip
        finally:
            connection.close()
    return done


def _match(
    connection: duckdb.DuckDBPyConnection,
    *,
    left: Side,
    right: Side | None,
    kind: LinkKind,
    out: Path,
    aside: Path,
    tell: Callable[[str, float | None], None],
    match_from: float,
    review_from: float,
    began: float,
) -> Linked:
    sides = {"a_left": left} if right is None else {"a_left": left, "b_right": right}
    columns = {table: columns_of(side) for table, side in sides.items()}
    rows = {}
    for table, side in sides.items():
        tell(f"reading {side.path.name}", None)
        rows[table] = read_side(connection, side, table=table, columns=columns[table], folder=aside)
    add_keys(connection, tuple(sides), tell=tell)
    pairs, numbered = "pairs", 0
    connection.execute(
        f"CREATE TABLE {pairs} (left_row BIGINT, right_row BIGINT, left_side VARCHAR, right_side VARCHAR, left_id VARCHAR, "
        "right_id VARCHAR, found_by VARCHAR, probability DOUBLE, weight DOUBLE, number VARCHAR, name VARCHAR, birth VARCHAR, "
        "sex VARCHAR, household VARCHAR)"
    )
    if kind is LinkKind.LINK:
        tell("numbers", None)
        numbered = _by_number(connection, pairs)
    tell("candidates", None)
    other = "a_left" if right is None else "b_right"
    ignored = drop_blocks(connection, "a_left", other)
    candidates = _by_likeness(
        connection,
        tuple(sides),
        pairs,
        kind=kind,
        rows=tuple(rows.values()),
        numbered=numbered,
        from_=review_from,
        tell=tell,
    )
    tell("settling", None)
    matches, reviews = _settle(connection, pairs, kind=kind, out=out, aside=aside, match_from=match_from)
    return Linked(
        left_rows=rows["a_left"],
        right_rows=rows.get("b_right", 0),
        fields=tuple(sorted(set(columns["a_left"]) & set(columns[other]) - {"id"})),
        matches=matches,
        reviews=reviews,
        by_number=numbered,
        candidates=candidates,
        ignored_blocks=ignored,
        seconds=time.monotonic() - began,
    )


def _by_number(connection: duckdb.DuckDBPyConnection, pairs: str) -> int:
    """Pair rows that alone carry a number and agree on the name; they are through. Others with it are compared further."""
    connection.execute(
        f"""
        INSERT INTO {pairs}
        SELECT l.row, r.row, 'a_left', 'b_right', l.id, r.id, '{FoundBy.NUMBER}', 1, NULL, 'equal',
               CASE WHEN l.name IS NULL OR r.name IS NULL THEN 'unknown' WHEN l.name = r.name THEN 'equal'
                    WHEN l.sound = r.sound THEN 'sounds_equal' ELSE 'differs' END,
               CASE WHEN l.born IS NULL OR r.born IS NULL THEN 'unknown' WHEN l.born = r.born THEN 'equal' ELSE 'differs' END,
               CASE WHEN l.sex IS NULL OR r.sex IS NULL THEN 'unknown' WHEN l.sex = r.sex THEN 'equal' ELSE 'differs' END,
               'unknown'
          FROM a_left l JOIN b_right r ON l.number = r.number
         WHERE (l.name IS NULL OR r.name IS NULL OR l.name = r.name OR l.sound = r.sound OR l.blur = r.blur
                OR l.name = r.former_name OR l.former_name = r.name OR {one_character("l.name", "r.name")})
           AND NOT EXISTS (SELECT 1 FROM a_left o WHERE o.number = l.number AND o.row <> l.row)
           AND NOT EXISTS (SELECT 1 FROM b_right o WHERE o.number = r.number AND o.row <> r.row)
        """
    )
    for table, column in (("a_left", "left_row"), ("b_right", "right_row")):
        connection.execute(f"DELETE FROM {table} WHERE row IN (SELECT {column} FROM {pairs})")
    many = value_of(connection, f"SELECT count(*) FROM {pairs}")
    return int(many)


def _by_likeness(
    connection: duckdb.DuckDBPyConnection,
    tables: tuple[str, ...],
    pairs: str,
    *,
    kind: LinkKind,
    rows: tuple[int, ...],
    numbered: int,
    from_: float,
    tell: Callable[[str, float | None], None],
) -> int:
    from splink import DuckDBAPI, Linker

    from .model import FREQUENCIES, RESPECTS, frequencies_sql, settings, word_sql

    left = rows[0] - numbered
    if not left or (len(rows) > 1 and rows[1] == numbered):
        return 0
    database = DuckDBAPI(connection=connection)
    prior, birth = _chances(connection, tables, kind)
    linker = Linker(
        [database.register(table, dataset_display_name=table) for table in tables]
        if len(tables) > 1
        else database.register(tables[0], dataset_display_name=tables[0]),
        settings(kind=_TYPES[kind], prior=prior, birth=birth),
        log_level=None,
        validate_settings=False,
    )
    for column in FREQUENCIES:
        connection.execute(f"CREATE TABLE frequency_{column} AS {frequencies_sql(column, tables)}")
        linker.table_management.register_term_frequency_lookup(database.register(f"frequency_{column}"), column)
    sides = ("source_dataset_l", "source_dataset_r") if len(tables) > 1 else ("'a_left'", "'a_left'")
    words = ", ".join(f"{word_sql(respect)} AS {respect}" for respect in RESPECTS)
    parts = -(-left // PART_ROWS)
    candidates = 0
    for part in range(1, parts + 1):
        tell("comparing", (part - 1) / parts)
        blocked = linker.inference.compute_blocked_pairs_for_predict_chunk(left_chunk=(part, parts))
        many = value_of(connection, f"SELECT count(*) FROM {blocked.physical_name}")
        candidates += int(many)
        found = linker.inference.predict_chunk(
            left_chunk=(part, parts), threshold_match_probability=from_, warning_mode="never"
        )
        blocked.drop_table_from_database_and_remove_from_cache()
        connection.execute(
            f"INSERT INTO {pairs} SELECT row_l, row_r, {sides[0]}, {sides[1]}, id_l, id_r, "
            f"CASE WHEN gamma_number = 1 THEN '{FoundBy.NUMBER}' ELSE '{FoundBy.LIKENESS}' END, "
            f"match_probability, match_weight, {words} FROM {found.physical_name}"
        )
        found.drop_table_from_database_and_remove_from_cache()
    return candidates


def _chances(connection: duckdb.DuckDBPyConnection, tables: tuple[str, ...], kind: LinkKind) -> tuple[float, float]:
    """Estimate how likely two rows are one person, from those that plainly are; and two strangers born on one day."""
    every = " UNION ALL ".join(f"SELECT '{table}' AS side, name, born, sex FROM {table}" for table in tables)
    apart = {
        LinkKind.LINK: "sum(many) ^ 2 - sum(many ^ 2)",
        LinkKind.DEDUPE: "sum(many * (many - 1))",
        LinkKind.BOTH: "sum(many) * (sum(many) - 1)",
    }[kind]
    plain = value_of(
        connection,
        f"SELECT sum(pairs) FROM (SELECT ({apart}) / 2 AS pairs FROM (SELECT side, name, born, sex, count(*) AS many "
        f"FROM ({every}) WHERE name IS NOT NULL AND born IS NOT NULL GROUP BY ALL) GROUP BY name, born, sex)",
    )
    pairs = value_of(
        connection, f"SELECT ({apart}) / 2 FROM (SELECT side, count(*) AS many FROM ({every}) GROUP BY side)"
    )
    birth = value_of(
        connection,
        f"SELECT sum((many * many)::DOUBLE) / (sum(many)::DOUBLE ^ 2) FROM (SELECT count(*) AS many FROM ({every}) "
        "WHERE born IS NOT NULL GROUP BY born HAVING count(*) > 5)",
    )
    expected = max(1.0, float(plain or 0) / _PLAINLY_EQUAL)
    return min(0.3, expected / max(1.0, float(pairs or 0))), float(birth or 0)


def _settle(
    connection: duckdb.DuckDBPyConnection, pairs: str, *, kind: LinkKind, out: Path, aside: Path, match_from: float
) -> tuple[int, int]:
    """Choose among candidates, give each pair its verdict and write the file whole or not at all."""
    best = (
        "WHERE place_left = 1 AND place_right = 1"  # each the other's best
        if kind is LinkKind.LINK
        else ""
    )
    near = f"least(coalesce(ahead_left, 99), coalesce(ahead_right, 99)) < {MARGIN_BITS}" if best else "false"
    # A number that two rows share without agreeing on name or birth is somebody's mistake, whatever the rest says.
    torn = "number = 'equal' AND name = 'differs' AND birth <> 'equal'"
    # So do twins look, of whom each file may hold another.
    twins = "name = 'one_character' AND birth = 'equal' AND household IN ('address_and_parent', 'both_parents')"
    connection.execute(
        f"""
        CREATE TABLE settled AS
        WITH weighed AS (SELECT *, coalesce(weight, 999) AS bits FROM {pairs}),
        placed AS (
          SELECT *, row_number() OVER mine AS place_left, row_number() OVER theirs AS place_right,
                 bits - lead(bits) OVER mine AS ahead_left, bits - lead(bits) OVER theirs AS ahead_right
            FROM weighed
          WINDOW mine AS (PARTITION BY left_side, left_row ORDER BY bits DESC, right_row),
                 theirs AS (PARTITION BY right_side, right_row ORDER BY bits DESC, left_row)
        )
        SELECT left_side, left_row, right_side, right_row, left_id AS "left", right_id AS "right",
               CASE WHEN probability >= {match_from} AND NOT ({near}) AND NOT ({torn}) AND NOT ({twins})
                    THEN '{Verdict.MATCH}' ELSE '{Verdict.REVIEW}' END AS verdict,
               found_by, round(probability, 6) AS probability, number, name, birth, sex, household
          FROM placed {best}
        """
    )
    sides = "substr(left_side, 3) AS left_file, substr(right_side, 3) AS right_file, " if kind is LinkKind.BOTH else ""
    draft = aside / f"pairs{out.suffix}"
    form = "FORMAT parquet" if out.suffix.lower() in {".parquet", ".pq"} else "FORMAT csv, HEADER true"
    connection.execute(
        f'COPY (SELECT {sides}"left", "right", verdict, found_by, probability, number, name, birth, sex, household FROM settled '
        f"ORDER BY left_side, left_row, right_side, right_row) TO '{str(draft).replace(chr(39), chr(39) * 2)}' ({form})"
    )
    os.chmod(draft, 0o600)
    shutil.move(draft, out)
    counts = dict(connection.execute("SELECT verdict, count(*) FROM settled GROUP BY verdict").fetchall())
    return int(counts.get(Verdict.MATCH, 0)), int(counts.get(Verdict.REVIEW, 0))
