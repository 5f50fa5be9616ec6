"""Texts in several languages, as packs write them: ``{zh: 姓名, en: Name}``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Text:
    """A text in one or more languages; the first is the pack's own and is always there."""

    values: tuple[tuple[str, str], ...]

    def __post_init__(self) -> None:
        if not self.values:
            raise ValueError("A text needs at least one language.")

    @classmethod
    def of(cls, values: Mapping[str, str]) -> Text:
        """Make a text of a mapping from language to string; the first entry is the primary language."""
        return cls(tuple(values.items()))

    @property
    def primary(self) -> str:
        return self.values[0][1]

    def pick(self, language: str | None = None) -> str:
        """Give the text in ``language`` (``zh-hans`` finds ``zh``), else in the primary language."""
        if language:
            wanted = language.lower().replace("_", "-")
            for code, value in self.values:
                if code.lower() == wanted:
                    return value
            stem = wanted.split("-")[0]
            for code, value in self.values:
                if code.lower().split("-")[0] == stem:
                    return value
        return self.primary

    def as_dict(self) -> dict[str, str]:
        return dict(self.values)

    def __str__(self) -> str:
        return self.primary


def both(zh: str, en: str) -> Text:
    """Make a text in the platform's own two languages."""
    return Text((("zh", zh), ("en", en)))
