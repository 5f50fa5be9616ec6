"""How many times a second compiled FEEL runs: conditions of processes, sums of forms, cells of tables.

``feel_per_s`` is the slowest of the plain conditions that gateways hold, each evaluated over a context anew, with all
that a caller pays (environment, limits, problems).

    python -m benchmarks.feel [--quick]
"""

from __future__ import annotations

import argparse
import json
import platform
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime

from furong.foundation.feel import compile_expression, compile_unary_tests

__all__ = ["Measured", "feel_per_s", "measure"]

CONTEXT: dict[str, object] = {
    "age": 67,
    "household": "alone",
    "income_fen": 184_000,
    "born_on": date(1959, 5, 17),
    "approved": True,
    "departments": ["A", "B", "C"],
    "applicant": {"name": "甲", "address": {"division": "430190"}},
    "lines": [{"amount": 12, "kind": "x"}, {"amount": 30, "kind": "y"}, {"amount": 7, "kind": "x"}],
}
# What stands on the flows behind a gateway: the figure is the slowest of these.
CONDITIONS = (
    "approved",
    "age >= 60",
    'age >= 60 and household = "alone"',
    'household in ("alone", "couple")',
    "income_fen between 100000 and 300000",
    "income_fen / 100 * 0.3 > 500",
    'applicant.address.division = "430190"',
)
OTHERS = (
    'if born_on <= @"1966-03-02" then "senior" else "other"',
    'born_on + @"P60Y" <= @"2026-03-02"',
    'sum(lines[kind = "x"].amount) > 10',
    "some line in lines satisfies line.amount > 25",
    'matches(applicant.address.division, "^43\\d{4}$")',
    "for line in lines return line.amount * 2",
)
NOW = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Measured:
    """One expression and how often it ran in a second (the best of several rounds)."""

    text: str
    per_s: float


def measure(text: str, context: Mapping[str, object] = CONTEXT, *, seconds: float = 0.3, rounds: int = 3) -> Measured:
    """Compile ``text`` once and evaluate it for ``rounds`` times ``seconds``; the best round counts."""
    compiled = compile_expression(text)
    evaluate = compiled.evaluate
    evaluate(context, now=NOW)
    best = 0.0
    batch = 500
    for _ in range(rounds):
        done = 0
        started = time.perf_counter()
        while (spent := time.perf_counter() - started) < seconds:
            for _ in range(batch):
                evaluate(context, now=NOW)
            done += batch
        best = max(best, done / spent)
    return Measured(text, best)


def measure_cell(text: str, value: object, *, seconds: float = 0.3, rounds: int = 3) -> Measured:
    """Do the same for the unary tests of a table's cell."""
    matches = compile_unary_tests(text).matches
    best = 0.0
    for _ in range(rounds):
        done = 0
        started = time.perf_counter()
        while (spent := time.perf_counter() - started) < seconds:
            for _ in range(500):
                matches(value, CONTEXT)
            done += 500
        best = max(best, done / spent)
    return Measured(f"cell: {text}", best)


def feel_per_s(*, quick: bool = False) -> float:
    """Return evaluations a second of the slowest plain condition. Costs about 6 s, 1 s if quick."""
    return min(one.per_s for one in _measured(CONDITIONS, quick=quick))


def _measured(texts: tuple[str, ...], *, quick: bool) -> list[Measured]:
    return [measure(text, seconds=0.05 if quick else 0.3) for text in texts]


def _compile_ms(quick: bool) -> float:
    started = time.perf_counter()
    times = 20 if quick else 200
    for _ in range(times):
        compile_expression(CONDITIONS[2])
    return (time.perf_counter() - started) / times * 1000


def main(arguments: list[str] | None = None) -> int:
    """Print the table and, last, one line of JSON."""
    parser = argparse.ArgumentParser(prog="benchmarks.feel", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="short rounds, for a first look")
    quick: bool = parser.parse_args(arguments).quick
    conditions = _measured(CONDITIONS, quick=quick)
    cells = [measure_cell(text, 67, seconds=0.05 if quick else 0.3) for text in ("< 60", "[60..70), > 100")]
    others = _measured(OTHERS, quick=quick)
    for one in (*conditions, *cells, *others):
        print(f"{one.per_s:>12,.0f} /s  {one.text}")
    slowest = min(one.per_s for one in conditions)
    compile_ms = _compile_ms(quick)
    print(f"{compile_ms:>12.2f} ms  to compile {CONDITIONS[2]}")
    figures = {
        "benchmark": "feel",
        "feel_per_s": round(slowest),
        "feel_compile_ms": round(compile_ms, 3),
        "python": platform.python_version(),
    }
    print(json.dumps(figures))
    return 0


if __name__ == "__main__":
    sys.exit(main())
