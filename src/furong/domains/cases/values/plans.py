"""What is going to be applied for: the items with the terms that a case pins when it is made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from furong.domains.cases.values.clock import DayUnit

Text = Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentFact:
    """A line that the person asked is shown: FEEL over the application's answers, and words for the codes it may give."""

    label: Text
    value: str
    words: Mapping[str, Text] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentPlan:
    """A consent that must be in before a case is received.

    ``of`` names the elements that hold the persons who must agree; whoever applies has agreed by applying. ``message``
    is what the process waits for. 0 days mean the general parameter. ``shows`` is what they agree to.
    """

    code: str
    statement: Text
    of: tuple[str, ...]
    message: str = "consent"
    days: int = 0
    reminder_days: int = 0
    shows: tuple[ConsentFact, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemPlan:
    """One item of an application: who handles it, by which definitions, under which limits.

    ``once_for`` names the element whose value the item is applied for once; empty when it may be applied for at will.
    """

    code: str
    name: Text
    department: str
    organization_id: UUID
    division_code: str
    closure_digest: str
    process_digest: str
    promised_days: int
    statutory_days: int
    result_name: Text = field(default_factory=dict)
    unit: DayUnit = DayUnit.WORKING
    statutory_unit: DayUnit = DayUnit.WORKING
    requires: tuple[str, ...] = ()
    visible_elements: frozenset[str] = frozenset()
    output_elements: frozenset[str] = frozenset()
    consents: tuple[ConsentPlan, ...] = ()
    legal_basis: str = ""
    remedies: tuple[Text, ...] = ()
    extension_days: int | None = None
    immediate: bool = False
    once_for: str = ""
    procedures: tuple[Mapping[str, Any], ...] = ()

    def terms(self) -> dict[str, Any]:
        """Return what the case pins beside the digests, as JSON."""
        return {
            "promised_days": self.promised_days,
            "statutory_days": self.statutory_days,
            "unit": self.unit.value,
            "statutory_unit": self.statutory_unit.value,
            "outputs": sorted(self.output_elements),
            "procedures": [dict(p) for p in self.procedures],
            "immediate": self.immediate,
            "once_for": self.once_for,
            "extension_days": self.extension_days,
            "legal_basis": self.legal_basis,
            "remedies": [dict(r) for r in self.remedies],
            "consents": [
                {
                    "code": c.code,
                    "statement": dict(c.statement),
                    "of": list(c.of),
                    "message": c.message,
                    "days": c.days,
                    "reminder_days": c.reminder_days,
                    "shows": [
                        {
                            "label": dict(f.label),
                            "value": f.value,
                            "words": {code: dict(text) for code, text in f.words.items()},
                        }
                        for f in c.shows
                    ],
                }
                for c in self.consents
            ],
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The value of one data element and where it comes from; ``source`` is ``applicant`` for what was typed in."""

    value: Any = field(repr=False)
    source: str = "applicant"
    source_label: Text = field(default_factory=dict)
    legal_basis: str = ""

    def to_json(self) -> dict[str, Any]:
        """Return the answer as JSON."""
        return {
            "value": self.value,
            "source": self.source,
            "source_label": dict(self.source_label),
            "legal_basis": self.legal_basis,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplicationPlan:
    """Everything one submission will create, in the order in which the items are shown."""

    title: Text
    form_digest: str
    items: tuple[ItemPlan, ...]
    life_event_code: str = ""
