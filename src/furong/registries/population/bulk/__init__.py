"""People by the million: import of files with a mapping, rejects with reasons, taken up again where it was cut off."""

from __future__ import annotations

from .checking import REASONS
from .exporting import Exported, export_people
from .importing import Imported, import_people
from .synthesis import Synthesized, synthesize

__all__ = ["REASONS", "Exported", "Imported", "Synthesized", "export_people", "import_people", "synthesize"]
