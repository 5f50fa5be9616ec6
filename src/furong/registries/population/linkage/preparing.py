"""Files of people made ready in DuckDB: each field as it is compared, how names sound, and the keys that bring rows together."""

from __future__ import annotations

import codecs
import csv
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import FileUnreadable, MappingInvalid
from ..naming import ADDRESS_FROM, ADDRESS_TO
from .keys import sounds_of
from .values import FIELDS, MOST_PAIRS_A_BLOCK, PLACEHOLDERS, USUAL_NAMES, Side

if TYPE_CHECKING:
    import duckdb

_CHUNK = 1 << 20
_NAMES_AT_ONCE = 50_000
_PARQUET = frozenset({".parquet", ".pq"})
# The keys that bring two rows together. Each forgives another slip: in the given name, the surname, the year, the day, the name
# as a whole, everything but the parents. A date is forgiven day and month in each other's place.
KEYS: Mapping[str, str] = {
    "k_number": "number",
    "k_surname": "born_key || '|' || surname_blur",
    "k_given": "born_key || '|' || nullif(given_blur, '')",
    "k_year": "blur || '|' || born_year",
    "k_day": "blur || '|' || born_day",
    "k_division": "blur || '|' || division",
    "k_place": "blur || '|' || place",
    "k_address": "address || '|' || born_year",
    "k_parents": "mother || '|' || father || '|' || born_year",
}


def columns_of(side: Side) -> dict[str, str]:
    """Return which column of a file holds which field.

    Raises `FileUnreadable`, and `MappingInvalid` when a column is not there, or too little is told to know anybody by.
    """
    header = _header(side)
    if strangers := side.columns.keys() - set(FIELDS):
        raise MappingInvalid(
            problem=f"there is no field {', '.join(sorted(strangers))}; fields are {', '.join(FIELDS)}", mend=_MEND
        )
    found: dict[str, str] = {}
    for name, usual in USUAL_NAMES.items():
        column = side.columns.get(name) or next((one for one in usual if one in header), "")
        if column and column not in header:
            raise MappingInvalid(problem=f"{side.path.name} has no column {column!r} (for {name})", mend=_MEND)
        if column:
            found[name] = column
    if "number" not in found and not ("name" in found and ({"born_on", "address", "mother", "father"} & found.keys())):
        raise MappingInvalid(
            problem=f"{side.path.name} names neither a number, nor a name with a birth date, an address or parents",
            mend=_MEND,
        )
    return found


_MEND = "Say which column holds which field, such as --columns name=姓名 born_on=出生日期."


def _header(side: Side) -> list[str]:
    if not side.path.is_file():
        raise FileUnreadable(problem=f"there is no file {side.path.name}", mend="Check its name.")
    if side.path.suffix.lower() in _PARQUET:
        import polars as pl

        try:
            return list(pl.read_parquet_schema(side.path))
        except (pl.exceptions.PolarsError, OSError) as error:
            raise FileUnreadable(problem=f"{side.path.name} is no Parquet file", mend="Check the file.") from error
    with side.path.open("rb") as file:
        first = file.readline(_CHUNK)
    if not first.strip():
        raise FileUnreadable(problem=f"{side.path.name} is empty", mend="Check the file.")
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            header = next(csv.reader([first.decode(encoding)], delimiter=side.separator), [])
        except UnicodeDecodeError:
            continue
        named = [name or f"__{place}" for place, name in enumerate(header)]
        if len(set(named)) < len(named):
            raise MappingInvalid(problem=f"two columns of {side.path.name} have one name", mend="Give each its own.")
        return named
    raise FileUnreadable(problem=f"{side.path.name} is neither UTF-8 nor GB 18030", mend="Save it in one of these.")


