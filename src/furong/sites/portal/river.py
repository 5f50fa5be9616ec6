"""The river of life: a meandering band that widens from source to mouth, with a station at each stage. Pure geometry."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from itertools import pairwise

WIDTH, HEIGHT = 1000.0, 160.0
_MIDDLE, _SWING = 80.0, 24.0
_SOURCE, _MOUTH = 5.0, 26.0


@dataclass(frozen=True, slots=True)
class River:
    """Paths for an SVG of ``WIDTH`` × ``HEIGHT``: the water's outline and two lines of current within it."""

    outline: str
    currents: tuple[str, ...]


@cache
def river(stations: int) -> River:
    """Draw the river past ``stations`` stations, which stand at the middle of equal columns, high and low in turn."""
    step = WIDTH / max(stations, 1)
    points = [(-step / 2, _MIDDLE + _SWING)]
    points += [(step * (i + 0.5), _MIDDLE + (_SWING if i % 2 else -_SWING)) for i in range(stations)]
    points.append((WIDTH + step / 2, _MIDDLE + (_SWING if stations % 2 else -_SWING)))

    def half_width(x: float) -> float:
        share: float = min(max(x / WIDTH, 0.0), 1.0) ** 1.3
        return (_SOURCE + (_MOUTH - _SOURCE) * share) / 2

    def along(offset: float) -> list[tuple[float, float]]:
        return [(x, y + offset * half_width(x)) for x, y in points]

    upper, lower = along(-1), along(1)
    outline = f"M{_pair(upper[0])}{_curve(upper)}L{_pair(lower[-1])}{_curve(lower[::-1])}Z"
    lines = (along(-0.35), along(0.3))
    return River(outline, tuple(f"M{_pair(line[0])}{_curve(line)}" for line in lines))


def _pair(point: tuple[float, float]) -> str:
    return f"{point[0]:.1f} {point[1]:.1f}"


def _curve(points: list[tuple[float, float]]) -> str:
    # Control points half-way and level: the band is level at each station and steepest between two.
    parts = []
    for (x0, y0), (x1, y1) in pairwise(points):
        middle = (x0 + x1) / 2
        parts.append(f"C{middle:.1f} {y0:.1f} {middle:.1f} {y1:.1f} {x1:.1f} {y1:.1f}")
    return "".join(parts)
