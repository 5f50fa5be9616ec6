"""The dated legal and organisational parameters that cases run by.

A pack states them in ``case_rules/CODE.yaml`` with their source and the day they come into force; what a pack leaves
out has the value below, whose clause stands beside it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import date
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class DatedParameter:
    """One parameter with the local day from which it is in force, and where it comes from."""

    code: str
    value: Any
    in_force_from: date
    source: str = ""
    legal_basis: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """The parameters in force on one day. Days are working days unless the name says otherwise."""

    # Administrative Licensing Law art. 32 (4): deficiencies are told within five days, once, else the case is deemed accepted.
    acceptance_days: int = 5
    # How long the applicant has for the supplement; the law leaves it to the notice.
    supplement_reply_days: int = 15
    # art. 42: ten days more, approved by the person in charge, with notice of the reason.
    extension_days: int = 10
    # art. 44: the certificate within ten days of the decision.
    delivery_days: int = 10
    yellow_share_percent: int = 70
    consent_days: int = 10
    consent_reminder_days: int = 5
    # A review by the body itself: to be asked for within sixty natural days, answered within fifteen working days.
    review_within_natural_days: int = 60
    review_days: int = 15
    # 好差评: contact within one working day, put right within fifteen.
    call_back_contact_days: int = 1
    call_back_fix_days: int = 15
    # An untouched draft is kept so long.
    draft_keep_natural_days: int = 180
    # How many digits of the division's code open an application number.
    number_division_digits: int = 4
    document_marks: Mapping[str, Mapping[str, str]] = field(
        default_factory=lambda: {
            "acceptance": {"zh": "受", "en": "A"},
            "non_acceptance": {"zh": "不受", "en": "N"},
            "supplement": {"zh": "补", "en": "S"},
            "decision_approved": {"zh": "准", "en": "D"},
            "decision_rejected": {"zh": "驳", "en": "R"},
            "extension": {"zh": "延", "en": "E"},
            "special_procedure": {"zh": "特", "en": "P"},
            "termination": {"zh": "终", "en": "T"},
            "withdrawal": {"zh": "撤", "en": "W"},
        }
    )
    # What every refusal names unless its item says otherwise.
    remedies: tuple[Mapping[str, str], ...] = (
        {
            "zh": "可自收到本决定之日起六十日内，向作出决定机关的本级人民政府申请行政复议。",
            "en": "You may apply for administrative reconsideration to the government of the same level within sixty days of "
            "receiving this decision.",
        },
        {
            "zh": "可自收到本决定之日起六个月内，依法向人民法院提起行政诉讼。",
            "en": "You may bring an administrative lawsuit before the people's court within six months of receiving it.",
        },
    )


PARAMETER_CODES = frozenset(f.name for f in fields(Rules))


def rules_on(on: date, parameters: Iterable[DatedParameter]) -> Rules:
    """Return the rules in force on a local day: of each parameter, the latest not later than it."""
    latest: dict[str, DatedParameter] = {}
    for p in parameters:
        if p.code not in PARAMETER_CODES or p.in_force_from > on:
            continue
        if p.code not in latest or latest[p.code].in_force_from < p.in_force_from:
            latest[p.code] = p
    values: dict[str, Any] = {
        code: tuple(p.value) if isinstance(p.value, list) else p.value for code, p in latest.items()
    }
    return replace(Rules(), **values)
