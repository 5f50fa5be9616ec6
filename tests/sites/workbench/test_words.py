"""What clerks read on the buttons is in words: every outcome that the pack's diagrams name for a review."""

from __future__ import annotations

import re
from pathlib import Path

from django.utils import translation

from furong.sites.workbench.presenting import outcome_words

ITEMS = Path(__file__).resolve().parents[3] / "packs" / "hunan" / "items"


def test_every_outcome_of_a_review_in_the_pack_has_words_in_both_languages() -> None:
    outcomes = set()
    for diagram in ITEMS.glob("*/process.bpmn"):
        for task in re.findall(r"<bpmn:userTask.*?>", diagram.read_text(), re.DOTALL):
            if 'furong:kind="review"' in task:
                outcomes |= set(re.findall(r'furong:outcomes="([^"]*)"', task)[0].split())
    assert {"found", "none", "corrected", "impossible"} <= outcomes
    with translation.override("zh-hans"):
        assert [o for o in sorted(outcomes) if outcome_words(o).isascii()] == []
    with translation.override("en"):
        assert [o for o in sorted(outcomes) if outcome_words(o) == o] == []
