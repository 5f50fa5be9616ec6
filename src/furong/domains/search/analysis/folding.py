"""One spelling for what reads the same: width, case, traditional characters, and what was never text.

NFKC (Unicode Standard Annex 15) folds full-width letters and compatibility forms. A character folds by itself, so that a place in
the folded text can be led back to the text that is shown.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from importlib.resources import files

# Characters of nearly all text, none of which `clean` takes out: a text of these alone is told in one look.
_USUAL = re.compile(r"[\n -~\u00a1-\u00ac\u00ae-\u024f\u2010-\u2027\u2030-\u205e\u3000-\u303f㐀-䶿一-鿿\uff01-\uff5e]*")

# Signs that fold to such as stand inside words and numbers.
_JOINING = [(one, unicodedata.normalize("NFKC", one)) for one in "（）／．－＋＃＆＿％［］…"]


def _traditional() -> dict[str, str]:
    lines = (files(__package__) / "traditional.txt").read_text(encoding="utf-8").splitlines()
    pairs = "".join(line for line in lines if not line.startswith("#"))
    return dict(zip(pairs[::2], pairs[1::2], strict=True))


class _Table(dict[int, str]):
    """What each character folds to, learnt as it is met. Never shorter than the character itself: places keep their order."""

    def __init__(self) -> None:
        super().__init__()
        self.simplified = _traditional()

    def __missing__(self, code: int) -> str:
        character = chr(code)
        kind = unicodedata.category(character)
        if kind in {
            "Cc",
            "Cs",
            "Cn",
            "Co",
            "Cf",
            "Zl",
            "Zp",
            "Zs",
        }:  # control, surrogate, unassigned, private, format, spaces
            folded = " "
        else:
            folded = unicodedata.normalize("NFKC", character).casefold() or " "
            folded = "".join(self.simplified.get(one, one) for one in folded)
        self[code] = folded
        return folded


_TABLE = _Table()


def fold(text: str) -> str:
    """Give the one spelling of a text: simplified, narrow, lower case, control characters as spaces."""
    return text.translate(_TABLE)


@lru_cache(maxsize=1)
def _folds() -> re.Pattern[str]:
    """Characters that fold to a letter, a digit or more than one character. What is rare in text is taken for one of them."""
    usual = (
        "\n -@\\[-`{-~\u00b7\u2010-\u2027\u3000-\u303f㐀-䶿一-鿿\uff01-\uff0f\uff1a-\uff20\uff3b-\uff40\uff5b-\uff5ea-z"
    )
    changing = "".join(re.escape(one) for one in _TABLE.simplified)
    return re.compile(f"[^{usual}]|[{changing}]")


def fold_words(text: str) -> tuple[str, list[int] | None]:
    """Fold a text as far as words need it, and say where each character comes from, as `fold_with_places`.

    Most texts are returned as they are: only their signs would fold.
    """
    return (text, None) if _folds().search(text) is None else fold_with_places(text)


def fold_text(text: str) -> str:
    """Fold a long text as far as words, pairs and numbers need it: signs that part words may stay as they are.

    Several times as fast as `fold`, which looks at each character.
    """
    if _folds().search(text) is not None:
        return fold(text)
    for sign, folded in _JOINING:
        if sign in text:
            text = text.replace(sign, folded)
    return text


def fold_with_places(text: str) -> tuple[str, list[int] | None]:
    """Fold a text and say where each folded character comes from; None when each stands where it stood."""
    folded = text.translate(_TABLE)
    if len(folded) == len(text):
        return folded, None
    places = [place for place, character in enumerate(text) for _ in _TABLE[ord(character)]]
    return folded, places


def clean(text: str) -> str:
    """Give a text as it may be shown and stored:

    no control characters, no surrogates, spaces run together.
    """
    if _USUAL.fullmatch(text) is None:
        text = "".join(" " if unicodedata.category(one) in {"Cc", "Cs", "Cn", "Co"} else one for one in text)
    return " ".join(text.split())


@lru_cache(maxsize=1)
def spelling_digest() -> str:
    """Name the table in use: an index made with another one has to be rebuilt."""
    return f"nfkc-{unicodedata.unidata_version}-{len(_TABLE.simplified)}"
