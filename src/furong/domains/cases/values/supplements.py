"""What a notice of what is missing asks for, and the keys under which its answers are kept. Pure.

A line of the notice names a data element, or says in words what is missing; what is asked in words is answered in words, with a
file, or both. The keys of such answers begin with ``#`` and the line's place, which no element's code does.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

NOTE = ""


def in_words(place: int) -> str:
    """Return the key of the answer in words to the line at ``place``, counted from 0."""
    return f"#{place + 1}"


def as_file(place: int) -> str:
    """Return the key of the file that answers the line at ``place``, counted from 0."""
    return f"#{place + 1}/file"


def is_element(key: str) -> bool:
    """Tell whether a key of stored answers is the code of a data element, not a note or a line in words."""
    return bool(key) and not key.startswith("#")


def answers_all(wanted: Sequence[Mapping[str, Any]], given: Mapping[str, Any], *, note: str = "") -> bool:
    """Tell whether ``given`` answers every line of a notice and nothing else.

    ``note`` may stand for the lines in words.
    """
    allowed: set[str] = set()
    complete = True
    for place, line in enumerate(wanted):
        element = line.get("element", "")
        keys = {element} if element else {in_words(place), as_file(place)}
        allowed |= keys
        complete = complete and bool(keys & set(given) or (not element and note.strip()))
    return complete and not set(given) - allowed


@dataclass(frozen=True, slots=True, kw_only=True)
class AnsweredLine:
    """A line of a notice with what came in: ``value`` of an element, or words and a file; all None before an answer."""

    element: str
    what: Mapping[str, str]
    how: Mapping[str, str]
    value: Any = field(default=None, repr=False)
    words: str = field(default="", repr=False)
    file: Mapping[str, Any] | None = field(default=None, repr=False)


def answered(wanted: Sequence[Mapping[str, Any]], answers: Mapping[str, Any]) -> tuple[AnsweredLine, ...]:
    """Put a notice's lines beside their answers; ``answers`` as they are stored, by key."""

    def value(key: str) -> Any:
        return answers.get(key, {}).get("value")

    lines = []
    for place, line in enumerate(wanted):
        element = str(line.get("element", ""))
        file = value(element) if element else value(as_file(place))
        lines.append(
            AnsweredLine(
                element=element,
                what=line.get("what") or {},
                how=line.get("how") or {},
                value=value(element) if element else None,
                words="" if element else str(value(in_words(place)) or ""),
                file=file if isinstance(file, Mapping) and "digest" in file else None,
            )
        )
    return tuple(lines)


def files_in(answers: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield the files among stored answers: key and ``{digest, name, media_type, size}``."""
    for key, answer in answers.items():
        value = answer.get("value") if isinstance(answer, Mapping) else None
        if isinstance(value, Mapping) and "digest" in value:
            yield key, value
