"""The register of templates, and those of the steps that every application takes (行政许可法 第三十二条 and following)."""

from __future__ import annotations

from collections.abc import Mapping

from furong.foundation.notices.errors import TemplateUnknownError
from furong.foundation.notices.values import LANGUAGES, Template

TEMPLATES: dict[str, Template] = {}


def register_template(
    code: str, *, title: Mapping[str, str], body: Mapping[str, str], sms: Mapping[str, str] | None = None
) -> None:
    """Register the texts of ``code`` (``room.what_happened``), each in Chinese and English; later ones replace earlier.

    Raises `TemplateUnknownError` when a language is missing.
    """
    for text in (title, body, *([sms] if sms is not None else [])):
        if missing := [language for language in LANGUAGES if not text.get(language)]:
            raise TemplateUnknownError(f"The template {code!r} lacks a text in {', '.join(missing)}.")
    TEMPLATES[code] = Template(code=code, title=dict(title), body=dict(body), sms=dict(sms) if sms else None)


def get_template(code: str) -> Template:
    """Give the template ``code``. Raises `TemplateUnknownError`."""
    try:
        return TEMPLATES[code]
    except KeyError:
        raise TemplateUnknownError(f"No template is called {code!r}.") from None


# code: (zh title, en title, zh body, en body, whether a short text goes out too)
_STEPS: dict[str, tuple[str, str, str, str, bool]] = {
    "cases.submitted": (
        "申请已提交",
        "Your application was received",
        "您的申请“{title}”已提交，编号 {number}。我们会在每一步告知您。",
        "Your application “{title}” was received under the number {number}. You will hear from us at every step.",
        True,
    ),
    "cases.accepted": (
        "{item}：已受理",
        "{item}: accepted",
        "您的“{item}”（{number}）已受理[[，承诺于 {due_on} 前办结]]。",
        "Your “{item}” ({number}) was accepted[[ and is promised by {due_on}]].",
        False,
    ),
    "cases.not_accepted": (
        "{item}：不予受理",
        "{item}: not accepted",
        "您的“{item}”（{number}）不予受理。理由和救济途径见通知书。",
        "Your “{item}” ({number}) was not accepted. The notice states the reason and your remedies.",
        True,
    ),
    "cases.to_supplement": (
        "{item}：请补正材料",
        "{item}: something is missing",
        "您的“{item}”（{number}）需要补正材料。补正通知书列明了全部内容，请登录办理。",
        "Your “{item}” ({number}) needs more. The notice lists everything that is missing; sign in to add it.",
        True,
    ),
    "cases.supplemented": (
        "{item}：补正已收到",
        "{item}: what was missing has arrived",
        "您为“{item}”（{number}）补正的材料已收到。",
        "What you added to “{item}” ({number}) has arrived.",
        False,
    ),
    "cases.paused": (
        "{item}：办理中止",
        "{item}: paused",
        "您的“{item}”（{number}）进入法定特别程序，所需时间不计入办理期限。",
        "Your “{item}” ({number}) is in a special procedure prescribed by law; its time does not count.",
        False,
    ),
    "cases.resumed": (
        "{item}：恢复办理",
        "{item}: going on",
        "您的“{item}”（{number}）已恢复办理[[，预计 {due_on} 前办结]]。",
        "Your “{item}” ({number}) goes on[[ and is expected by {due_on}]].",
        False,
    ),
    "cases.extended": (
        "{item}：延长办理期限",
        "{item}: more time is needed",
        "您的“{item}”（{number}）经批准延长办理期限[[至 {due_on}]]，理由见通知书。",
        "The time for your “{item}” ({number}) was extended[[ to {due_on}]]. The notice states the reason.",
        True,
    ),
    "cases.approved": (
        "{item}：已批准",
        "{item}: approved",
        "您的“{item}”（{number}）已批准，正在制发结果。",
        "Your “{item}” ({number}) was approved; the result is being issued.",
        False,
    ),
    "cases.rejected": (
        "{item}：不予批准",
        "{item}: rejected",
        "您的“{item}”（{number}）不予批准。理由以及申请复议、提起诉讼的途径见决定书。",
        "Your “{item}” ({number}) was rejected. The decision states the reason and how to have it reviewed.",
        True,
    ),
    "cases.completed": (
        "{item}：已办结",
        "{item}: done",
        "您的“{item}”（{number}）已办结，证照和文书在“我的证照”中。欢迎评价。",
        "Your “{item}” ({number}) is done; certificates are in your folder. Please rate how you were served.",
        True,
    ),
    "cases.ended": (
        "{item}：办理终止",
        "{item}: ended",
        "您的“{item}”（{number}）已终止办理，说明见办理进度。",
        "Your “{item}” ({number}) has ended; its progress page says why.",
        True,
    ),
    "cases.withdrawn": (
        "{item}：已撤回",
        "{item}: withdrawn",
        "您的“{item}”（{number}）已按您的要求撤回。",
        "Your “{item}” ({number}) was withdrawn as you asked.",
        False,
    ),
    "cases.prerequisite_failed": (
        "{item}：前置事项未办成",
        "{item}: what it depends on was not granted",
        "您的“{item}”（{number}）所依赖的事项未办成，暂不能办理。其他事项不受影响。",
        "What your “{item}” ({number}) depends on was not granted, so it cannot go on. Other items are not affected.",
        True,
    ),
    "cases.rating_fixed": (
        "{item}：评价已整改",
        "{item}: your rating was answered",
        "您对“{item}”（{number}）的评价已整改并答复。",
        "What you criticised about “{item}” ({number}) was mended and answered.",
        False,
    ),
    "cases.review_upheld": (
        "{item}：复核维持原决定",
        "{item}: the decision stands",
        "您对“{item}”（{number}）申请的复核已完成，维持原决定。您仍可依法申请行政复议或提起诉讼。",
        "The decision on “{item}” ({number}) was reviewed and stands. You may still have it reviewed by law or go to court.",
        True,
    ),
    "cases.review_reopened": (
        "{item}：复核后重新办理",
        "{item}: opened again",
        "您对“{item}”（{number}）申请的复核已完成，案件重新办理。",
        "The decision on “{item}” ({number}) was reviewed, and the case is open again.",
        True,
    ),
    "cases.document": (
        "{item}：收到文书",
        "{item}: a document for you",
        "关于“{item}”的《{title}》（{number}）已送达，请登录查看。",
        "“{title}” ({number}) about “{item}” was served on you. Sign in to read it.",
        True,
    ),
    "cases.consent_requested": (
        "{item}：需要您的同意",
        "{item}: your consent is needed",
        "有人为办理“{item}”请求您的同意，请于 {due_on} 前登录答复。您可以拒绝。",
        "Your consent to “{item}” is asked for. Please sign in and answer by {due_on}. You may refuse.",
        True,
    ),
    "cases.consent_reminder": (
        "{item}：提醒您答复",
        "{item}: please answer",
        "“{item}”仍在等待您的同意或拒绝，请于 {due_on} 前登录答复。",
        "“{item}” still waits for your consent or refusal. Please sign in and answer by {due_on}.",
        True,
    ),
    "cases.consent_given": (
        "{item}：对方已同意",
        "{item}: consent was given",
        "办理“{item}”（{number}）所需的同意已取得。",
        "The consent that “{item}” ({number}) needed was given.",
        False,
    ),
    "cases.consent_refused": (
        "{item}：对方不同意",
        "{item}: consent was refused",
        "办理“{item}”（{number}）所需的同意被拒绝。其他事项不受影响。",
        "The consent that “{item}” ({number}) needed was refused. Other items are not affected.",
        True,
    ),
    "cases.consent_expired": (
        "{item}：对方未在期限内答复",
        "{item}: no answer in time",
        "办理“{item}”（{number}）所需的同意未在期限内取得。",
        "The consent that “{item}” ({number}) needed was not given in time.",
        True,
    ),
    # To staff.
    "cases.escalated": (
        "{item}：无人办理，已上报督办",
        "{item}: nobody has acted, escalated",
        "办件 {number}“{item}”的一个环节逾期无人办理，已上报督办。请尽快办理。",
        "A step of case {number}, “{item}”, has waited too long and was escalated to supervision. Please act.",
        False,
    ),
    "cases.nearly_due": (
        "{item}：即将到期",
        "{item}: nearly due",
        "办件 {number}“{item}”即将到期[[，承诺于 {due_on} 前办结]]。",
        "Case {number}, “{item}”, is nearly due[[: promised by {due_on}]].",
        False,
    ),
    "cases.late": (
        "{item}：已超过承诺时限",
        "{item}: past the promise",
        "办件 {number}“{item}”已超过承诺时限[[（{due_on}）]]。",
        "Case {number}, “{item}”, is past what was promised[[ ({due_on})]].",
        False,
    ),
}

for _code, (_zh, _en, _zh_body, _en_body, _sms) in _STEPS.items():
    register_template(
        _code,
        title={"zh": _zh, "en": _en},
        body={"zh": _zh_body, "en": _en_body},
        sms={"zh": _zh_body, "en": _en_body} if _sms else None,
    )
