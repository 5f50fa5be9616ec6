"""Strings (10.3.4.3). Positions count characters from 1, or from the end with a minus."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal

from furong.foundation.feel.errors import FeelLimitReached
from furong.foundation.feel.functions.registry import Null, builtin, whole
from furong.foundation.feel.patterns import Pattern, PatternError, compile_pattern
from furong.foundation.feel.values import MOST_TEXT, Run


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


def _compiled(text: str, flags: str | None) -> Pattern:
    try:
        return compile_pattern(text, flags or "")
    except PatternError as why:
        raise Null(str(why)) from None


def _spender(run: Run) -> Callable[[int], None]:
    """What counts a pattern's work: a step of the run for each dozen comparisons."""
    owed = 0

    def spend(work: int) -> None:
        nonlocal owed
        owed += work
        if owed >= 12:
            run.spend(owed // 12)
            owed %= 12

    return spend


@builtin("matches", "input: string, pattern: string, flags: string?!")
def _matches(run: Run, text: str, pattern: str, flags: str | None = None) -> object:
    try:
        return _compiled(pattern, flags).matches(text, _spender(run))
    except PatternError as why:
        raise Null(str(why)) from None


def _template(replacement: str, groups: int) -> list[str | int]:
    """Take ``$1`` and escapes apart; a number takes as many digits as there are groups (XPath functions 3.1, 5.6.4)."""
    made: list[str | int] = []
    at = 0
    while at < len(replacement):
        one = replacement[at]
        at += 1
        if one == "\\":
            following = replacement[at : at + 1]
            if following not in ("\\", "$") or not following:
                raise Null("In its replacement a backslash stands before a backslash or a dollar sign.")
            made.append(following)
            at += 1
        elif one == "$":
            following = replacement[at : at + 1]
            if not following or following not in "0123456789":
                raise Null("In its replacement a dollar sign stands before a digit.")
            number = int(following)
            at += 1
            while (digit := replacement[at : at + 1]) and digit in "0123456789" and number * 10 + int(digit) <= groups:
                number = number * 10 + int(digit)
                at += 1
            made.append(number if number <= groups else "")
        else:
            made.append(one)
    return made


def _pieces(run: Run, text: str, pattern: Pattern) -> Iterator[tuple[str, tuple[int, ...] | None]]:
    """Yield the texts between matches, each with the match behind it; the last has none."""
    spend = _spender(run)
    try:
        if pattern.matches("", spend):
            raise Null("Its pattern matches the empty text.")
        end = 0
        for spans in pattern.find_all(text, spend):
            yield text[end : spans[0]], spans
            end = spans[1]
    except PatternError as why:
        raise Null(str(why)) from None
    yield text[end:], None


@builtin("replace", "input: string, pattern: string, replacement: string, flags: string?!")
def _replace(run: Run, text: str, pattern: str, replacement: str, flags: str | None = None) -> object:
    compiled = _compiled(pattern, flags)
    template = [replacement] if "q" in (flags or "") else _template(replacement, compiled.groups)
    made: list[str] = []
    size = 0
    for before, spans in _pieces(run, text, compiled):
        parts = [before]
        if spans is not None:
            parts.extend(one if isinstance(one, str) else text[spans[2 * one] : spans[2 * one + 1]] for one in template)
        size += sum(map(len, parts))
        if size > MOST_TEXT:
            raise FeelLimitReached(f"{MOST_TEXT} characters")
        made.extend(parts)
    return "".join(made)


@builtin("split", "string: string, delimiter: string")
def _split(run: Run, text: str, delimiter: str) -> object:
    return [before for before, _ in _pieces(run, text, _compiled(delimiter, None))]
