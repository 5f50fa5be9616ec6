"""A pattern's text to its tree (XML Schema 2, appendix F, with the additions of XPath functions 3.1, 5.6.1)."""

from __future__ import annotations

from dataclasses import dataclass

from furong.foundation.feel.patterns.characters import ANY, NOT_LINE_END, CharSet, block, category, escape

__all__ = ["Anchor", "Branch", "Chars", "Group", "Node", "PatternError", "Reference", "Repeat", "Sequence_", "read"]

MOST_REPEATS = 1_000
_MOST_DEPTH = 50
_SINGLE = {"n": "\n", "r": "\r", "t": "\t"}


class PatternError(ValueError):
    """The text is no pattern."""


@dataclass(frozen=True, slots=True)
class Chars:
    """One character of a set."""

    chars: CharSet


@dataclass(frozen=True, slots=True)
class Anchor:
    """``^`` or ``$``; over lines with the flag m."""

    sign: str
    lines: bool


@dataclass(frozen=True, slots=True)
class Reference:
    r"""``\1``: what a group matched."""

    group: int


@dataclass(frozen=True, slots=True)
class Group:
    """Parentheses; ``number`` is 0 for ``(?:…)``."""

    number: int
    body: Node


@dataclass(frozen=True, slots=True)
class Repeat:
    """A quantifier; ``most`` is None without an upper bound."""

    body: Node
    least: int
    most: int | None
    greedy: bool


@dataclass(frozen=True, slots=True)
class Sequence_:  # noqa: N801  typing's Sequence is another thing
    """Pieces, one after the other."""

    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Branch:
    """Alternatives, the first that fits first."""

    choices: tuple[Node, ...]


Node = Chars | Anchor | Reference | Group | Repeat | Sequence_ | Branch


def read(text: str, flags: str) -> tuple[Node, int]:
    """Return the tree of a pattern and how many groups it has. Raises ``PatternError``.

    Flags: s (a full stop matches line ends), m (anchors match at lines), i (case does not count), x (white space in the
    pattern does not count), q (every character stands for itself).
    """
    reader = _Reader(text, flags)
    if "q" in flags:
        return Sequence_(tuple(reader.chars(CharSet(((ord(one), ord(one)),))) for one in text)), 0
    if "x" in flags:
        reader.text = _without_space(text)
    node = reader.branches(0)
    if reader.at < len(reader.text):
        raise PatternError("A closing parenthesis closes nothing.")
    return node, reader.groups


def _without_space(text: str) -> str:
    """Drop white space outside of brackets."""
    kept: list[str] = []
    depth = 0
    escaped = False
    for one in text:
        if one in " \t\n\r" and not depth:
            continue
        if not escaped:
            depth += {"[": 1, "]": -1}.get(one, 0)
        escaped = one == "\\" and not escaped
        kept.append(one)
    return "".join(kept)


