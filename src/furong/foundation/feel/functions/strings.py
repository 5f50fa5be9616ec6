"""Strings (10.3.4.3). Positions count characters from 1, or from the end with a minus."""

from __future__ import annotations

import re
import re._constants as op  # type: ignore[import-not-found]  # the pattern is measured before it runs
import re._parser as pattern_parser  # type: ignore[import-not-found]
from decimal import Decimal
from functools import lru_cache
from typing import Any

from furong.foundation.feel.errors import FeelLimitReached
from furong.foundation.feel.functions.registry import Null, builtin, whole
from furong.foundation.feel.values import MOST_TEXT, Run

# A pattern may cost at most about this many comparisons; the text's length to the power of its open repeats.
_MOST_WORK = 10_000_000
_MOST_PATTERN = 500


@builtin("substring", "string: string, start position: number, length: number?")
def _substring(run: Run, text: str, start: Decimal, length: Decimal | None = None) -> object:
    begin = whole(start, "start position")
    if begin == 0 or abs(begin) > len(text):
        raise Null("Its start position lies outside.")
    begin = begin - 1 if begin > 0 else len(text) + begin
    if length is None:
        return text[begin:]
    size = whole(length, "length", 0)
    if size < 1:
        raise Null("Its length is less than 1.")
    return text[begin : begin + size]


@builtin("string length", "string: string")
def _length(run: Run, text: str) -> object:
    return Decimal(len(text))


@builtin("upper case", "string: string")
def _upper(run: Run, text: str) -> object:
    return text.upper()


@builtin("lower case", "string: string")
def _lower(run: Run, text: str) -> object:
    return text.lower()


@builtin("substring before", "string: string, match: string")
def _before(run: Run, text: str, match: str) -> object:
    return text.partition(match)[0] if match and match in text else ""


@builtin("substring after", "string: string, match: string")
def _after(run: Run, text: str, match: str) -> object:
    if not match:
        return text
    return text.partition(match)[2]


@builtin("contains", "string: string, match: string")
def _contains(run: Run, text: str, match: str) -> object:
    return match in text


@builtin("starts with", "string: string, match: string")
def _starts(run: Run, text: str, match: str) -> object:
    return text.startswith(match)


@builtin("ends with", "string: string, match: string")
def _ends(run: Run, text: str, match: str) -> object:
    return text.endswith(match)


@builtin("string join", "list: list, delimiter: string?!")
def _join(run: Run, parts: list[object], delimiter: str | None = None) -> object:
    run.spend(len(parts))
    texts = [part for part in parts if part is not None]
    if not all(isinstance(one, str) for one in texts):
        raise Null("One of its items is no string.")
    if sum(len(one) for one in texts) + len(delimiter or "") * len(texts) > MOST_TEXT:  # type: ignore[arg-type, misc]
        raise FeelLimitReached(f"{MOST_TEXT} characters")
    return (delimiter or "").join(texts)  # type: ignore[arg-type]


def _ways(parsed: Any, inside: bool) -> tuple[int, int]:
    """Measure a pattern: how many open repeats it has, and how many ways its small choices make together.

    Refuses what costs more than any power of the text's length: a repeat or a choice within a repeat.
    """
    repeats, ways = 0, 1
    for what, argument in parsed:
        inner = (0, 1)
        if what in (op.MAX_REPEAT, op.MIN_REPEAT, getattr(op, "POSSESSIVE_REPEAT", None)):
            least, most, body = argument
            if inside and most != least:
                raise Null("Its pattern repeats a repeat.")
            if most - least > 3:
                repeats += 1
            else:
                ways *= most - least + 1
            inner = _ways(body, inside or most > 1)
        elif what is op.BRANCH:
            if inside:
                raise Null("Its pattern repeats a choice; write a class such as [ab].")
            found = [_ways(one, inside) for one in argument[1]]
            inner = (max(count for count, _ in found), sum(way for _, way in found))
        elif what is op.SUBPATTERN:
            inner = _ways(argument[-1], inside)
        elif what in (op.ASSERT, op.ASSERT_NOT):
            raise Null("Its pattern looks ahead or behind, which XML patterns do not.")
        elif what is op.GROUPREF:
            repeats += 1
        elif what is op.GROUPREF_EXISTS:
            raise Null("Its pattern has a conditional group.")
        repeats, ways = repeats + inner[0], ways * inner[1]
    return repeats, ways


@lru_cache(maxsize=512)
def _pattern(pattern: str, flags: str) -> tuple[re.Pattern[str], int, int]:
    if len(pattern) > _MOST_PATTERN:
        raise Null("Its pattern is too long.")
    if not set(flags) <= set("simx"):
        raise Null("Its flags are not of s, i, m and x.")
    bits = 0
    for flag in flags:
        bits |= {"s": re.DOTALL, "i": re.IGNORECASE, "m": re.MULTILINE, "x": re.VERBOSE}[flag]
    try:
        repeats, ways = _ways(pattern_parser.parse(pattern, bits), inside=False)
        return re.compile(pattern, bits), repeats, ways
    except (re.error, OverflowError, RecursionError):
        raise Null("Its pattern is no pattern.") from None


def _measured(run: Run, text: str, pattern: str, flags: str | None) -> re.Pattern[str]:
    found, repeats, ways = _pattern(pattern, flags or "")
    if (len(text) + 1) ** max(1, repeats) * ways > _MOST_WORK:
        raise FeelLimitReached("work for a pattern")
    run.spend(1 + len(text) // 100)
    return found


@builtin("matches", "input: string, pattern: string, flags: string?!")
def _matches(run: Run, text: str, pattern: str, flags: str | None = None) -> object:
    return _measured(run, text, pattern, flags).search(text) is not None


@builtin("replace", "input: string, pattern: string, replacement: string, flags: string?!")
def _replace(run: Run, text: str, pattern: str, replacement: str, flags: str | None = None) -> object:
    found = _measured(run, text, pattern, flags)
    template: list[str | int] = []
    for literal, group in re.findall(r"([^$\\]+|\\[$\\]|\\|\$(?![0-9]))|\$([0-9])", replacement):
        template.append(int(group) if group else literal.removeprefix("\\") if len(literal) > 1 else literal)

    size = 0

    def put(match: re.Match[str]) -> str:
        nonlocal size
        run.spend()
        groups = len(match.groups())
        made = "".join(
            one if isinstance(one, str) else ((match.group(one) or "") if one <= groups else "") for one in template
        )
        size += len(made)
        if size > MOST_TEXT:
            raise FeelLimitReached(f"{MOST_TEXT} characters")
        return made

    return found.sub(put, text)


@builtin("split", "string: string, delimiter: string")
def _split(run: Run, text: str, delimiter: str) -> object:
    if not delimiter:
        raise Null("Its delimiter is empty.")
    parts = _measured(run, text, delimiter, None).split(text)
    run.spend(len(parts))
    return [part or "" for part in parts]
