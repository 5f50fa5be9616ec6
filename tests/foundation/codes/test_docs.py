"""The reference page says what the tables and masks do."""

from __future__ import annotations

import re
from pathlib import Path

from furong.foundation.codes import errors, masking, queries
from furong.foundation.codes.errors import CodeRefused

PAGE = (Path(__file__).parents[3] / "docs" / "reference" / "codes.md").read_text("utf-8")


def test_the_tables_on_the_page_have_the_rows_they_have() -> None:
    told = re.findall(r"^\| `(\w+)` \| (G[BA]/T [\d.-]+) \| (\d+) \|$", PAGE, re.MULTILINE)
    assert told == [(one.name, one.standard, str(len(one.items))) for one in queries.list_tables()]


def test_the_masks_on_the_page_are_what_the_functions_give() -> None:
    told = re.findall(r'^\| `(mask_\w+)\("(.+)"\)` \| `(.+)` \|$', PAGE, re.MULTILINE)
    assert len(told) == 4
    for name, given_text, masked in told:
        assert getattr(masking, name)(given_text) == masked


def test_every_refusal_of_a_number_that_a_person_enters_is_on_the_page() -> None:
    codes = {
        one.code
        for one in vars(errors).values()
        if isinstance(one, type) and issubclass(one, CodeRefused) and "code" in vars(one)
    }
    makers = {"identity_number.not_reserved", "identity_number.sequence", "codes.table_unknown"}
    short = {code for code in codes - makers if code.startswith("identity_number.")}
    assert short
    assert {code for code in short if f"`{code}`" not in PAGE} == set()
