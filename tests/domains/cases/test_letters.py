"""What letters and the timeline say: complete, in both languages, without a gap where a fact was missing."""

from __future__ import annotations

import re
from datetime import date
from typing import Any

import pytest

from furong.domains.cases.values.documents import TITLES, DocumentKind
from furong.domains.cases.values.letters import facts, paragraphs
from furong.domains.cases.values.rules import DatedParameter, Rules, rules_on
from furong.domains.cases.values.states import EndReason
from furong.domains.cases.values.wording import INTERNAL, PUBLIC, REASONS, is_public, say

REMEDIES = [{"zh": "可以申请行政复议。", "en": "You may ask for reconsideration."}]
DATA: dict[DocumentKind, dict[str, Any]] = {
    DocumentKind.ACCEPTANCE: {
        "accepted_on": "2026-11-23",
        "promised_due_on": "2026-11-26",
        "statutory_due_on": "2026-12-07",
    },
    DocumentKind.NON_ACCEPTANCE: {"reason": "不属于本机关职权", "legal_basis": "某法", "remedies": REMEDIES},
    DocumentKind.SUPPLEMENT: {
        "wanted": [{"what": {"zh": "照片", "en": "Photo"}, "how": {"zh": "白底", "en": "White"}}],
        "reason": "模糊",
        "due_on": "2026-12-14",
    },
    DocumentKind.DECISION_APPROVED: {"opinion": "一致", "result": {"zh": "登记卡", "en": "Card"}},
    DocumentKind.DECISION_REJECTED: {"reason": "不符合条件", "remedies": REMEDIES},
    DocumentKind.EXTENSION: {"days": 10, "reason": "需核实", "due_on": "2026-12-10"},
    DocumentKind.SPECIAL_PROCEDURE: {
        "procedure": "expert_review",
        "legal_basis": "某法第三条",
        "reason": "",
        "expected_until_on": "2026-12-10",
    },
    DocumentKind.WITHDRAWAL: {"reason": "另行办理"},
    DocumentKind.TERMINATION: {
        "failed_item": {"zh": "户口登记", "en": "Registration"},
        "failed_case": "1-2",
        "failed_why": "rejected",
        "remedies": REMEDIES,
    },
}


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("kind", list(DocumentKind))
def test_a_letter_says_everything_it_was_given(kind: DocumentKind, language: str) -> None:
    item = {"zh": "预防接种证", "en": "Vaccination record"}
    text = "\n".join(paragraphs(kind, item=item, submitted_on=date(2026, 11, 20), data=DATA[kind], language=language))
    assert item[language] in text
    assert not re.search(r"None|\{|\}|::|：：|\(\)|（）", text)
    for key in ("reason", "legal_basis", "opinion"):
        assert str(DATA[kind].get(key) or "") in text
    if DATA[kind].get("remedies"):
        assert REMEDIES[0][language] in text
    assert TITLES[kind][language]
    table = facts(kind, case_number="1-1", item=item, data=DATA[kind], language=language)
    assert all(len(row) == 2 and all(row) for row in table)


def test_silence_that_counts_as_acceptance_says_so() -> None:
    data = {**DATA[DocumentKind.ACCEPTANCE], "deemed": True}
    text = "".join(
        paragraphs(
            DocumentKind.ACCEPTANCE, item={"zh": "某事"}, submitted_on=date(2026, 11, 20), data=data, language="zh"
        )
    )
    assert "自收到申请材料之日起即为受理" in text


@pytest.mark.parametrize("code", [*PUBLIC, *INTERNAL])
def test_every_event_has_words_in_both_languages(code: str) -> None:
    params = {
        "due_on": "2026-12-01",
        "item": {"zh": "甲", "en": "A"},
        "result": {"zh": "乙", "en": "B"},
        "why": "rejected",
        "reason": "withdrawn",
        "kind": "acceptance",
        "number": "1",
        "procedure": "hearing",
        "days": 10,
        "typed": 4,
        "filled": 63,
        "sources": 4,
        "cases": 2,
        "light": "red",
        "step": "审核",
    }
    said = say(code, params)
    assert set(said) == {"zh", "en"}
    for text in said.values():
        assert text
        assert "{" not in text
    assert is_public(code) == (code in PUBLIC)


def test_a_missing_parameter_leaves_no_brace_and_an_unknown_code_says_itself() -> None:
    assert "{" not in say("case.accept", {})["zh"]
    assert say("case.unheard_of", {}) == {"zh": "case.unheard_of", "en": "case.unheard_of"}


def test_every_reason_to_end_has_words() -> None:
    assert set(REASONS) == {r.value for r in EndReason if r.value}


def test_parameters_are_those_in_force_on_the_day() -> None:
    parameters = [
        DatedParameter(code="acceptance_days", value=5, in_force_from=date(2004, 7, 1)),
        DatedParameter(code="acceptance_days", value=3, in_force_from=date(2027, 1, 1)),
        DatedParameter(code="no_such_thing", value=1, in_force_from=date(2004, 7, 1)),
        DatedParameter(code="remedies", value=[{"zh": "申诉"}], in_force_from=date(2004, 7, 1)),
    ]
    assert rules_on(date(2026, 12, 31), parameters).acceptance_days == 5
    assert rules_on(date(2027, 1, 1), parameters).acceptance_days == 3
    assert rules_on(date(2000, 1, 1), parameters) == Rules()
    assert rules_on(date(2026, 1, 1), parameters).remedies == ({"zh": "申诉"},)
