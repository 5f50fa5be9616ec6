"""Decision tables of many rules: microseconds for one evaluation of a compiled model, input to output.

Each shape of table is made with 50, 1,000 and 5,000 rules and asked with values that hit its beginning, its middle,
its end and nothing. `table_1000_rules_us` and `table_5000_rules_us` are the median times of the slowest shape.

    python -m benchmarks.decisions [--quick]
"""

from __future__ import annotations

import argparse
import json
import platform
import statistics
import sys
import time
from collections.abc import Callable, Mapping
from datetime import date, timedelta
from xml.sax.saxutils import escape

from furong.domains.decisions import DecisionModel, parse_dmn

SIZES = (50, 1_000, 5_000)
DAY = date(2026, 1, 1)
Row = tuple[list[str], str]


def _codes(rule: int, rules: int) -> Row:
    return [f'"C{rule}"', f"[{rule % 7}..{rule % 7 + 3}]", "-"], f'"r{rule}"'


def _brackets(rule: int, rules: int) -> Row:
    return ["-", f"[{rule * 10}..{rule * 10 + 10})", f'< date("{DAY + timedelta(rule % 700 + 400)}")'], f"{rule * 3}"


def _mixed(rule: int, rules: int) -> Row:
    kind = rule % 20
    return (
        [f'"C{rule // 20}", "D{rule}"', f"> {kind * 5}" if kind % 2 else f"not({kind})", f'>= date("{DAY}")'],
        f"amount * {kind} + 1",
    )


def _expressions(rule: int, rules: int) -> Row:
    # A cell that names other inputs has no place in an index; ten of each are alike.
    return [f'starts with(?, "C{rule // 10}")', f">= amount - {rule % 10}", "-"], f"{rule}"


SHAPES: dict[str, tuple[str, Callable[[int, int], Row]]] = {
    "codes and small ranges, unique": ('hitPolicy="UNIQUE"', _codes),
    "brackets of an amount and days, first": ('hitPolicy="FIRST"', _brackets),
    "lists, comparisons, not(), sum": ('hitPolicy="COLLECT" aggregation="SUM"', _mixed),
    "functions and other inputs, first": ('hitPolicy="FIRST"', _expressions),
}


def table(shape: str, rules: int) -> bytes:
    """Write a model of one table with ``rules`` rules."""
    attributes, row = SHAPES[shape]
    lines: list[str] = []
    for rule in range(rules):
        tests, result = row(rule, rules)
        entries = "".join(f"<inputEntry><text>{escape(one)}</text></inputEntry>" for one in tests)
        lines.append(f"<rule>{entries}<outputEntry><text>{escape(result)}</text></outputEntry></rule>")
    types = {"code": "string", "amount": "number", "day": "date"}
    data = "".join(
        f'<inputData id="i_{name}" name="{name}"><variable name="{name}" typeRef="{kind}"/></inputData>'
        for name, kind in types.items()
    )
    needs = "".join(
        f'<informationRequirement><requiredInput href="#i_{name}"/></informationRequirement>' for name in types
    )
    columns = "".join(f"<input><inputExpression><text>{name}</text></inputExpression></input>" for name in types)
    return (
        '<definitions xmlns="https://www.omg.org/spec/DMN/20230324/MODEL/" name="bench" namespace="urn:bench">'
        f'{data}<decision id="d" name="d"><variable name="d"/>{needs}'
        f'<decisionTable {attributes}>{columns}<output name="o"/>{"".join(lines)}</decisionTable>'
        "</decision></definitions>"
    ).encode()


def asked(rules: int) -> list[Mapping[str, object]]:
    """Make the inputs: the first rules, the middle, the last, and none."""
    return [
        {"code": f"C{rule}", "amount": rule % 7 + 1 if rule % 2 else rule * 10 + 5, "day": DAY + timedelta(rule % 365)}
        for rule in (0, 1, rules // 40, rules // 2, rules // 2 + 1, rules - 1, rules * 3)
    ]


def measure(model: DecisionModel, rules: int, repeats: int) -> float:
    """Return the median of the microseconds that one evaluation takes."""
    inputs = asked(rules)
    for one in inputs:
        model.evaluate("d", one)
    times: list[float] = []
    for _ in range(repeats):
        start = time.perf_counter()
        for one in inputs:
            model.evaluate("d", one)
        times.append((time.perf_counter() - start) / len(inputs) * 1e6)
    return statistics.median(times)


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="How long decision tables of many rules take.")
    parser.add_argument("--quick", action="store_true", help="fewer repeats")
    given = parser.parse_args()
    repeats = 30 if given.quick else 300
    print(f"Python {platform.python_version()}, medians of {repeats} rounds\n")
    print(f"{'table':40}{'rules':>8}{'compile ms':>12}{'evaluate us':>13}")
    slowest = dict.fromkeys(SIZES, 0.0)
    for shape in SHAPES:
        for rules in SIZES:
            data = table(shape, rules)
            start = time.perf_counter()
            model = parse_dmn(data, file=f"{rules}.dmn")
            compiled_ms = (time.perf_counter() - start) * 1000
            took = measure(model, rules, repeats)
            slowest[rules] = max(slowest[rules], took)
            print(f"{shape:40}{rules:8,}{compiled_ms:12.0f}{took:13.1f}")
    figures = {f"table_{rules}_rules_us": round(took, 1) for rules, took in slowest.items()}
    print(json.dumps({"benchmark": "decisions", "quick": given.quick, **figures}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