def read_side(
    connection: duckdb.DuckDBPyConnection, side: Side, *, table: str, columns: Mapping[str, str], folder: Path
) -> int:
    """Read a file into ``table`` with each field as it is compared, and return how many rows there are.

    A file in GB 18030 is read from a copy in ``folder``. Raises `FileUnreadable`, which tells the line and nothing of it.
    """
    import duckdb

    if side.path.suffix.lower() in _PARQUET:
        source, params = "read_parquet(?)", [str(side.path)]
    else:
        plain = _as_utf8(side.path, folder / f"{table}.csv")
        # Named one by one: what DuckDB would find out by itself may be another header, or no rows.
        types = ", ".join(f"{_quoted(name)}: 'VARCHAR'" for name in _header(side))
        source, params = (
            f"read_csv(?, auto_detect=false, header=true, columns={{{types}}}, delim=?, quote='\"', escape='\"', "
            "strict_mode=true)",
            [str(plain), side.separator],
        )
    given = ", ".join(
        f"{_text(columns[name])} AS {name}" if name in columns else f"NULL::VARCHAR AS {name}" for name in FIELDS
    )
    connection.execute("SET preserve_insertion_order = true")
    try:
        connection.execute(f"CREATE TABLE raw AS SELECT row_number() OVER () AS row, {given} FROM {source}", params)
    except duckdb.Error as error:
        raise FileUnreadable(
            problem=f"{side.path.name}: {_without_its_content(str(error))}",
            mend="Correct that line, or check the separator.",
        ) from error
    connection.execute("SET preserve_insertion_order = false")
    connection.execute(f"CREATE TABLE {table}_plain AS {_PLAIN}")
    connection.execute("DROP TABLE raw")
    rows = value_of(connection, f"SELECT count(*) FROM {table}_plain")
    if not rows:
        raise FileUnreadable(problem=f"{side.path.name} has no rows", mend="Check the file.")
    return int(rows)


def add_keys(
    connection: duckdb.DuckDBPyConnection, tables: tuple[str, ...], *, tell: Callable[[str, float | None], None]
) -> None:
    """Add to each table how its names sound, and the keys of rows that are to be compared."""
    names = " UNION ".join(
        f"SELECT {column} AS name FROM {table}_plain WHERE {column} IS NOT NULL"
        for table in tables
        for column in ("name", "former_name", "mother", "father")
    )
    connection.execute(f"CREATE TABLE every_name AS {names}")
    count = value_of(connection, "SELECT count(*) FROM every_name")
    connection.execute(
        "CREATE TABLE sounds (name VARCHAR, sound VARCHAR, blur VARCHAR, surname_blur VARCHAR, given_blur VARCHAR, "
        "letters VARCHAR)"
    )
    reader, done = connection.cursor(), 0
    reader.execute("SELECT name FROM every_name")
    while part := reader.fetchmany(_NAMES_AT_ONCE):
        _write_sounds(connection, [name for (name,) in part])
        done += len(part)
        tell("sounding names", done / max(1, count))
    for table in tables:
        keys = ", ".join(f"{what} AS {key}" for key, what in KEYS.items())
        connection.execute(f"CREATE TABLE {table} AS SELECT *, {keys} FROM ({_SOUNDED.format(table=table)})")
        connection.execute(f"DROP TABLE {table}_plain")
    connection.execute("DROP TABLE every_name")
    connection.execute("DROP TABLE sounds")


def drop_blocks(connection: duckdb.DuckDBPyConnection, left: str, right: str) -> int:
    """Empty the keys that too many rows share to mean anything, and return how many there were."""
    ignored = 0
    for key in KEYS:
        connection.execute(
            f"CREATE OR REPLACE TEMP TABLE heavy AS SELECT l.{key} AS held FROM "
            f"(SELECT {key}, count(*) AS many FROM {left} WHERE {key} IS NOT NULL GROUP BY 1) l JOIN "
            f"(SELECT {key}, count(*) AS many FROM {right} WHERE {key} IS NOT NULL GROUP BY 1) r ON l.{key} = r.{key} "
            f"WHERE l.many * r.many > {MOST_PAIRS_A_BLOCK}"
        )
        many = value_of(connection, "SELECT count(*) FROM heavy")
        if many:
            ignored += int(many)
            for table in {left, right}:
                connection.execute(f"UPDATE {table} SET {key} = NULL WHERE {key} IN (SELECT held FROM heavy)")
    return ignored


