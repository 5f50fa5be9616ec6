"""The timeline in plain words: what each event code says to the person who applied, in both languages."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from furong.domains.cases.values.documents import TITLES, DocumentKind
from furong.domains.cases.values.procedures import PROCEDURE_NAMES, SpecialProcedure

Text = Mapping[str, str]

REASONS: Mapping[str, Text] = {
    "rejected": {"zh": "不予批准", "en": "it was refused"},
    "not_accepted": {"zh": "不予受理", "en": "it was not accepted"},
    "supplement_lapsed": {"zh": "未在期限内补正材料", "en": "what was missing did not come in time"},
    "consent_refused": {"zh": "被征求意见的人未同意", "en": "the person asked did not consent"},
    "consent_lapsed": {"zh": "被征求意见的人未在期限内答复", "en": "the person asked did not answer in time"},
    "prerequisite_failed": {"zh": "前置事项未办成", "en": "what it needs was not granted"},
    "withdrawn": {"zh": "申请人撤回", "en": "the applicant withdrew it"},
    "process_failed": {"zh": "办理未能完成", "en": "it could not be carried out"},
    "not_carried_out": {"zh": "准予后核实无法办理", "en": "it was granted, and then found that it cannot be done"},
}

# The applicant reads these; a code that is not here is for the record only.
PUBLIC: Mapping[str, Text] = {
    "application.submitted": {
        "zh": "您提交了申请。系统从 {sources} 个来源取得 {filled} 项信息，您填写了 {typed} 项。",
        "en": "You applied. {filled} facts came from {sources} sources; you entered {typed}.",
    },
    "application.withdrawn": {
        "zh": "您撤回了尚未决定的 {cases} 个事项。",
        "en": "You withdrew the {cases} items not yet decided.",
    },
    "application.finished": {"zh": "全部事项已有结果。", "en": "All items have a result."},
    "case.receive": {
        "zh": "已收到，部门将在 {due_on} 前告知是否受理。",
        "en": "Received; you will be told by {due_on} whether it is accepted.",
    },
    "case.accept": {"zh": "已受理，承诺 {due_on} 前办结。", "en": "Accepted, with a decision promised by {due_on}."},
    "case.deem_accepted": {
        "zh": "部门未在法定期限内告知，依法视为已受理，{due_on} 前办结。",
        "en": "Nothing was said within the legal days, so it counts as accepted; a decision is due by {due_on}.",
    },
    "case.refuse_acceptance": {
        "zh": "未予受理：{reason}。理由和救济途径见决定书。",
        "en": "Not accepted: {reason}. See the decision for the reason and remedies.",
    },
    "case.request_supplement": {
        "zh": "需要您补充材料，请在 {due_on} 前一次补齐。",
        "en": "Something is missing. Please hand it in by {due_on}; you will be asked only once.",
    },
    "case.submit_supplement": {"zh": "您补交了材料。", "en": "You handed in what was missing."},
    "case.lapse_supplement": {
        "zh": "补正期限已过，本事项终止。",
        "en": "The days for the supplement have passed, and this item has ended.",
    },
    "case.begin": {"zh": "正在办理。", "en": "Being handled."},
    "case.pause": {
        "zh": "进入“{procedure}”程序，所需时间依法不计入办理期限。",
        "en": "A {procedure} has begun; by law its time is not counted.",
    },
    "case.resume": {
        "zh": "“{procedure}”程序结束，继续办理，{due_on} 前办结。",
        "en": "The {procedure} has ended; a decision is due by {due_on}.",
    },
    "case.extend": {
        "zh": "经负责人批准延长 {days} 个工作日，{due_on} 前办结，理由见通知书。",
        "en": "Extended by {days} working days with approval, to {due_on}; the notice says why.",
    },
    "case.handed_on": {
        "zh": "登记库的记录到了，本事项改由“{organization}”办理，期限不变。",
        "en": "The register’s record has come in: this item goes to {organization}, with the same days.",
    },
    "case.approve": {"zh": "准予，正在制发结果。", "en": "Granted; the result is being made."},
    "case.reject": {
        "zh": "不予批准。理由和救济途径见决定书。",
        "en": "Refused. See the decision for the reason and remedies.",
    },
    "case.complete": {"zh": "办结：{result}。", "en": "Done: {result}."},
    "case.withdraw": {"zh": "您撤回了本事项。", "en": "You withdrew this item."},
    "case.fail_prerequisite": {
        "zh": "本事项需要先办成“{item}”，因{why}，本事项终止；办成后可单独重新申请。",
        "en": "This item needs “{item}” first, and {why}; it has ended and can be applied for again afterwards.",
    },
    "case.end_abnormally": {"zh": "本事项终止：{reason}。", "en": "This item has ended: {reason}."},
    "case.reopen": {"zh": "复核后重新办理。", "en": "Taken up again after review."},
    "case.wait_again": {
        "zh": "前置事项重新办理，本事项恢复等待。",
        "en": "What it needs was taken up again, so this item waits again.",
    },
    "case.rated": {"zh": "您评价了本事项。", "en": "You rated this item."},
    "consent.requested": {
        "zh": "已请相关人员在 {due_on} 前确认。",
        "en": "The other person was asked to confirm by {due_on}.",
    },
    "consent.reminded": {"zh": "已再次提醒相关人员确认。", "en": "The other person was reminded."},
    "consent.given": {"zh": "相关人员已确认同意。", "en": "The other person has consented."},
    "consent.refused": {"zh": "相关人员未同意。", "en": "The other person has refused."},
    "consent.lapsed": {"zh": "相关人员未在期限内答复。", "en": "The other person did not answer in time."},
    "payment.requested": {
        "zh": "请于 {due_on} 前缴费，缴费通知 {number}。",
        "en": "Please pay by {due_on}; the fee notice is {number}.",
    },
    "payment.paid": {"zh": "已收到缴费（{number}）。", "en": "The payment came in ({number})."},
    "payment.expired": {
        "zh": "缴费通知 {number} 已到期，没有收取费用。",
        "en": "The fee notice {number} ended; nothing was charged.",
    },
    "payment.cancelled": {"zh": "缴费通知 {number} 已取消。", "en": "The fee notice {number} was cancelled."},
    "document.issued": {
        "zh": "{kind} {number} 已制发，可在“文书”中查看。",
        "en": "{kind} {number} was issued; see your documents.",
    },
    "review.requested": {
        "zh": "您申请了复核，部门将在 {due_on} 前答复。",
        "en": "You asked for a review; the answer is due by {due_on}.",
    },
    "review.upheld": {"zh": "复核维持原决定。", "en": "The review upheld the decision."},
    "review.reopened": {"zh": "复核认为应重新办理。", "en": "The review found that it should be taken up again."},
    "rating.contacted": {"zh": "部门已就您的评价回访。", "en": "You were called back about your rating."},
    "rating.fixed": {"zh": "部门已整改，您可以再评价一次。", "en": "It was put right; you can rate once more."},
}
# Staff read these too.
INTERNAL: Mapping[str, Text] = {
    "case.extension_requested": {
        "zh": "申请延长 {days} 个工作日，待负责人批准。",
        "en": "Extension by {days} working days asked for.",
    },
    "case.extension_refused": {"zh": "延长申请未获批准。", "en": "The extension was not approved."},
    "application.completed": {
        "zh": "登记库恢复应答，{elements} 项信息已补全。",
        "en": "The register answers again, and {elements} facts were filled in.",
    },
    "case.step": {"zh": "完成环节“{step}”。", "en": "Step “{step}” done."},
    "case.output": {"zh": "办理结果已传递给后续事项。", "en": "The result was passed on to the items that need it."},
    "case.dependents_wait_again": {"zh": "依赖本事项的事项恢复等待。", "en": "Items that need this one wait again."},
    "case.turned_late": {"zh": "亮灯：{light}。", "en": "Light: {light}."},
    "rating.call_back": {
        "zh": "差评，应在一个工作日内回访。",
        "en": "A bad rating, to be called back within a working day.",
    },
}

_LIGHTS: Mapping[str, Text] = {
    "yellow": {"zh": "黄灯（即将到期）", "en": "yellow (nearly due)"},
    "red": {"zh": "红灯（超过承诺时限）", "en": "red (past the promised limit)"},
    "overdue": {"zh": "超过法定时限", "en": "past the statutory limit"},
}


def is_public(code: str) -> bool:
    """Tell whether the applicant sees the event in their timeline."""
    return code in PUBLIC


def say(code: str, params: Mapping[str, Any]) -> Text:
    """Put an event into words; an unknown code is said as itself, a missing parameter as nothing."""
    template = PUBLIC.get(code) or INTERNAL.get(code)
    if template is None:
        return {"zh": code, "en": code}
    return {
        language: words.format_map(_Spoken({k: _word(k, v, language) for k, v in params.items()}))
        for language, words in template.items()
    }


class _Spoken(dict[str, str]):
    def __missing__(self, key: str) -> str:
        return ""


def _word(name: str, value: Any, language: str) -> str:
    if isinstance(value, Mapping):
        return str(value.get(language) or value.get("zh") or next(iter(value.values()), ""))
    text = str(value)
    if name.endswith("_on") and text:
        on = date.fromisoformat(text)
        return f"{on.month} 月 {on.day} 日" if language == "zh" else f"{on.day} {on:%B}"
    tables: Mapping[str, Mapping[str, Text]] = {
        "why": REASONS,
        "reason": REASONS,
        "light": _LIGHTS,
        "kind": {k.value: TITLES[k] for k in DocumentKind},
        "procedure": {p.value: PROCEDURE_NAMES[p] for p in SpecialProcedure},
    }
    found = tables.get(name, {}).get(text)
    return found[language] if found else text
