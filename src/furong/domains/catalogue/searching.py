"""Search tokens of Chinese and Latin text, as PostgreSQL keeps them without a dictionary.

A run of Han characters gives its overlapping pairs and its last character; a Latin or numeric run gives itself. Each token is
stored once, marked with the audience that may find by it (``0medical``): a search asks only for marks the reader may see, so
that a hit never tells of an item that is hidden. GIN answers ``&`` and ``|`` over them; one column serves every reader.
Words of the name are stored once more (``nmedical``): who may see a resource may see its name, and names come first.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping

from furong.domains.catalogue.states import Audience

_RUN = re.compile(r"[㐀-䶿一-鿿豈-﫿\U00020000-\U0003ffff]+|[a-z0-9_]+")
# Carried by resources with duties of collection; nobody can type it, so that it is no word of a search.
COLLECTS = "~collects"
_NAME = "n"
MAX_QUERY = 100
MAX_TERMS = 24


def _runs(text: str) -> list[str]:
    return _RUN.findall(unicodedata.normalize("NFKC", text).lower())


def _is_latin(run: str) -> bool:
    return run[0].isascii()


def tokens_of(text: str) -> set[str]:
    """Give the tokens by which a text is found."""
    found: set[str] = set()
    for run in _runs(text):
        if _is_latin(run):
            found.add(run[:60])
            found.update(part[:60] for part in run.split("_") if part)
        else:
            found.update(run[i : i + 2] for i in range(len(run) - 1))
            found.add(run[-1])
    return found


def marked(texts: Mapping[Audience, Iterable[str]]) -> list[str]:
    """Give the marked tokens of a resource: each with the widest audience that may find by it."""
    widest: dict[str, int] = {}
    for audience in sorted(texts):
        for text in texts[audience]:
            for token in tokens_of(text):
                widest.setdefault(token, int(audience))
    return sorted(f"{audience}{token}" for token, audience in widest.items())


def of_name(texts: Iterable[str]) -> list[str]:
    """Give the tokens that say which words stand in a resource's name."""
    return sorted({_NAME + token for text in texts for token in tokens_of(text)})


def terms_of(text: str) -> list[str]:
    """Give what a person looks for, piece by piece: pairs of characters, single characters and words as ``x:*``."""
    found: dict[str, None] = {}
    for run in _runs(text[:MAX_QUERY]):
        if _is_latin(run):
            for part in run.split("_"):
                if part:
                    found[f"{part[:60]}:*"] = None
        elif len(run) == 1:
            found[f"{run}:*"] = None
        else:
            for i in range(len(run) - 1):
                found[run[i : i + 2]] = None
    return list(found)[:MAX_TERMS]


def tsquery(text: str, level: Audience) -> str:
    """Give a ``tsquery`` for what a person typed, within what readers of ``level`` may find by; empty when it holds no word."""
    return " & ".join(f"({_either(term, range(level + 1))})" for term in terms_of(text))


def name_query(text: str) -> str:
    """Give a ``tsquery`` for names that hold all that a person typed; empty when it holds no word.

    It says nothing of rights: what it finds is narrowed to what the reader may see, as any other reading is.
    """
    return " & ".join(_either(term, (_NAME,)) for term in terms_of(text))


def _either(term: str, marks: Iterable[object]) -> str:
    word, prefix = (term[:-2], ":*") if term.endswith(":*") else (term, "")
    return " | ".join(f"'{mark}{word}'{prefix}" for mark in marks)