def one_character(left: str, right: str) -> str:
    """Give the SQL that says whether two names of three characters or more differ in one, or one lacks one.

    Not by ``levenshtein``: DuckDB's counts bytes, of which a character has three, and Spark's counts characters.
    """
    differ = " + ".join(
        f"CASE WHEN substr({left}, {place}, 1) = substr({right}, {place}, 1) THEN 0 ELSE 1 END" for place in range(1, 7)
    )
    lacks = " OR ".join(
        f"(length({more}) >= 3 AND length({more}) = length({less}) + 1 AND (substr({more}, 1, length({less})) = {less} "
        f"OR substr({more}, 2) = {less} OR substr({more}, 1, 1) || substr({more}, 3) = {less}))"
        for more, less in ((left, right), (right, left))
    )
    return (
        f"((length({left}) = length({right}) AND length({left}) >= 3 AND {differ} = 1 "
        f"AND substr({left}, 7) = substr({right}, 7)) OR {lacks})"
    )


def value_of(connection: duckdb.DuckDBPyConnection, query: str) -> int | float:
    """Return the one figure that a query gives, 0 for none."""
    # DuckDB refuses the next statement while a result has rows that were not fetched.
    return connection.execute(query).fetchall()[0][0] or 0


def _write_sounds(connection: duckdb.DuckDBPyConnection, names: list[str]) -> None:
    import polars as pl

    found = [sounds_of(name) for name in names]
    sounded = pl.DataFrame(
        {
            "name": names,
            "sound": [one.sound for one in found],
            "blur": [one.blur for one in found],
            "surname_blur": [one.surname_blur for one in found],
            "given_blur": [one.given_blur for one in found],
            "letters": [one.letters for one in found],
        }
    )
    connection.register("sounded", sounded.to_arrow())
    connection.execute("INSERT INTO sounds SELECT name, sound, blur, surname_blur, given_blur, letters FROM sounded")
    connection.unregister("sounded")


