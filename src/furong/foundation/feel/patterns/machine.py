"""A machine for patterns whose time is bounded by the text's length times the pattern's (after Thompson and Pike).

All ways to go on are followed at once, the preferred ones first, so that the match is the one that backtracking would
find; only there is nothing to track back.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from furong.foundation.feel.patterns.characters import CharSet
from furong.foundation.feel.patterns.reading import (
    Anchor,
    Branch,
    Chars,
    Group,
    Node,
    PatternError,
    Reference,
    Repeat,
    Sequence_,
)

__all__ = ["Machine"]

MOST_INSTRUCTIONS = 3_000

Spans = tuple[int, ...]  # the places where groups start and end, -1 where they do not; group 0 is the whole match


@dataclass(slots=True)
class _Step:
    """One instruction: ``chars``, ``split`` (first choice first), ``save``, ``anchor`` or ``match``."""

    kind: str
    chars: CharSet | None = None
    first: int = 0
    second: int = 0
    anchor: Anchor | None = None


class Machine:
    """A pattern without references, ready to run."""

    def __init__(self, node: Node, groups: int) -> None:
        self._steps: list[_Step] = []
        self._slots = 2 * (groups + 1)
        self._add("save", first=0)
        self._compile(node)
        self._add("save", first=1)
        self._add("match")

    # --- making ---------------------------------------------------------------------------------------------

    def _add(self, kind: str, *, chars: CharSet | None = None, first: int = 0, anchor: Anchor | None = None) -> int:
        if len(self._steps) >= MOST_INSTRUCTIONS:
            raise PatternError("The pattern is too large.")
        self._steps.append(_Step(kind, chars, first, 0, anchor))
        return len(self._steps) - 1

    def _compile(self, node: Node) -> None:
        if isinstance(node, Chars):
            self._add("chars", chars=node.chars)
        elif isinstance(node, Anchor):
            self._add("anchor", anchor=node)
        elif isinstance(node, Sequence_):
            for part in node.parts:
                self._compile(part)
        elif isinstance(node, Group):
            if not node.number:
                self._compile(node.body)
                return
            self._add("save", first=2 * node.number)
            self._compile(node.body)
            self._add("save", first=2 * node.number + 1)
        elif isinstance(node, Branch):
            self._branch(node)
        elif isinstance(node, Repeat):
            self._repeat(node)
        elif isinstance(node, Reference):
            raise PatternError("A pattern with references does not run here.")

    def _branch(self, node: Branch) -> None:
        ends: list[int] = []
        for choice in node.choices[:-1]:
            split = self._add("split")
            self._steps[split].first = len(self._steps)
            self._compile(choice)
            ends.append(self._add("jump"))
            self._steps[split].second = len(self._steps)
        self._compile(node.choices[-1])
        for end in ends:
            self._steps[end].first = len(self._steps)

    def _repeat(self, node: Repeat) -> None:
        for _ in range(node.least):
            self._compile(node.body)
        if node.most is None:
            split = self._add("split")
            self._compile(node.body)
            back = self._add("jump", first=split)
            self._choose(split, split + 1, back + 1, greedy=node.greedy)
            return
        splits: list[int] = []
        for _ in range(node.most - node.least):
            splits.append(self._add("split"))
            self._compile(node.body)
        for split in splits:
            self._choose(split, split + 1, len(self._steps), greedy=node.greedy)

    def _choose(self, split: int, inside: int, outside: int, *, greedy: bool) -> None:
        step = self._steps[split]
        step.first, step.second = (inside, outside) if greedy else (outside, inside)

    # --- running --------------------------------------------------------------------------------------------

    def find(self, text: str, start: int, spend: Callable[[int], None]) -> Spans | None:
        """Find the first match from ``start`` on. ``spend`` is told how many steps were taken."""
        found: Spans | None = None
        threads: list[tuple[int, Spans]] = []
        empty = (-1,) * self._slots
        for at in range(start, len(text) + 1):
            seen: set[int] = set()
            ready: list[tuple[int, Spans]] = []
            for step, spans in threads:
                self._follow(step, spans, text, at, seen, ready)
            if found is None:
                self._follow(0, empty, text, at, seen, ready)
            spend(1 + len(seen))
            threads = []
            character = text[at] if at < len(text) else ""
            for step, spans in ready:
                one = self._steps[step]
                if one.kind == "match":
                    found = spans
                    break  # what comes after is less wanted
                if character and one.chars is not None and character in one.chars:
                    threads.append((step + 1, spans))
            if not threads and found is not None:
                break
        return found

    def _follow(
        self, step: int, spans: Spans, text: str, at: int, seen: set[int], ready: list[tuple[int, Spans]]
    ) -> None:
        """Follow what needs no character, the preferred way first."""
        waiting = [(step, spans)]
        while waiting:
            step, spans = waiting.pop()
            if step in seen:
                continue
            seen.add(step)
            one = self._steps[step]
            if one.kind in ("chars", "match"):
                ready.append((step, spans))
            elif one.kind == "jump":
                waiting.append((one.first, spans))
            elif one.kind == "split":
                waiting.append((one.second, spans))
                waiting.append((one.first, spans))
            elif one.kind == "save":
                saved = (*spans[: one.first], at, *spans[one.first + 1 :])
                waiting.append((step + 1, saved))
            elif one.anchor is not None and _holds(one.anchor, text, at):
                waiting.append((step + 1, spans))

    def find_all(self, text: str, spend: Callable[[int], None]) -> Iterator[Spans]:
        """Yield the matches from left to right; they do not overlap."""
        start = 0
        while start <= len(text):
            found = self.find(text, start, spend)
            if found is None:
                return
            yield found
            start = found[1] if found[1] > found[0] else found[1] + 1


def _holds(anchor: Anchor, text: str, at: int) -> bool:
    if anchor.sign == "^":
        return at == 0 or (anchor.lines and text[at - 1] == "\n" and at < len(text))
    return at == len(text) or (anchor.lines and text[at] == "\n")
