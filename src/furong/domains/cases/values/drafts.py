"""What a change of form does to a draft: nothing is lost, and what needs the applicant's eye is listed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldDescription:
    """What matters of a field for migration. ``shape`` changes when an old answer may no longer fit: type, options, limits."""

    key: str
    label: Mapping[str, str]
    page: str
    element: str = ""
    required: bool = False
    shape: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class FormDescription:
    """A version of a form, field by field."""

    digest: str
    fields: Mapping[str, FieldDescription]


class Why(StrEnum):
    """Why an answer needs checking."""

    NEW = "new"  # a new question
    CHANGED = "changed"  # the question takes other answers now
    REMOVED = "removed"  # no longer asked; the answer is kept aside
    MOVED = "moved"  # the same data element under another field


@dataclass(frozen=True, slots=True, kw_only=True)
class ToCheck:
    """One line of the message that a migrated draft shows."""

    key: str
    label: Mapping[str, str]
    page: str
    why: Why

    def to_json(self) -> dict[str, Any]:
        """Return the line as JSON."""
        return {"key": self.key, "label": dict(self.label), "page": self.page, "why": self.why.value}


@dataclass(frozen=True, slots=True, kw_only=True)
class Migrated:
    """Answers under the new version; ``kept_aside`` are those no question takes any more."""

    answers: Mapping[str, Any] = field(repr=False)
    kept_aside: Mapping[str, Any] = field(repr=False)
    to_check: tuple[ToCheck, ...]


def migrate(old: FormDescription, new: FormDescription, answers: Mapping[str, Any]) -> Migrated:
    """Carry answers from one version of a form to another, field by field.

    An answer follows its field's key, else its data element; one that no question takes is kept aside. Every answer
    given is in the result exactly once.
    """
    kept: dict[str, Any] = {}
    aside: dict[str, Any] = {}
    lines: list[ToCheck] = []
    by_element = {f.element: f for f in new.fields.values() if f.element and f.key not in old.fields}
    for key, value in answers.items():
        before, after = old.fields.get(key), new.fields.get(key)
        if after is None:
            moved = by_element.get(before.element) if before is not None and before.element else None
            if moved is not None and moved.key not in kept and moved.key not in answers:
                kept[moved.key] = value
                lines.append(ToCheck(key=moved.key, label=moved.label, page=moved.page, why=Why.MOVED))
                continue
            aside[key] = value
            if value not in (None, "", []):
                label = before.label if before is not None else {}
                lines.append(ToCheck(key=key, label=label, page="", why=Why.REMOVED))
            continue
        kept[key] = value
        if before is None or before.shape != after.shape:
            lines.append(ToCheck(key=key, label=after.label, page=after.page, why=Why.CHANGED))
    for key, after in new.fields.items():
        if key not in old.fields and key not in kept and after.required:
            lines.append(ToCheck(key=key, label=after.label, page=after.page, why=Why.NEW))
    return Migrated(answers=kept, kept_aside=aside, to_check=tuple(lines))
