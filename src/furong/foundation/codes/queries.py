"""Reads of the national code tables."""

from __future__ import annotations

from furong.foundation.codes import divisions, tables
from furong.foundation.codes.errors import UnknownCodeTable
from furong.foundation.codes.values import CodeTable, Division

__all__ = ["find_division", "find_divisions_named", "get_table", "list_tables"]


def find_division(*, code: str, year: int | None = None) -> Division | None:
    """Return the division that ``code`` named in ``year`` (the latest without one), or None.

    GB/T 2260, codes ever valid, the whole country.
    """
    held = divisions.find_divisions(code)
    if not held:
        return None
    if year is None:
        return held[-1]
    for one in held:
        if (one.from_year is None or one.from_year <= year) and (one.to_year is None or year <= one.to_year):
            return one
    return None


def find_divisions_named(*, name: str) -> tuple[Division, ...]:
    """Return the divisions of the country that ever bore ``name`` (东城区, 北京市东城区), by code.

    GB/T 2260, codes ever valid. Empty when none did.
    """
    return divisions.find_named("".join(name.split()))


def get_table(*, name: str) -> CodeTable:
    """Return the code table ``name``: ``sex``, ``marital_status``, ``ethnic_group``,
    ``household_relation``, ``education`` or ``identity_document``. Raises ``UnknownCodeTable``.
    """
    table = tables.TABLES.get(name)
    if table is None:
        raise UnknownCodeTable(name)
    return table


def list_tables() -> tuple[CodeTable, ...]:
    """Return every code table, in the order of their standards."""
    return tuple(tables.TABLES.values())
