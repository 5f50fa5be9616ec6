"""What a grant lets through of an answer."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from furong_link.errors import Refusal
from furong_link.masking import MASKS, RowScope, apply_terms, field_tree

JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=6),
    lambda below: st.lists(below, max_size=3) | st.dictionaries(st.sampled_from("abcd"), below, max_size=4),
    max_leaves=20,
)


@pytest.mark.parametrize(
    ("rule", "text", "masked"),
    [
        ("name", "周芷沅", "周**"),
        ("name", "周", "周*"),
        ("number", "430290202611230018", "430***********0018"),
        ("number", "12345678", "********"),
        ("phone", "138 0000 0001", "138****0001"),
        ("phone", "0731", "****"),
        ("address", "湖南省长沙市长沙县泉塘街道1号", "湖南省长沙市长沙县****"),
        ("address", "某处1号", "****"),
    ],
)
def test_a_mask_keeps_what_its_rule_says(rule: str, text: str, masked: str) -> None:
    assert MASKS[rule](text) == masked


@given(st.text(min_size=2, max_size=40), st.sampled_from(sorted(MASKS)))
def test_no_mask_gives_the_text_itself(text: str, rule: str) -> None:
    assert MASKS[rule](text) != text or set(text) == {"*"}


@given(JSON)
def test_no_field_passes_that_no_rule_names(answer: Any) -> None:
    try:
        kept, _ = apply_terms(answer, rows_at="", tree=field_tree({"a": "number", "b.c": "keep"}), scope=())
    except Refusal as refusal:
        code = refusal.code
    else:
        code = ""
    if code:
        assert code == "provider_not_filterable"
        return
    for row in kept if isinstance(kept, list) else [kept]:
        assert set(row) <= {"a", "b"}
        below = row.get("b")
        for part in below if isinstance(below, list) else [below]:
            assert part is None or isinstance(part, list) or set(part) <= {"c"}


def test_a_row_that_does_not_say_where_it_belongs_is_outside() -> None:
    scope = (RowScope(("at", "division"), frozenset({"430290"}), ("4301",)),)
    rows = [{"at": {"division": d}} for d in ("430290", "430190", 430191, "430390", None, True, ["430290"])] + [
        {},
        {"at": 1},
    ]
    kept, count = apply_terms({"rows": rows, "more": 1}, rows_at="rows", tree=field_tree({"at": "keep"}), scope=scope)
    assert (kept, count) == ({"rows": rows[:3]}, 3)


@pytest.mark.parametrize(
    "rules", [{"a": "hide"}, {"a": "keep", "a.b": "keep"}, {"a.b": "keep", "a": "keep"}, {"": "keep"}]
)
def test_rules_that_contradict_each_other_are_no_rules(rules: dict[str, str]) -> None:
    with pytest.raises(ValueError):
        field_tree(rules)
