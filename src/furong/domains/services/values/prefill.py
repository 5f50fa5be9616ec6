"""The port through which registers fill in what nobody should be asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from furong.domains.catalogue.values import DataElement
from furong.foundation.access.values import Actor, Basis
from furong.foundation.packs.values import Text


@dataclass(frozen=True, slots=True, kw_only=True)
class Prefilled:
    """What a register holds of an element: the value, who holds it (a text for the page), and the legal basis of the read."""

    element: str
    value: Any
    source: Text
    legal_basis: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """Whom a form is about: the person who applies, in which role of the elements (``mother``), and for whom else by role.

    ``persons`` maps a role (mother, father, child, household head …) to a person when it is known.
    """

    applicant_person_id: UUID | None
    applicant_role: str = "applicant"
    account_id: UUID | None = None
    persons: Mapping[str, UUID] = field(default_factory=dict)
    case_id: UUID | None = None


class PrefillSource(Protocol):
    """A register's side of the port; bound in `entrypoints.wiring`."""

    def prefill(
        self, *, elements: Sequence[DataElement], subject: Subject, actor: Actor, basis: Basis, now: datetime
    ) -> Mapping[str, Prefilled]:
        """Give what the register holds of ``elements`` (all of which name it as their source), by element code.

        What it does not hold is left out. The read is recorded by the register.
        """
        ...


_SOURCES: dict[str, PrefillSource] = {}


def register_prefill_source(name: str, source: PrefillSource) -> None:
    """Bind the source of a register (``population``, ``marriage`` …) or of the outputs of items (``licences``)."""
    _SOURCES[name] = source


def prefill_sources() -> Mapping[str, PrefillSource]:
    return _SOURCES
