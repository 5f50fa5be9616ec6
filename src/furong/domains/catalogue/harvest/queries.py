"""Reads of harvesting: the sources, how their last harvests went, and what was found wrong."""

from __future__ import annotations

from collections.abc import Mapping

from furong.domains.catalogue import models


def source_titles() -> dict[str, Mapping[str, str]]:
    """Give the title of each source by its code, as ``{zh, en}``."""
    return {
        row[0]: {"zh": row[1], **({"en": row[2]} if row[2] else {})}
        for row in models.HarvestSource.objects.values_list("code", "title_zh", "title_en").order_by("code")
    }
