"""The room's kind of pack content: ``name_rules/CODE.yaml``, the words, trades and forms of names, and the register's clocks."""

from __future__ import annotations

from furong.foundation.packs.values import (
    CODE,
    Int,
    Kind,
    ListOf,
    MapOf,
    Parsed,
    Report,
    Str,
    Table,
    Texts,
    both,
    optional,
    record,
    register_kind,
    required,
    yaml_parse,
)

from .names import Industry, NameRules, WordRule
from .values import KINDS, EntityKind

NAME_RULES = "name_rules"

_WORD = Str(max_length=30)
_RULE = MapOf(
    {
        "code": required(CODE),
        "words": required(ListOf(_WORD, minimum=1, unique="")),
        "reason": required(Texts(max_length=200)),
        "clause": required(Texts(max_length=200)),
    },
    build=record(WordRule),
)
_INDUSTRY = MapOf(
    {
        "code": required(Str(pattern=r"[A-T][0-9]{0,4}")),  # GB/T 4754: a letter, two digits or more
        "name": required(Texts(max_length=100)),
        "words": required(ListOf(_WORD, minimum=1, unique="")),
    },
    build=record(Industry),
)
_SHAPE = MapOf(
    {
        "code": required(CODE),
        "forbidden": required(ListOf(_RULE, unique="code")),
        "industries": required(ListOf(_INDUSTRY, minimum=1, unique="code")),
        "forms": required(Table(ListOf(_WORD, minimum=1, unique=""), pattern="|".join(EntityKind))),
        "reserve_months": optional(Int(1, 24), default=2),
        "quarantine_months": optional(Int(0, 60), default=12),
        "subject_prefix": optional(Str(pattern=r"[0-9A-HJ-NP-RTUWXY]{4}"), default="MA4A"),
        "notice_days": optional(Int(1, 90), default=20),
        "apply_days": optional(Int(1, 90), default=20),
        "dormant_years": optional(Int(1, 10), default=3),
    }
)


def _build(parsed: Parsed, report: Report) -> NameRules:
    told: dict[str, str] = {}
    for industry in parsed["industries"]:
        for word in industry.words:
            if told.setdefault(word, industry.code) != industry.code:
                report.add(
                    industry.line,
                    f"industries.{industry.code}",
                    "name_rules.word_twice",
                    both(f"“{word}”属于两个行业。", f"“{word}” tells two trades."),
                    both("请只保留一处。", "Keep it in one."),
                )
    for kind in parsed["forms"]:
        if not KINDS[EntityKind(kind)].is_market:
            report.add(
                parsed.line_of("forms"),
                f"forms.{kind}",
                "name_rules.form_kind",
                both("只有市场主体的名称适用本规则。", "Only names of market entities follow these rules."),
                both("请删除它。", "Remove it."),
            )
    return NameRules(
        forbidden=tuple(parsed["forbidden"]),
        industries=tuple(parsed["industries"]),
        forms={EntityKind(kind): tuple(words) for kind, words in parsed["forms"].items()},
        reserve_months=parsed["reserve_months"],
        quarantine_months=parsed["quarantine_months"],
        subject_prefix=parsed["subject_prefix"],
        notice_days=parsed["notice_days"],
        apply_days=parsed["apply_days"],
        dormant_years=parsed["dormant_years"],
    )


def register() -> None:
    """Make the kind known to the checker and the importer."""
    register_kind(Kind(name=NAME_RULES, folder="name_rules", parse=yaml_parse(_SHAPE, _build), order=55))
