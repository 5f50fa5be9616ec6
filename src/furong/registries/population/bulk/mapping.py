"""What the columns of somebody's file are called, and how their codes are told. Pure.

A mapping is a TOML file:

    encoding = "gb18030"                 # of a CSV file; utf-8 when left out
    separator = ","
    [columns]                            # our field = the file's column
    number = "公民身份号码"
    name = "姓名"
    [codes.sex]                          # the file's word = our code; a code and its Chinese name need no line
    "M" = "1"

Without a mapping the file's columns carry our names.
"""

from __future__ import annotations

import hashlib
import json
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ..errors import MappingInvalid

# What must be there, and what may be. Sex and birth are read from the number where the file does not say them.
REQUIRED = ("number", "name", "ethnicity", "division_code", "address", "household", "relation")
OPTIONAL = ("sex", "born_on", "marital", "former_name", "native_division_code", "registered_on")
FIELDS = (*REQUIRED, *OPTIONAL)
CODED = {
    "sex": "sex",
    "ethnicity": "ethnic_group",
    "relation": "household_relation",
    "marital": "marital_status",
}
ENCODINGS = ("utf-8", "gb18030")


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnMapping:
    """One file's columns and codes."""

    columns: Mapping[str, str]
    codes: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    encoding: str = "utf-8"
    separator: str = ","

    @property
    def digest(self) -> str:
        """SHA-256 of what it says, to tell another mapping of the same file."""
        said = [dict(self.columns), {k: dict(v) for k, v in self.codes.items()}, self.encoding, self.separator]
        return hashlib.sha256(json.dumps(said, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def read_mapping(path: Path) -> ColumnMapping:
    """Read a mapping's file. Raises `MappingInvalid`, which says what is wrong."""
    try:
        found = _read(tomllib.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise MappingInvalid(problem=f"it cannot be read ({error.strerror})") from error
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise MappingInvalid(problem=f"it is no TOML: {error}") from error
    missing = [name for name in REQUIRED if name not in found.columns]
    if missing:
        raise MappingInvalid(problem=f"it names no column for {', '.join(missing)}")
    return found


def fit(mapping: ColumnMapping | None, header: list[str]) -> ColumnMapping:
    """Check a mapping against a header; without one, columns carry our names. Raises `MappingInvalid`."""
    if mapping is None:
        mapping = ColumnMapping(columns={name: name for name in FIELDS if name in header or name in REQUIRED})
    for name, column in mapping.columns.items():
        if column not in header:
            raise MappingInvalid(problem=f"the file has no column {column!r} (for {name})")
    return mapping


def _read(said: Mapping[str, object]) -> ColumnMapping:
    unknown = said.keys() - {"columns", "codes", "encoding", "separator"}
    if unknown:
        raise MappingInvalid(problem=f"{', '.join(sorted(unknown))} is not known here")
    columns, codes = said.get("columns", {}), said.get("codes", {})
    if not isinstance(columns, dict) or not all(isinstance(one, str) for one in columns.values()):
        raise MappingInvalid(problem="[columns] gives each field the name of a column")
    if strangers := columns.keys() - set(FIELDS):
        raise MappingInvalid(problem=f"the register has no field {', '.join(sorted(strangers))}")
    if not isinstance(codes, dict) or codes.keys() - CODED.keys():
        raise MappingInvalid(problem=f"[codes] are those of {', '.join(CODED)}")
    for name, table in codes.items():
        if not isinstance(table, dict) or not all(isinstance(one, str) for one in table.values()):
            raise MappingInvalid(problem=f"[codes.{name}] gives each word of the file a code")
    encoding, separator = str(said.get("encoding", "utf-8")).lower(), str(said.get("separator", ","))
    if encoding not in ENCODINGS:
        raise MappingInvalid(problem=f"the encoding is one of {', '.join(ENCODINGS)}")
    if len(separator) != 1:
        raise MappingInvalid(problem="the separator is one character")
    return ColumnMapping(columns=columns, codes=codes, encoding=encoding, separator=separator)
