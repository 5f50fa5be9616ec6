"""What a case's documents say: the paragraphs of each letter, in the language of the pack.

The law's content of each paper: what is decided, why, on what ground, until when, and what can be done against it
(行政许可法 art. 32, 38, 42, 45; 行政复议法 art. 20; 行政诉讼法 art. 46).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any

from furong.domains.cases.values.documents import DocumentKind
from furong.domains.cases.values.procedures import PROCEDURE_NAMES, SpecialProcedure
from furong.domains.cases.values.wording import REASONS


def paragraphs(
    kind: DocumentKind, *, item: Mapping[str, str], submitted_on: date, data: Mapping[str, Any], language: str
) -> list[str]:
    """Return the paragraphs of a letter; a text that is missing in ``language`` is given in the other."""
    chinese = language.startswith("zh")
    name = pick(item, language)
    opening = (
        f"您于{say_date(submitted_on, language)}提出的“{name}”申请，"
        if chinese
        else f"On your application of {say_date(submitted_on, language)} for “{name}”: "
    )
    body = _ZH if chinese else _EN
    return [p for p in body[kind](opening, data) if p]


def facts(
    kind: DocumentKind, *, case_number: str, item: Mapping[str, str], data: Mapping[str, Any], language: str
) -> list[list[str]]:
    """Return the table under a letter: label and value."""
    chinese = language.startswith("zh")
    rows = [
        ("办件编号" if chinese else "Case number", case_number),
        ("事项" if chinese else "Item", pick(item, language)),
    ]
    for key, zh, en in (
        ("accepted_on", "受理日期", "Accepted on"),
        ("promised_due_on", "承诺办结日期", "Promised by"),
        ("statutory_due_on", "法定办结日期", "Due by law"),
        ("due_on", "期限", "Until"),
    ):
        if data.get(key):
            rows.append((zh if chinese else en, say_date(date.fromisoformat(data[key]), language)))
    return [[label, value] for label, value in rows]


def pick(text: Mapping[str, str], language: str) -> str:
    """Return a text in a language, else in whatever it has."""
    short = language.split("-")[0].split("_")[0]
    return str(text.get(short) or text.get("zh") or next(iter(text.values()), ""))


def say_date(on: date, language: str) -> str:
    """Write a date out."""
    return f"{on.year}年{on.month}月{on.day}日" if language.startswith("zh") else f"{on.day} {on:%B %Y}"


def _on(data: Mapping[str, Any], key: str, language: str) -> str:
    return say_date(date.fromisoformat(data[key]), language) if data.get(key) else ""


def _listed(texts: Sequence[Mapping[str, str]], language: str) -> list[str]:
    return [f"{n}. {pick(t, language)}" for n, t in enumerate(texts, 1)]


def listed_wanted(data: Mapping[str, Any], language: str) -> list[str]:
    """Return what a supplement notice asks for, a line each: what is missing, and what would satisfy it."""
    lines = []
    colon = "：" if language.startswith("zh") else ": "
    for w in data.get("wanted", ()):
        how = pick(w["how"], language) if w.get("how") else ""
        lines.append(f"{pick(w['what'], language)}{colon + how if how else ''}")
    return lines


def _wanted(data: Mapping[str, Any], language: str) -> list[str]:
    return [f"{n}. {line}" for n, line in enumerate(listed_wanted(data, language), 1)]


def _zh_acceptance(opening: str, data: Mapping[str, Any]) -> list[str]:
    deemed = "本机关未在法定期限内告知补正，依照《中华人民共和国行政许可法》第三十二条，自收到申请材料之日起即为受理。"
    promised, statutory = _on(data, "promised_due_on", "zh"), _on(data, "statutory_due_on", "zh")
    return [
        opening + (deemed if data.get("deemed") else "符合受理条件，本机关予以受理。"),
        f"本机关承诺于{promised}前作出决定。"
        + (f"法定期限至{statutory}止。" if statutory and statutory != promised else "")
        if promised
        else "",
        "依法需要听证、检验、检测、鉴定、专家评审等的，所需时间不计入上述期限，本机关将书面告知。",
    ]


def _zh_refusal(opening: str, data: Mapping[str, Any], verdict: str) -> list[str]:
    why = data.get("reason") or REASONS.get(str(data.get("why", "")), {}).get("zh", "")
    return [
        opening + verdict,
        f"理由：{why}。" if why and not str(why).endswith("。") else f"理由：{why}" if why else "",
        f"依据：{data['legal_basis']}" if data.get("legal_basis") else "",
        "如不服本决定：" if data.get("remedies") else "",
        *_listed(data.get("remedies", ()), "zh"),
    ]


def _zh_termination(opening: str, data: Mapping[str, Any]) -> list[str]:
    failed = data.get("failed_item")
    if failed:
        why = REASONS.get(str(data.get("failed_why", "")), {}).get("zh", "未办成")
        needed = f"须以“{pick(failed, 'zh')}”（办件编号 {data.get('failed_case', '')}）办成为前提。"
        verdict = f"{needed}该事项{why}，本事项依法终止办理。"
        return [opening + verdict, "您可以：", *_listed(data.get("remedies", ()), "zh")]
    return _zh_refusal(opening, data, "未能作出决定，本机关终止办理。")


_Write = Callable[[str, Mapping[str, Any]], list[str]]
_ZH: Mapping[DocumentKind, _Write] = {
    DocumentKind.ACCEPTANCE: _zh_acceptance,
    DocumentKind.NON_ACCEPTANCE: lambda o, d: _zh_refusal(o, d, "本机关决定不予受理。"),
    DocumentKind.SUPPLEMENT: lambda o, d: [
        o + "材料不齐全或者不符合法定形式。依照《中华人民共和国行政许可法》第三十二条，现一次告知需要补正的全部内容：",
        *_wanted(d, "zh"),
        f"说明：{d['reason']}" if d.get("reason") else "",
        f"请于{_on(d, 'due_on', 'zh')}前一次补齐。收到补正材料之日起重新计算受理期限；逾期未补正的，本机关不予受理。",
    ],
    DocumentKind.DECISION_APPROVED: lambda o, d: [
        o + "经审查，符合法定条件，本机关决定准予。",
        f"意见：{d['opinion']}" if d.get("opinion") else "",
        f"本机关将制发“{pick(d['result'], 'zh')}”，并送达您的电子证照夹。" if d.get("result") else "",
    ],
    DocumentKind.DECISION_REJECTED: lambda o, d: _zh_refusal(o, d, "经审查，本机关决定不予批准。"),
    DocumentKind.EXTENSION: lambda o, d: [
        o
        + f"本机关不能在规定期限内作出决定。依照《中华人民共和国行政许可法》第四十二条，经负责人批准，延长{d['days']}个工作日。",
        f"理由：{d['reason']}",
        f"延长后的期限至{_on(d, 'due_on', 'zh')}止。" if d.get("due_on") else "",
    ],
    DocumentKind.SPECIAL_PROCEDURE: lambda o, d: [
        o
        + f"依法需要{PROCEDURE_NAMES[SpecialProcedure(d['procedure'])]['zh']}。依照《中华人民共和国行政许可法》第四十五条，"
        "所需时间不计算在办理期限内。",
        f"依据：{d['legal_basis']}",
        f"说明：{d['reason']}" if d.get("reason") else "",
        f"预计于{_on(d, 'expected_until_on', 'zh')}结束。" if d.get("expected_until_on") else "",
    ],
    DocumentKind.TERMINATION: _zh_termination,
    DocumentKind.WITHDRAWAL: lambda o, d: [
        o + "您已申请撤回，本机关终止办理，已提交的材料按规定保存。",
        f"撤回事由：{d['reason']}" if d.get("reason") else "",
        "您可以重新提出申请。",
    ],
}


def _en_acceptance(opening: str, data: Mapping[str, Any]) -> list[str]:
    promised, statutory = _on(data, "promised_due_on", "en"), _on(data, "statutory_due_on", "en")
    return [
        opening
        + (
            "nothing was said within the legal days, so the application counts as accepted from the day it came in."
            if data.get("deemed")
            else "the conditions are met and the application is accepted."
        ),
        f"A decision is promised by {promised}." + (f" By law it is due by {statutory}." if statutory else "")
        if promised
        else "",
        "Time needed by law for a hearing, inspection, test, appraisal or expert review is not counted; you will be told.",
    ]


def _en_refusal(opening: str, data: Mapping[str, Any], verdict: str) -> list[str]:
    why = data.get("reason") or REASONS.get(str(data.get("why", "")), {}).get("en", "")
    return [
        opening + verdict,
        f"Reason: {why}" if why else "",
        f"Legal basis: {data['legal_basis']}" if data.get("legal_basis") else "",
        "If you disagree:" if data.get("remedies") else "",
        *_listed(data.get("remedies", ()), "en"),
    ]


def _en_termination(opening: str, data: Mapping[str, Any]) -> list[str]:
    failed = data.get("failed_item")
    if failed:
        why = REASONS.get(str(data.get("failed_why", "")), {}).get("en", "it was not granted")
        return [
            opening
            + f"it needs “{pick(failed, 'en')}” (case {data.get('failed_case', '')}) first, and {why}. This item has ended.",
            "You may:",
            *_listed(data.get("remedies", ()), "en"),
        ]
    return _en_refusal(opening, data, "no decision could be made, and the case has ended.")


_EN: Mapping[DocumentKind, _Write] = {
    DocumentKind.ACCEPTANCE: _en_acceptance,
    DocumentKind.NON_ACCEPTANCE: lambda o, d: _en_refusal(o, d, "the application is not accepted."),
    DocumentKind.SUPPLEMENT: lambda o, d: [
        o + "something is missing. This notice names all of it, once:",
        *_wanted(d, "en"),
        f"Note: {d['reason']}" if d.get("reason") else "",
        f"Please hand it in by {_on(d, 'due_on', 'en')}, all at once. The days for acceptance begin anew then; after that "
        "day the application is not accepted.",
    ],
    DocumentKind.DECISION_APPROVED: lambda o, d: [
        o + "the legal conditions are met and it is granted.",
        f"Note: {d['opinion']}" if d.get("opinion") else "",
        f"“{pick(d['result'], 'en')}” will be made and put into your folder." if d.get("result") else "",
    ],
    DocumentKind.DECISION_REJECTED: lambda o, d: _en_refusal(o, d, "after examination, it is refused."),
    DocumentKind.EXTENSION: lambda o, d: [
        o + f"no decision can be made in time. With approval, the limit is extended by {d['days']} working days.",
        f"Reason: {d['reason']}",
        f"The limit is now {_on(d, 'due_on', 'en')}." if d.get("due_on") else "",
    ],
    DocumentKind.SPECIAL_PROCEDURE: lambda o, d: [
        o
        + f"the law requires a {PROCEDURE_NAMES[SpecialProcedure(d['procedure'])]['en']}, and its time is not counted.",
        f"Legal basis: {d['legal_basis']}",
        f"Note: {d['reason']}" if d.get("reason") else "",
        f"It is expected to end by {_on(d, 'expected_until_on', 'en')}." if d.get("expected_until_on") else "",
    ],
    DocumentKind.TERMINATION: _en_termination,
    DocumentKind.WITHDRAWAL: lambda o, d: [
        o + "you have withdrawn it, and the case has ended. What you handed in is kept as the rules require.",
        f"Reason: {d['reason']}" if d.get("reason") else "",
        "You may apply again.",
    ],
}
