"""What a pack says of words, one kind: ``search/CODE.yaml``. Any file may hold any of the parts; they are read together.

- ``words``: words that the segmenter does not know (公租房); the index is made with them.
- ``ignored``: words of a question that say nothing of what is wanted (怎么).
- ``synonyms``: lists of names for the same; ``from``/``to`` where it holds one way only (小孩 → 新生儿).
- ``never``: what spelling help leaves alone, and pairs that it never offers.
- ``best_bets``: what stands on top for a question, with an owner and an end.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from furong.foundation.packs.values import Finding, Kind, Pack, Report, Text, both, register_kind, yaml_parse
from furong.foundation.packs.values.schema import (
    Day,
    ListOf,
    MapOf,
    Parsed,
    Str,
    Texts,
    optional,
    required,
)

WORD = Str(max_length=60)


@dataclass(frozen=True, slots=True, kw_only=True)
class Synonym:
    """Names for the same thing; with ``toward`` only from the first list to the second.

    ``weight`` is how near they are (to 1).
    """

    names: tuple[str, ...] = ()
    asked: tuple[str, ...] = ()
    toward: tuple[str, ...] = ()
    weight: float = 0.8
    line: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class PackBet:
    """A best bet of a pack. ``owner`` is the department that answers for it; from the day ``until`` on it is not shown."""

    words: tuple[str, ...]
    title: Text
    address: str
    note: Text | None
    owner: str
    until: date
    line: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchWords:
    """One file."""

    words: tuple[str, ...] = ()
    ignored: tuple[str, ...] = ()
    synonyms: tuple[Synonym, ...] = ()
    never: tuple[str, ...] = ()
    never_pairs: tuple[tuple[str, str], ...] = ()
    best_bets: tuple[PackBet, ...] = ()


def _one_way_or_both(parsed: Parsed, report: Report, path: str) -> None:
    names, asked, toward = parsed.get("same") or (), parsed.get("from") or (), parsed.get("to") or ()
    if (len(names) < 2 and not (asked and toward)) or (names and (asked or toward)):
        report.add(
            parsed.line,
            path,
            "search.synonym_form",
            both("这一条同义词不完整。", "This synonym is not complete."),
            both("请写 same（至少两个词），或者写 from 和 to。", "Give same (two words at least), or from and to."),
        )


def _synonym(parsed: Parsed) -> Synonym:
    return Synonym(
        names=tuple(parsed.get("same") or ()),
        asked=tuple(parsed.get("from") or ()),
        toward=tuple(parsed.get("to") or ()),
        weight=float(parsed.get("weight") or "0.8"),
        line=parsed.line,
    )


def _bet(parsed: Parsed) -> PackBet:
    return PackBet(
        words=tuple(parsed["words"]),
        title=parsed["title"],
        address=parsed["address"],
        note=parsed.get("note"),
        owner=parsed["owner"],
        until=parsed["until"],
        line=parsed.line,
    )


def _words(parsed: Parsed) -> SearchWords:
    pairs = [tuple(one) for one in parsed.get("never_pairs") or ()]
    return SearchWords(
        words=tuple(parsed.get("words") or ()),
        ignored=tuple(parsed.get("ignored") or ()),
        synonyms=tuple(parsed.get("synonyms") or ()),
        never=tuple(parsed.get("never") or ()),
        never_pairs=tuple((one[0], one[1]) for one in pairs if len(one) == 2),
        best_bets=tuple(parsed.get("best_bets") or ()),
    )


SHAPE = MapOf(
    {
        "code": required(Str(pattern=r"[a-z][a-z0-9_]{0,39}")),
        "words": optional(ListOf(WORD)),
        "ignored": optional(ListOf(WORD)),
        "synonyms": optional(
            ListOf(
                MapOf(
                    {
                        "same": optional(ListOf(WORD)),
                        "from": optional(ListOf(WORD)),
                        "to": optional(ListOf(WORD)),
                        "weight": optional(Str(pattern=r"0\.[1-9]\d?|1|1\.0")),
                    },
                    check=_one_way_or_both,
                    build=_synonym,
                )
            )
        ),
        "never": optional(ListOf(WORD)),
        "never_pairs": optional(ListOf(ListOf(WORD))),
        "best_bets": optional(
            ListOf(
                MapOf(
                    {
                        "words": required(ListOf(WORD)),
                        "title": required(Texts(max_length=100)),
                        "address": required(Str(pattern=r"(/|https?://)\S{1,480}")),
                        "note": optional(Texts(max_length=300)),
                        "owner": required(Str(pattern=r"[a-z][a-z0-9_]{0,39}")),
                        "until": required(Day()),
                    },
                    build=_bet,
                )
            )
        ),
    },
    build=_words,
)


def _check(pack: Pack) -> Iterable[Finding]:
    """A best bet's owner is a department of the pack; a word of the segmenter is not one that a question ignores."""
    files = [file for file in pack.files if file.kind == "search_words" and file.value is not None]
    report = Report("", pack.frame.languages)
    departments = _departments(pack)
    ignored = {word for file in files for word in file.value.ignored}
    for file in files:
        report.file = file.shown
        for bet in file.value.best_bets:
            if departments and bet.owner not in departments:
                report.add(
                    bet.line,
                    "best_bets.owner",
                    "search.owner_unknown",
                    both(f"没有“{bet.owner}”这个部门。", f"There is no department {bet.owner}."),
                    both("请写部门目录里的代码。", "Write the code of a department."),
                )
        for word in sorted(set(file.value.words) & ignored):
            report.add(
                1,
                "words",
                "search.word_ignored",
                both(f"“{word}”既是专有词又被忽略。", f"{word} is a word of its own and is ignored."),
                both("请从一处删去。", "Take it out of one place."),
            )
    return report.findings


def _departments(pack: Pack) -> frozenset[str]:
    found: set[str] = set()
    for value in pack.values("organizations").values():
        for one in getattr(value, "departments", ()):
            found.add(str(getattr(one, "code", one)))
    return frozenset(found)


register_kind(Kind(name="search_words", folder="search", parse=yaml_parse(SHAPE), cross_check=_check, order=120))
