"""People by the million: import of files with a mapping, rejects with reasons, taken up again where it was cut off."""

from __future__ import annotations

from .checking import REASONS
from .importing import Imported, import_people
from .synthesis import Synthesized, synthesize

__all__ = ["REASONS", "Imported", "Synthesized", "import_people", "synthesize"]
