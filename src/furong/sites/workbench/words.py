"""Words for the codes of items, forms, data elements and diagrams, as the content pages show them."""

from __future__ import annotations

from collections.abc import Mapping

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from furong.domains.decisions.values import HitPolicy
from furong.domains.services.wording import IMPLEMENTATION_WORDS

WORDS: Mapping[str, Promise] = {
    **IMPLEMENTATION_WORDS,
    "pack": _("from the pack"),
    "workbench": _("from the workbench"),
}
SOURCES: Mapping[str, Promise] = {
    "register": _("Register"),
    "item": _("Output of an item"),
    "declared": _("Declared by the person"),
    "platform": _("The platform itself"),
}
SENSITIVITY: Mapping[str, tuple[Promise, str]] = {
    "public": (_("public"), "ok"),
    "internal": (_("internal"), "wait"),
    "personal": (_("personal"), "run"),
    "sensitive": (_("sensitive"), "over"),
}
TYPES: Mapping[str, Promise] = {
    "text": _("text"),
    "long_text": _("long text"),
    "han_name": _("name in characters"),
    "identity_number": _("identity number"),
    "credit_code": _("credit code"),
    "date": _("date"),
    "integer": _("whole number"),
    "decimal": _("decimal number"),
    "money": _("amount of money"),
    "yes_no": _("yes or no"),
    "choice": _("one choice"),
    "choices": _("several choices"),
    "phone": _("telephone number"),
    "email": _("e-mail address"),
    "bank_account": _("bank account"),
    "division": _("division"),
    "address": _("address"),
    "upload": _("file"),
}
POLICIES: Mapping[HitPolicy, Promise] = {
    HitPolicy.UNIQUE: _("exactly one rule fits"),
    HitPolicy.ANY: _("all rules that fit agree"),
    HitPolicy.PRIORITY: _("the result of the highest priority counts"),
    HitPolicy.FIRST: _("the first rule that fits counts"),
    HitPolicy.RULE_ORDER: _("all rules that fit, in their order"),
    HitPolicy.OUTPUT_ORDER: _("all rules that fit, by priority"),
    HitPolicy.COLLECT: _("all rules that fit"),
    HitPolicy.COLLECT_SUM: _("the sum of the rules that fit"),
    HitPolicy.COLLECT_MIN: _("the least of the rules that fit"),
    HitPolicy.COLLECT_MAX: _("the greatest of the rules that fit"),
    HitPolicy.COLLECT_COUNT: _("the number of rules that fit"),
}
# What kinds of element mean to somebody who reads a diagram; the rest (gateways, events) is in the drawing.
STEPS: Mapping[str, Promise] = {
    "userTask": _("by a person"),
    "serviceTask": _("by the platform"),
    "sendTask": _("message sent"),
    "receiveTask": _("message awaited"),
    "businessRuleTask": _("by rules"),
    "manualTask": _("outside the platform"),
    "task": _("step"),
}
