"""A grant's fields and rows applied to a file: CSV line by line, Parquet by slices (with polars, where it is installed).

It runs as a process of its own (``python -m furong_link.batch_terms``, the work as JSON on standard input), so that a
file of any size holds up neither the gateway's messages nor its memory.
"""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Callable, Iterator, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

from furong_link.errors import Refusal
from furong_link.masking import KEEP, MASKS, FieldTree, RowScope, apply_terms, field_tree

SLICE = 50_000  # rows of a Parquet file held at once
CHANGE = "furong_change"  # the column of a delta that says put or remove; it always passes
_WIDEST = 16 * 1024 * 1024


def flat(tree: FieldTree, *, before: str = "") -> dict[str, str]:
    """Give the rules of a tree by dotted names."""
    found: dict[str, str] = {}
    for name, rule in tree.items():
        found |= {before + name: rule} if isinstance(rule, str) else flat(rule, before=f"{before}{name}.")
    return found


def work_of(tree: FieldTree | None, scope: tuple[RowScope, ...]) -> dict[str, Any]:
    """Give a grant's terms as JSON, in one form."""
    return {
        "fields": None if tree is None else dict(sorted(flat(tree).items())),
        "rows": [
            {"field": ".".join(part.path), "values": sorted(part.values), "prefixes": list(part.prefixes)}
            for part in scope
        ],
    }


def terms_digest(tree: FieldTree | None, scope: tuple[RowScope, ...]) -> str:
    """Give what tells one grant's terms from another's; empty when everything may pass."""
    if tree is None and not scope:
        return ""
    # The version of these rules stands in it, so that a change of them makes the files anew.
    return sha256(json.dumps(["1", work_of(tree, scope)], sort_keys=True).encode()).hexdigest()


def filter_file(source: Path, out: Path, *, format_: str, fields: Mapping[str, str] | None, rows: list[Any]) -> int:
    """Write to ``out`` what the terms leave of ``source``; give how many rows. Refuses file_malformed."""
    scope = tuple(
        RowScope(tuple(part["field"].split(".")), frozenset(part["values"]), tuple(part["prefixes"])) for part in rows
    )
    if format_ == "parquet":
        return _filter_parquet(source, out, fields, scope)
    return _filter_csv(source, out, fields, scope)


def _filter_csv(source: Path, out: Path, fields: Mapping[str, str] | None, scope: tuple[RowScope, ...]) -> int:
    csv.field_size_limit(_WIDEST)
    count = 0
    try:
        with (
            source.open(encoding="utf-8-sig", newline="") as given,
            out.open("w", encoding="utf-8", newline="") as kept,
        ):
            reader = csv.reader(given, strict=True)
            header = next(reader, None)
            if not header or len(set(header)) != len(header):
                raise Refusal("file_malformed", "A CSV file begins with the names of its columns, each once.")
            writer = csv.writer(kept, lineterminator="\r\n")
            pick = _columns(header, fields)
            writer.writerow([name for name, _, _ in pick])
            inside = _csv_scope(header, scope)
            for row in reader:
                if len(row) != len(header):
                    raise Refusal("file_malformed", f"Line {reader.line_num} has {len(row)} columns.")
                if not inside(row):
                    continue
                writer.writerow(
                    [row[place] if mask is None or not row[place] else mask(row[place]) for _, place, mask in pick]
                )
                count += 1
    except (UnicodeDecodeError, csv.Error) as error:
        raise Refusal("file_malformed", f"The file is no CSV in UTF-8: {type(error).__name__}.") from None
    return count


Mask = Callable[[str], str]


def _columns(header: list[str], fields: Mapping[str, str] | None) -> list[tuple[str, int, Mask | None]]:
    found: list[tuple[str, int, Mask | None]] = []
    for place, name in enumerate(header):
        rule = KEEP if fields is None or name == CHANGE else fields.get(name)
        if rule is not None:
            found.append((name, place, None if rule == KEEP else MASKS[rule]))
    return found


def _csv_scope(header: list[str], scope: tuple[RowScope, ...]) -> Callable[[list[str]], bool]:
    places: list[tuple[int, RowScope]] = []
    for part in scope:
        name = ".".join(part.path)
        if name not in header:
            return lambda _row: False  # what does not say where it belongs is outside
        places.append((header.index(name), RowScope(("value",), part.values, part.prefixes)))
    return lambda row: all(part.holds({"value": row[place]}) for place, part in places)


def parquet_is_here() -> bool:
    """Say whether Parquet files can be filtered on this machine."""
    try:
        import polars  # noqa: F401
    except ImportError:
        return False
    return True


def _filter_parquet(source: Path, out: Path, fields: Mapping[str, str] | None, scope: tuple[RowScope, ...]) -> int:
    import polars as pl

    tree = None if fields is None else field_tree({**fields, CHANGE: KEEP})
    parts: list[Path] = []
    count = 0
    try:
        try:
            schema = pl.read_parquet_schema(source)
        except (pl.exceptions.PolarsError, OSError) as error:
            raise Refusal("file_malformed", f"The file is no Parquet: {type(error).__name__}.") from None
        kept = _schema(schema, tree, pl)
        for frame in _slices(source, pl):
            rows = [row for row in frame.to_dicts() if all(part.holds(row) for part in scope)]
            if tree is not None:
                rows = apply_terms(rows, rows_at="", tree=tree, scope=())[0]
            count += len(rows)
            part = out.with_name(f"{out.name}.{len(parts)}")
            pl.DataFrame(rows, schema=kept, orient="row").write_parquet(part)
            parts.append(part)
        if parts:
            pl.scan_parquet(parts, glob=False).sink_parquet(out, row_group_size=SLICE)
        else:
            pl.DataFrame([], schema=kept).write_parquet(out)
    finally:
        for part in parts:
            part.unlink(missing_ok=True)
    return count


def _slices(source: Path, pl: Any) -> Iterator[Any]:
    total = pl.scan_parquet(source, glob=False).select(pl.len()).collect().item()
    for start in range(0, total, SLICE):
        yield pl.scan_parquet(source, glob=False).slice(start, SLICE).collect()


def _schema(schema: Mapping[str, Any], tree: FieldTree | None, pl: Any) -> dict[str, Any]:
    """The columns that are left: kept ones as they are, masked ones as texts, structs with the fields that are left."""
    if tree is None:
        return dict(schema)
    found: dict[str, Any] = {}
    for name, kind in schema.items():
        if name not in tree:
            continue
        rule = tree[name]
        if rule == KEEP:
            found[name] = kind
        elif isinstance(rule, str):
            found[name] = pl.List(pl.String) if isinstance(kind, pl.List) else pl.String
        else:
            inner = kind.inner if isinstance(kind, pl.List) else kind
            if not isinstance(inner, pl.Struct):
                found[name] = pl.Null
                continue
            struct = pl.Struct(_schema({field.name: field.dtype for field in inner.fields}, rule, pl))
            found[name] = pl.List(struct) if isinstance(kind, pl.List) else struct
    return found


def main() -> int:
    """Do the work on standard input; print the rows kept, or the refusal."""
    work = json.load(sys.stdin)
    try:
        count = filter_file(
            Path(work["source"]), Path(work["out"]), format_=work["format"], fields=work["fields"], rows=work["rows"]
        )
        found: dict[str, object] = {"rows": count}
    except Refusal as refusal:
        found = {"code": refusal.code, "detail": refusal.detail}
    sys.stdout.write(json.dumps(found))
    return 0


if __name__ == "__main__":
    sys.exit(main())