def _as_utf8(source: Path, target: Path) -> Path:
    """Give the file itself where it is UTF-8, else a copy that is."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        with source.open("rb") as file:
            while chunk := file.read(_CHUNK):
                decoder.decode(chunk)
            decoder.decode(b"", final=True)
        return source
    except UnicodeDecodeError:
        pass
    chinese = codecs.getincrementaldecoder("gb18030")()
    try:
        with source.open("rb") as read, target.open("w", encoding="utf-8", newline="") as write:
            while chunk := read.read(_CHUNK):
                write.write(chinese.decode(chunk))
            write.write(chinese.decode(b"", final=True))
    except UnicodeDecodeError as error:
        raise FileUnreadable(
            problem=f"{source.name} is neither UTF-8 nor GB 18030", mend="Save it in one of these."
        ) from error
    return target


def _without_its_content(message: str) -> str:
    """Tell what DuckDB says of a file without the line itself, which names a person."""
    line = re.search(r"CSV Error on Line: ([0-9]+)", message)
    found = re.search(r"^Expected Number of Columns: ([0-9]+) Found: ([0-9]+)$", message, re.MULTILINE)
    what = "it cannot be read"
    if found is not None:
        what = f"{found[2]} columns where there should be {found[1]}"
    elif "unterminated quote" in message:
        what = "a quotation mark is not closed"
    elif "invalid state" in message:
        what = "line ends or quotation marks are not those of CSV (RFC 4180)"
    return what if line is None else f"line {line[1]}: {what}"


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _text(column: str) -> str:
    name = '"' + column.replace('"', '""') + '"'
    return f"nullif(trim(CAST({name} AS VARCHAR)), '')"


_WORDS = ", ".join(map(_quoted, PLACEHOLDERS))
_FOLD = f"translate(%s, {_quoted(ADDRESS_FROM)}, {_quoted(ADDRESS_TO)})"


def _name(column: str) -> str:
    """A name without what stands between its parts, unless it is a word for nobody."""
    folded = f"regexp_replace(nfc_normalize({_FOLD % column}), '[·•・.'' -]', '', 'g')"
    return f"CASE WHEN {folded} NOT IN ({_WORDS}, '') THEN {folded} END"


# GB 11643: MOD 11-2 over the first seventeen digits. A number that does not fit is no number.
_SUM = " + ".join(
    f"CAST(substr(number, {place + 1}, 1) AS INTEGER) * {weight}"
    for place, weight in enumerate((7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2))
)
# Province and prefecture are often left out; signs of building, unit and room are told in many ways.
_ADDRESS = (
    "trim(regexp_replace(regexp_replace(regexp_replace(%s, '^[^省]{1,8}(省|自治区)', ''), "
    "'^[^省市州区县]{1,8}(?:市|州|地区)([^省市州区县]{1,8}(?:区|县|市))', '\\1'), "
    "'(号楼|单元|栋|幢|座|号|室|房|附|-)+', '-', 'g'), '-')"
)
_PLAIN = f"""
WITH given AS (
  SELECT row, id, upper(regexp_replace(number, '\\s', '', 'g')) AS number, {_name("name")} AS name,
         {_name("former_name")} AS former_name, regexp_replace(born_on, '\\s.*$', '') AS born, upper(sex) AS sex,
         regexp_extract(division, '^[0-9]{{6}}') AS division, {_FOLD % "address"} AS address,
         {_name("mother")} AS mother, {_name("father")} AS father
    FROM raw
), numbered AS (
  SELECT * REPLACE (CASE WHEN regexp_full_match(number, '[0-9]{{17}}[0-9X]') THEN number END AS number) FROM given
), checked AS (
  SELECT * REPLACE (CASE WHEN substr('10X98765432', ({_SUM}) % 11 + 1, 1) = substr(number, 18, 1) THEN number END AS number)
    FROM numbered
), parted AS (
  SELECT *, regexp_extract(coalesce(born, substr(number, 7, 8)), '^([0-9]{{4}})[^0-9]?([0-9]{{1,2}})[^0-9]?([0-9]{{1,2}})',
                           ['year', 'month', 'day']) AS part
    FROM checked
), dated AS (
  SELECT *, nullif(part.year, '') AS born_year, lpad(part.month, 2, '0') AS month, lpad(part.day, 2, '0') AS day FROM parted
)
SELECT row, coalesce(id, CAST(row AS VARCHAR)) AS id, number, name, former_name,
       born_year || month || day AS born, born_year,
       CASE WHEN born_year IS NOT NULL THEN least(month, day) || greatest(month, day) END AS born_day,
       born_year || least(month, day) || greatest(month, day) AS born_key,
       CASE WHEN sex IN ('1', '男', 'M', 'MALE', '男性') THEN '1' WHEN sex IN ('2', '女', 'F', 'FEMALE', '女性') THEN '2'
            WHEN sex IS NULL AND number IS NOT NULL
            THEN CASE WHEN CAST(substr(number, 17, 1) AS INTEGER) % 2 = 1 THEN '1' ELSE '2' END END AS sex,
       nullif(division, '') AS division,
       CASE WHEN address NOT IN ({_WORDS}) AND length({_ADDRESS % "address"}) >= 4 THEN {_ADDRESS % "address"} END AS address,
       CASE WHEN length(regexp_extract({_ADDRESS % "address"}, '^[^0-9]+')) >= 4
            THEN regexp_extract({_ADDRESS % "address"}, '^[^0-9]+') END AS place,
       mother, father
  FROM dated
"""
_SOUNDED = """
SELECT p.row, p.id, p.number, p.name, p.former_name, s.sound, s.blur, s.surname_blur, s.given_blur, s.letters, p.born,
       p.born_year, p.born_day, p.born_key, p.sex, p.division, p.address, p.place, m.sound AS mother, f.sound AS father
  FROM {table}_plain p LEFT JOIN sounds s ON s.name = p.name
  LEFT JOIN sounds m ON m.name = p.mother LEFT JOIN sounds f ON f.name = p.father
"""
