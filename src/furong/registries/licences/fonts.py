"""Fonts for documents, and which characters they can show.

The fonts come from a wheel (Noto Sans SC and Noto Serif SC, OFL), with those of ``FURONG_FONTS`` and, for characters that neither
has, the system's. The typesetter is silent about a missing glyph in plain PDF, so the characters of every text are looked up in
the fonts' own ``cmap`` tables (OpenType 1.9, formats 4 and 12) first.
"""

from __future__ import annotations

import os
import struct
import sys
import unicodedata
from collections.abc import Iterable, Iterator
from functools import lru_cache
from pathlib import Path

import pylopdf_fonts_zh_cn

_SUFFIXES = frozenset({".otf", ".ttf", ".ttc", ".otc"})


@lru_cache(maxsize=1)
def own_folders() -> tuple[Path, ...]:
    """Return the folders searched first: the wheel's, then those of ``FURONG_FONTS``."""
    wheel = Path(str(pylopdf_fonts_zh_cn.__file__)).parent
    more = [Path(one) for one in os.environ.get("FURONG_FONTS", "").split(os.pathsep) if one]
    return (wheel, *(one for one in more if one.is_dir()))


def system_folders() -> tuple[Path, ...]:
    """Return the system's font folders that exist."""
    if sys.platform == "darwin":
        places = [Path("/System/Library/Fonts"), Path("/Library/Fonts"), Path.home() / "Library/Fonts"]
    else:
        places = [Path("/usr/share/fonts"), Path("/usr/local/share/fonts"), Path.home() / ".local/share/fonts"]
    return tuple(one for one in places if one.is_dir())


def _files(folders: Iterable[Path]) -> Iterator[Path]:
    for folder in folders:
        for path in sorted(folder.rglob("*")):
            if path.suffix.lower() in _SUFFIXES and path.is_file():
                yield path


@lru_cache(maxsize=1)
def own_coverage() -> tuple[range, ...]:
    """Return the characters of the fonts of `own_folders`. Read once, some 15 ms."""
    return _merge(part for path in _files(own_folders()) for part in coverage(path))


@lru_cache(maxsize=1)
def system_coverage() -> tuple[range, ...]:
    """Return the characters of the system's fonts. Read only when the own fonts lack one."""
    return _merge(part for path in _files(system_folders()) for part in coverage(path))


def coverage(path: Path) -> tuple[range, ...]:
    """Return the ranges of code points that a font file maps to glyphs; empty when it cannot be read."""
    try:
        data = path.read_bytes()
        return _merge(part for offset in _fonts_in(data) for part in _cmap(data, offset))
    except (OSError, struct.error, ValueError, IndexError):
        return ()


def missing(text: Iterable[str]) -> tuple[str, ...]:
    """Return the characters that the own fonts lack, each once; white space and controls need no glyph."""
    return _lacking({c for part in text for c in part}, own_coverage())


def missing_everywhere(characters: Iterable[str]) -> tuple[str, ...]:
    """Return those of the characters that no font of the system has either."""
    return _lacking(set(characters), system_coverage())


def code_points(characters: Iterable[str]) -> tuple[str, ...]:
    """Name characters without showing them: U+4E00."""
    return tuple(f"U+{ord(c):04X}" for c in sorted(characters))


def _lacking(characters: set[str], covered: tuple[range, ...]) -> tuple[str, ...]:
    starts = [part.start for part in covered]
    found = []
    for character in sorted(characters):
        if character.isspace() or unicodedata.category(character) in {"Cc", "Cf"}:
            continue
        from bisect import bisect_right

        place = bisect_right(starts, ord(character)) - 1
        if place < 0 or ord(character) not in covered[place]:
            found.append(character)
    return tuple(found)


def _merge(parts: Iterable[range]) -> tuple[range, ...]:
    merged: list[range] = []
    for part in sorted(parts, key=lambda one: one.start):
        if merged and part.start <= merged[-1].stop:
            merged[-1] = range(merged[-1].start, max(merged[-1].stop, part.stop))
        else:
            merged.append(part)
    return tuple(merged)


def _fonts_in(data: bytes) -> Iterator[int]:
    if data[:4] == b"ttcf":
        (count,) = struct.unpack_from(">I", data, 8)
        yield from struct.unpack_from(f">{count}I", data, 12)
    else:
        yield 0


def _cmap(data: bytes, offset: int) -> Iterator[range]:
    (tables,) = struct.unpack_from(">H", data, offset + 4)
    for i in range(tables):
        tag, _, start, _ = struct.unpack_from(">4sIII", data, offset + 12 + 16 * i)
        if tag == b"cmap":
            (count,) = struct.unpack_from(">H", data, start + 2)
            places = {struct.unpack_from(">HHI", data, start + 4 + 8 * n)[2] for n in range(count)}
            for place in sorted(places):
                yield from _subtable(data, start + place)


def _subtable(data: bytes, at: int) -> Iterator[range]:
    (form,) = struct.unpack_from(">H", data, at)
    if form == 12:
        (groups,) = struct.unpack_from(">I", data, at + 12)
        for n in range(groups):
            first, last, glyph = struct.unpack_from(">III", data, at + 16 + 12 * n)
            yield range(first + (glyph == 0), last + 1)
    elif form == 4:
        yield from _segments(data, at)


def _segments(data: bytes, at: int) -> Iterator[range]:
    (doubled,) = struct.unpack_from(">H", data, at + 6)
    count = doubled // 2
    ends = struct.unpack_from(f">{count}H", data, at + 14)
    starts = struct.unpack_from(f">{count}H", data, at + 16 + doubled)
    deltas = struct.unpack_from(f">{count}H", data, at + 16 + 2 * doubled)
    offsets_at = at + 16 + 3 * doubled
    offsets = struct.unpack_from(f">{count}H", data, offsets_at)
    for n in range(count):
        if starts[n] == 0xFFFF:
            continue
        if offsets[n] == 0:
            unmapped = (-deltas[n]) & 0xFFFF  # this one character of the segment would be glyph 0
            for part in (
                range(starts[n], min(unmapped, ends[n] + 1)),
                range(max(unmapped + 1, starts[n]), ends[n] + 1),
            ):
                if unmapped < starts[n] or unmapped > ends[n]:
                    yield range(starts[n], ends[n] + 1)
                    break
                if part:
                    yield part
            continue
        for character in range(starts[n], ends[n] + 1):
            place = offsets_at + 2 * n + offsets[n] + 2 * (character - starts[n])
            (glyph,) = struct.unpack_from(">H", data, place)
            if glyph:
                yield range(character, character + 1)
