"""The reference page says what FEEL does: each of its rows runs, and each function is named."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from furong.foundation import feel
from furong.foundation.feel.functions import BUILTINS

PAGE = (Path(__file__).parents[3] / "docs" / "reference" / "feel.md").read_text("utf-8")
ROWS = re.findall(r"^\| `(.+)` \| `(.+)` \|$", PAGE, re.MULTILINE)


@pytest.mark.parametrize(("left", "right"), ROWS, ids=[left for left, _ in ROWS])
def test_a_row_of_the_reference_page_is_true(left: str, right: str) -> None:
    found = feel.compile_expression(left).evaluate({})
    assert found == feel.compile_expression(right).evaluate({})


def test_the_reference_page_has_rows() -> None:
    assert len(ROWS) > 20


def test_every_function_is_on_the_reference_page() -> None:
    named = set(re.findall(r"`([a-z ]+)`", PAGE.split("## Functions")[1].split("## Bounds")[0]))
    assert set(BUILTINS) <= named
