"""GB/T 2260: every six-digit division code that was ever valid, with the years of each name.

The table is python-stdnum's ``cn/loc.dat`` (LGPL, used from the installed library). It is read once, on first use,
in some 15 ms.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from importlib.resources import files

from furong.foundation.codes.values import Division

__all__ = ["all_divisions", "find_divisions", "find_named", "full_name"]

_NAME = re.compile(r"(?:\[(\d{4})?-(\d{4})?\])?([^,]+)")


@cache
def all_divisions() -> Mapping[str, tuple[Division, ...]]:
    """Return the names that each code ever bore, oldest first."""
    table: dict[str, tuple[Division, ...]] = {}
    province_code, province = "", ""
    for line in files("stdnum.cn").joinpath("loc.dat").read_text("utf-8").splitlines():
        if not line or line.startswith("#"):
            continue
        key, _, value = line.strip().partition(" ")
        text = value.partition('"')[2].rstrip('"')
        if not line.startswith(" "):
            province_code, province = key, text
            continue
        code = province_code + key
        table[code] = tuple(
            Division(code, name, int(start) if start else None, int(end) if end else None, province)
            for start, end, name in _NAME.findall(text)
        )
    return table


def find_divisions(code: str) -> tuple[Division, ...]:
    """Return every name ``code`` ever bore, oldest first; empty when it was never assigned."""
    return all_divisions().get(code, ())


@cache
def _by_name() -> Mapping[str, tuple[str, ...]]:
    found: dict[str, list[str]] = {}
    for code, held in all_divisions().items():
        for name in {one.name for one in held} | {full_name(code) or ""}:
            if name and code not in found.setdefault(name, []):
                found[name].append(code)
    return {name: tuple(sorted(codes)) for name, codes in found.items()}


def find_named(name: str) -> tuple[Division, ...]:
    """Return the divisions that ever bore ``name``, or whose whole path reads so, by code."""
    return tuple(all_divisions()[code][-1] for code in _by_name().get(name, ()))


def full_name(code: str, *, year: int | None = None) -> str | None:
    """Return province, prefecture and county of ``code`` as one text, as they were in ``year``.

    Without ``year`` the latest names are taken. Returns None when the code was never assigned.
    """
    own = _in_year(find_divisions(code), year)
    if own is None:
        return None
    parts = [own.province]
    if not code.endswith("00"):
        prefecture = _in_year(find_divisions(f"{code[:4]}00"), year)
        if prefecture is not None and prefecture.name not in ("市辖区", "县"):
            parts.append(prefecture.name)
    if not code.endswith("0000"):
        parts.append(own.name)
    return "".join(parts)


def _in_year(held: tuple[Division, ...], year: int | None) -> Division | None:
    if not held:
        return None
    if year is not None:
        for one in held:
            if (one.from_year is None or one.from_year <= year) and (one.to_year is None or year <= one.to_year):
                return one
    return held[-1]
