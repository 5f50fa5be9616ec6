"""Whether a picture can serve as an identity photograph: its pixels, its shape, its ground, and how much of it the head takes.

A port, because a province may have a service of its own; `OutlineChecker` ships. It looks at the outline before a light ground
and knows no faces: no face is recognised, measured or kept.
"""

from __future__ import annotations

import io
from enum import StrEnum
from statistics import median
from typing import Protocol

from PIL import Image, ImageOps, UnidentifiedImageError

from furong.domains.services.values.forms import PhotoRule


class Fault(StrEnum):
    """What is wrong with a picture."""

    UNREADABLE = "unreadable"
    TOO_SMALL = "too_small"
    SHAPE = "shape"
    GROUND = "ground"
    NO_HEAD = "no_head"
    HEAD_SMALL = "head_small"
    HEAD_LARGE = "head_large"


class Checker(Protocol):
    """What can judge a picture."""

    def faults(self, content: bytes, *, rule: PhotoRule) -> tuple[Fault, ...]:
        """Return what is wrong with a picture, the gravest first; nothing when it will do."""
        ...


# An upright photograph of 33 by 48 mm, and what a camera's frame of 3 to 4 makes of it.
_LEAST_RATIO, _MOST_RATIO = 1.2, 1.6
# A bomb of pixels is not opened.
_MOST_PIXELS = 60_000_000
# The picture as it is looked at: rows and columns of the outline.
_COLUMNS, _ROWS = 90, 120
_LIGHT, _EVEN, _APART = 180, 40, 45
_HEAD_ROWS = 0.55


class OutlineChecker:
    """Looks at the outline of what stands before a light ground."""

    def faults(self, content: bytes, *, rule: PhotoRule) -> tuple[Fault, ...]:
        """Return what is wrong with a picture. About 15 ms for twelve million pixels."""
        try:
            with Image.open(io.BytesIO(content)) as opened:
                if opened.width * opened.height > _MOST_PIXELS:
                    return (Fault.UNREADABLE,)
                opened.draft("RGB", (_COLUMNS * 4, _ROWS * 4))
                size = opened.size if opened.format != "JPEG" else _declared(content)
                picture = ImageOps.exif_transpose(opened).convert("RGB").resize((_COLUMNS, _ROWS))
                turned = opened.getexif().get(0x0112, 1) in {5, 6, 7, 8}
        except (UnidentifiedImageError, OSError, ValueError, SyntaxError, Image.DecompressionBombError):
            return (Fault.UNREADABLE,)
        width, height = size[::-1] if turned else size
        found = []
        if width < rule.width_px or height < rule.height_px:
            found.append(Fault.TOO_SMALL)
        if not _LEAST_RATIO <= height / width <= _MOST_RATIO:
            found.append(Fault.SHAPE)
        return (*found, *_outline(picture, rule))


def _declared(content: bytes) -> tuple[int, int]:
    """The size that a JPEG has before it is read smaller."""
    with Image.open(io.BytesIO(content)) as again:
        return again.size


def _outline(picture: Image.Image, rule: PhotoRule) -> tuple[Fault, ...]:
    data = picture.tobytes()
    rows = [
        [tuple(data[(y * _COLUMNS + x) * 3 : (y * _COLUMNS + x) * 3 + 3]) for x in range(_COLUMNS)]
        for y in range(_ROWS)
    ]
    # The ground is what stands in the upper corners and along the upper edge.
    edge = [*rows[1], *(rows[y][x] for y in range(_ROWS // 4) for x in (1, 2, _COLUMNS - 3, _COLUMNS - 2))]
    ground = tuple(median(pixel[c] for pixel in edge) for c in range(3))
    off = sum(_distance(pixel, ground) > _EVEN for pixel in edge)
    if min(ground) < _LIGHT or off > len(edge) // 10:
        return (Fault.GROUND,)
    taken = [[x for x, pixel in enumerate(row) if _distance(pixel, ground) > _APART] for row in rows]
    top = next((y for y, some in enumerate(taken) if len(some) >= _COLUMNS // 15), None)
    if top is None or top > _ROWS // 2:
        return (Fault.NO_HEAD,)
    # The head is the widest part between its top and the neck; shoulders begin where the outline reaches an edge.
    head: list[tuple[int, int]] = []
    for some in taken[top : top + int(_ROWS * _HEAD_ROWS)]:
        if not some or (head and some[-1] - some[0] >= _COLUMNS - 4):
            break
        head.append((some[0], some[-1]))
    widths = [right - left + 1 for left, right in head]
    if not widths:
        return (Fault.NO_HEAD,)
    narrow = _neck(widths)
    head, widths = head[: narrow + 1], widths[: narrow + 1]
    widest = max(range(len(widths)), key=widths.__getitem__)
    left, right = head[widest]
    share = 100 * widths[widest] / _COLUMNS
    if abs((left + right) / 2 - _COLUMNS / 2) > _COLUMNS / 8:
        return (Fault.NO_HEAD,)
    if top < 1 or left < 1 or right > _COLUMNS - 2 or share > rule.head_to_percent:
        return (Fault.HEAD_LARGE,)
    return (Fault.HEAD_SMALL,) if share < rule.head_from_percent else ()


def _neck(widths: list[int]) -> int:
    """Where the outline is narrow again below its first broad part; its end when it never is."""
    broadest = 0
    for row, width in enumerate(widths):
        broadest = max(broadest, width)
        if row > 8 and width < broadest * 0.8:
            return row
    return len(widths) - 1


def _distance(one: tuple[int, ...], other: tuple[float, ...]) -> float:
    return max(abs(a - b) for a, b in zip(one, other, strict=True))


_bound: list[Checker] = [OutlineChecker()]


def bind(checker: Checker) -> None:
    """Have another checker judge pictures from now on."""
    _bound[:] = [checker]


def checker() -> Checker:
    """Return the checker in use."""
    return _bound[0]