class _Reader:
    def __init__(self, text: str, flags: str) -> None:
        self.text = text
        self.at = 0
        self.flags = flags
        self.groups = 0
        self.closed: set[int] = set()

    # --- plumbing -------------------------------------------------------------------------------------------

    def peek(self) -> str:
        return self.text[self.at] if self.at < len(self.text) else ""

    def take(self) -> str:
        found = self.peek()
        if not found:
            raise PatternError("The pattern ends too early.")
        self.at += 1
        return found

    def chars(self, found: CharSet) -> Chars:
        return Chars(found.without_case() if "i" in self.flags else found)

    # --- structure ------------------------------------------------------------------------------------------

    def branches(self, depth: int) -> Node:
        if depth > _MOST_DEPTH:
            raise PatternError("The pattern is nested too deep.")
        choices = [self.pieces(depth)]
        while self.peek() == "|":
            self.at += 1
            choices.append(self.pieces(depth))
        return choices[0] if len(choices) == 1 else Branch(tuple(choices))

    def pieces(self, depth: int) -> Node:
        parts: list[Node] = []
        while self.peek() not in ("", "|", ")"):
            parts.append(self.quantified(self.atom(depth)))
        return parts[0] if len(parts) == 1 else Sequence_(tuple(parts))

    def quantified(self, atom: Node) -> Node:
        sign = self.peek()
        bounds: tuple[int, int | None] | None = {"?": (0, 1), "*": (0, None), "+": (1, None)}.get(sign)
        if bounds is not None:
            self.at += 1
        elif sign == "{":
            bounds = self.counted()
        if bounds is None:
            return atom
        if isinstance(atom, Anchor):
            raise PatternError("An anchor is not repeated.")
        greedy = self.peek() != "?"
        if not greedy:
            self.at += 1
        if self.peek() and self.peek() in "?*+{":
            raise PatternError("A quantifier follows a quantifier.")
        return Repeat(atom, bounds[0], bounds[1], greedy)

    def counted(self) -> tuple[int, int | None]:
        end = self.text.find("}", self.at)
        inner = self.text[self.at + 1 : end] if end > 0 else ""
        low, comma, high = inner.partition(",")
        if not low.isdecimal() or not (high.isdecimal() or not high) or not inner.isascii():
            raise PatternError("A quantifier is {n}, {n,} or {n,m}.")
        least, most = int(low[:9]), (int(high[:9]) if high else None) if comma else int(low[:9])
        if least > MOST_REPEATS or (most is not None and (most > MOST_REPEATS or most < least)):
            raise PatternError("A quantifier's bounds are out of range.")
        self.at = end + 1
        return least, most

    def atom(self, depth: int) -> Node:
        one = self.take()
        if one == "(":
            return self.group(depth)
        if one == "[":
            found = self.brackets(depth)
            return Chars(found)
        if one == ".":
            return Chars(ANY if "s" in self.flags else NOT_LINE_END)
        if one in "^$":
            return Anchor(one, "m" in self.flags)
        if one == "\\":
            return self.escaped()
        if one in "?*+{}]":
            raise PatternError(f"{one} has nothing to stand by; write \\{one} for the sign itself.")
        return self.chars(CharSet(((ord(one), ord(one)),)))

    def group(self, depth: int) -> Node:
        number = 0
        if self.peek() == "?":
            if not self.text.startswith("?:", self.at):
                raise PatternError("After (? there stands a colon.")
            self.at += 2
        else:
            self.groups += 1
            number = self.groups
        body = self.branches(depth + 1)
        if self.peek() != ")":
            raise PatternError("A parenthesis is never closed.")
        self.at += 1
        if number:
            self.closed.add(number)
        return Group(number, body)

    # --- characters -----------------------------------------------------------------------------------------

    def escaped(self) -> Node:
        if self.peek().isdecimal():
            return self.reference()
        return self.chars(self.escape_set())

    def reference(self) -> Reference:
        number = int(self.take())
        # A further digit belongs to the number as long as there are so many groups.
        while self.peek() and self.peek() in "0123456789" and number * 10 + int(self.peek()) <= self.groups:
            number = number * 10 + int(self.take())
        if number not in self.closed:
            raise PatternError("A reference names a group that is not closed before it.")
        return Reference(number)

    def escape_set(self) -> CharSet:
        one = self.take()
        if one in "pP":
            return self.property(inverted=one == "P")
        if one in _SINGLE:
            one = _SINGLE[one]
        elif one.isalnum():
            found = escape(one) if one in "sSdDwWiIcC" else None
            if found is None:
                raise PatternError(f"\\{one} is no escape.")
            return found
        return CharSet(((ord(one), ord(one)),))

    def property(self, *, inverted: bool) -> CharSet:
        end = self.text.find("}", self.at)
        if self.peek() != "{" or end < 0:
            raise PatternError("A property is \\p{…}.")
        name = self.text[self.at + 1 : end]
        self.at = end + 1
        found = block(name[2:]) if name.startswith("Is") else category(name)
        if found is None:
            raise PatternError("There is no such category or block.")
        return found.inverted() if inverted else found

    def brackets(self, depth: int) -> CharSet:
        """Read a class behind its ``[``; subtraction (``[a-z-[aeiou]]``) ends it."""
        if depth > _MOST_DEPTH:
            raise PatternError("The pattern is nested too deep.")
        inverted = self.peek() == "^"
        if inverted:
            self.at += 1
        ranges: list[tuple[int, int]] = []
        without: CharSet | None = None
        first = True
        while True:
            one = self.take()
            if one == "]" and not first:
                break
            if one == "-" and self.peek() == "[" and not first:
                self.at += 1
                without = self.brackets(depth + 1)
                if self.take() != "]":
                    raise PatternError("After a subtraction the class ends.")
                break
            first = False
            low = self.member(one)
            if len(low.ranges) != 1 or low.ranges[0][0] != low.ranges[0][1] or not self.is_range():
                ranges.extend(low.ranges)
                continue
            self.at += 1
            high = self.member(self.take())
            if len(high.ranges) != 1 or high.ranges[0][0] != high.ranges[0][1] or high.ranges < low.ranges:
                raise PatternError("A range of a class ends before it starts.")
            ranges.append((low.ranges[0][0], high.ranges[0][0]))
        found = CharSet.of(ranges)
        if "i" in self.flags:
            found = found.without_case()
        if inverted:
            found = found.inverted()
        return found if without is None else found.minus(without)

    def is_range(self) -> bool:
        return self.peek() == "-" and self.text[self.at + 1 : self.at + 2] not in ("", "]", "[")

    def member(self, one: str) -> CharSet:
        if one == "\\":
            return self.escape_set()
        if one in "[]":
            raise PatternError("A bracket in a class needs a backslash.")
        return CharSet(((ord(one), ord(one)),))
