"""The room's kinds of pack content.

* ``case_rules/CODE.yaml`` — legal parameters, each dated, with its source and legal basis
* ``consents/CODE.yaml`` — whose consent an item needs beside the applicant's
* ``jurisdictions/CODE.yaml`` — which place decides what body is responsible for an item, as FEEL over the answers
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from furong.domains.cases.values.plans import ConsentFact, ConsentPlan
from furong.domains.cases.values.rules import PARAMETER_CODES, DatedParameter, Rules
from furong.foundation.feel import FeelLimitReached, FeelSyntaxError, compile_expression
from furong.foundation.packs.values import (
    CODE,
    Day,
    Feel,
    Finding,
    Int,
    Kind,
    ListOf,
    MapOf,
    OneOf,
    Pack,
    Parsed,
    Ref,
    RefTo,
    Report,
    Str,
    Texts,
    both,
    optional,
    register_kind,
    required,
    yaml_parse,
)

# What a pack may set, by the shape of its value: whole numbers, or texts by language.
NUMBERS = tuple(sorted(c for c in PARAMETER_CODES if isinstance(getattr(Rules(), c), int)))

_PARAMETER = MapOf(
    {
        "code": required(OneOf(values=(*NUMBERS, "remedies"))),
        "in_force_from": required(Day()),
        "value": optional(Int(0, 10_000)),
        "texts": optional(ListOf(Texts())),
        "source": required(Str()),
        "legal_basis": optional(Str(), ""),
    }
)
_RULES = MapOf({"code": required(CODE), "parameters": required(ListOf(_PARAMETER, minimum=1))})
_WORD = MapOf({"code": required(Str(max_length=80)), "label": required(Texts(max_length=100))})
_SHOWN = MapOf(
    {
        "label": required(Texts(max_length=100)),
        "value": required(Feel()),
        "words": optional(ListOf(_WORD, unique="code"), list),
    }
)
_CONSENT = MapOf(
    {
        "code": required(CODE),
        "item": required(RefTo(pattern=r"[a-z][a-z0-9_]*")),
        "statement": required(Texts(max_length=1000)),
        "of": required(ListOf(RefTo(), minimum=1, unique="")),
        "shows": optional(ListOf(_SHOWN), list),
        "message": optional(CODE, "consent"),
        "days": optional(Int(0, 365), 0),
        "reminder_days": optional(Int(0, 365), 0),
    }
)
_JURISDICTION = MapOf(
    {
        "code": required(CODE),
        "item": required(RefTo(pattern=r"[a-z][a-z0-9_]*")),
        "place": required(Feel()),
        "legal_basis": optional(Str(), ""),
    }
)


def _rules(parsed: Parsed, report: Report) -> tuple[DatedParameter, ...]:
    made = []
    for one in parsed["parameters"]:
        value = one["value"] if one["code"] in NUMBERS else [t.as_dict() for t in one["texts"] or ()]
        if value is None or value == []:
            report.add(
                one.line,
                one["code"],
                "case_rules.value",
                both("没有写明参数的值。", "The parameter has no value."),
                both("请写明 value: 或 texts:。", "Give value: or texts:."),
            )
            continue
        made.append(
            DatedParameter(
                code=one["code"],
                value=value,
                in_force_from=one["in_force_from"],
                source=one["source"],
                legal_basis=one["legal_basis"],
            )
        )
    return tuple(made)


def _consent(parsed: Parsed, report: Report) -> tuple[Ref, ConsentPlan]:
    return parsed["item"], ConsentPlan(
        code=parsed["code"],
        statement=parsed["statement"].as_dict(),
        of=tuple(str(e) for e in parsed["of"]),
        message=parsed["message"],
        days=parsed["days"],
        reminder_days=parsed["reminder_days"],
        shows=tuple(_shown(one, report) for one in parsed["shows"]),
    )


def _shown(parsed: Parsed, report: Report) -> ConsentFact:
    try:
        compile_expression(parsed["value"].text)
    except (FeelSyntaxError, FeelLimitReached) as error:
        report.add(
            parsed["value"].line,
            "shows",
            "consent.feel",
            both(f"这不是 FEEL 表达式：{error}", f"This is not FEEL: {error}"),
            both("请改正表达式。", "Correct the expression."),
        )
    return ConsentFact(
        label=parsed["label"].as_dict(),
        value=parsed["value"].text,
        words={word["code"]: word["label"].as_dict() for word in parsed["words"]},
    )


def _check_consents(pack: Pack) -> Iterable[Finding]:
    items: dict[str, Any] = pack.values("item")
    for file in pack.of("consent").values():
        item_code, consent = file.value
        report = Report(file.shown, pack.frame.languages)
        item = items.get(item_code)
        if item is None:
            report.add(
                item_code.line,
                "item",
                "consent.item_unknown",
                both(f"没有事项 {item_code}。", f"There is no item {item_code}."),
                both("请改正事项代码。", "Correct the item's code."),
            )
        elif missing := [e for e in consent.of if e not in item.inputs]:
            report.add(
                item_code.line,
                "of",
                "consent.element_unknown",
                both(f"事项没有申明 {missing[0]}。", f"The item does not declare {missing[0]}."),
                both("请在事项的 inputs 中列出它。", "List it among the item's inputs."),
            )
        yield from report.findings


def _jurisdiction(parsed: Parsed, report: Report) -> tuple[str, str]:
    try:
        compile_expression(parsed["place"].text)
    except (FeelSyntaxError, FeelLimitReached) as error:
        report.add(
            parsed["place"].line,
            "place",
            "jurisdiction.feel",
            both(f"这不是 FEEL 表达式：{error}", f"This is not FEEL: {error}"),
            both("请改正表达式。", "Correct the expression."),
        )
    return str(parsed["item"]), parsed["place"].text


register_kind(
    Kind(name="jurisdiction", folder="jurisdictions", parse=yaml_parse(_JURISDICTION, _jurisdiction), order=70)
)
register_kind(Kind(name="case_rules", folder="case_rules", parse=yaml_parse(_RULES, _rules), order=70))
register_kind(
    Kind(name="consent", folder="consents", parse=yaml_parse(_CONSENT, _consent), cross_check=_check_consents, order=70)
)
