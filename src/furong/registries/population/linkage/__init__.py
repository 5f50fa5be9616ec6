"""Record linkage: which rows of person files are the same people, with or without a number.

Model: Fellegi and Sunter, by splink. Files are made ready in DuckDB, on disk, so that memory stays within what is allowed;
neither Django nor PostgreSQL is needed. The conditions that compare people are SQL that DuckDB and Spark both read. Nobody owns
what passes here: the files are their bringer's. The register's own duplicates are decided in ``duplicates``.
"""

from __future__ import annotations

from .linking import match_files
from .values import FIELDS, Linked, LinkKind, Side

__all__ = ["FIELDS", "LinkKind", "Linked", "Side", "match_files"]
