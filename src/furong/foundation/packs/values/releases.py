"""Published definitions and their releases, as queries give them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class Definition:
    """Immutable bytes, addressed by their SHA-256."""

    digest: str
    media_type: str
    content: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """A version of a definition and the local day from which it is in force. ``digest`` is empty when it was withdrawn.

    ``origin`` is ``pack`` or ``workbench``; ``path`` is the file in the pack.
    """

    id: UUID
    kind: str
    code: str
    version: int
    digest: str
    in_force_from: date
    published_at: datetime
    published_by: str
    origin: str
    pack: str
    path: str

    @property
    def is_withdrawn(self) -> bool:
        return not self.digest


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportResult:
    """What an import did: definitions released anew, withdrawn, and left as they were."""

    released: tuple[str, ...]
    withdrawn: tuple[str, ...]
    unchanged: int
