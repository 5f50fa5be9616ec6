"""Words for needs, demands and rulings, with the tone of their tags."""

from __future__ import annotations

from collections.abc import Mapping

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from furong.domains.catalogue.needs.values import (
    DemandAct,
    DemandState,
    Ground,
    Outcome,
    ReasonKind,
    ShareKind,
    Urgency,
)

Tagged = Mapping[str, tuple[Promise, str]]

URGENCY: Mapping[str, Promise] = {
    Urgency.EMERGENCY.value: _("an emergency is under way"),
    Urgency.URGENT.value: _("urgent: a service stands still without it"),
    Urgency.SOON.value: _("soon: a reform or a launch has its date"),
    Urgency.ORDINARY.value: _("ordinary"),
}
URGENCY_TAGS: Tagged = {
    Urgency.EMERGENCY: (_("emergency"), "over"),
    Urgency.URGENT: (_("urgent"), "late"),
    Urgency.SOON: (_("soon"), "run"),
    Urgency.ORDINARY: (_("ordinary"), "wait"),
}
STATES: Tagged = {
    DemandState.FILED: (_("waits for the owner"), "late"),
    DemandState.PROMISED: (_("promised"), "run"),
    DemandState.ORDERED: (_("supply ordered"), "late"),
    DemandState.SUPPLIED: (_("supplied by a resource"), "ok"),
    DemandState.REFUSED: (_("refused"), "over"),
    DemandState.UPHELD: (_("ruled: not shared"), "over"),
    DemandState.WITHDRAWN: (_("withdrawn"), "wait"),
}
DONE: Mapping[str, Promise] = {
    DemandAct.FILE: _("filed"),
    DemandAct.ASSIGN: _("the data authority named who answers"),
    DemandAct.SUPPLY: _("supplied by a resource"),
    DemandAct.PROMISE: _("promised"),
    DemandAct.REFUSE: _("refused"),
    DemandAct.WITHDRAW: _("withdrawn"),
    DemandAct.ASK_RULING: _("brought before the data authority"),
    DemandAct.ESCALATE: _("late: before the data authority by itself"),
    DemandAct.ORDER: _("ruled: to be supplied"),
    DemandAct.UPHOLD: _("ruled: not shared"),
}
REASONS: Mapping[str, Promise] = {
    ReasonKind.SOURCE: _("authoritative source of"),
    ReasonKind.ELEMENT: _("carries"),
    ReasonKind.NAME: _("in its name:"),
    ReasonKind.ITEM: _("in its item"),
    ReasonKind.KEYWORD: _("in its keyword"),
    ReasonKind.SUMMARY: _("in its summary:"),
}
BOXES: Mapping[str, Promise] = {
    "mine": _("Our needs"),
    "owner": _("Demands on us"),
    "authority": _("All open demands"),
}
KINDS: Mapping[str, Promise] = {
    ShareKind.REQUEST: _("request"),
    ShareKind.DEMAND: _("demand"),
}
GROUNDS: Tagged = {
    Ground.REFUSED: (_("refused, and disputed"), "over"),
    Ground.LATE: (_("past its time"), "late"),
}
OUTCOMES: Tagged = {
    Outcome.OPEN: (_("waits for the ruling"), "late"),
    Outcome.ORDER: (_("ruled: to be supplied"), "ok"),
    Outcome.UPHOLD: (_("ruled: not shared"), "over"),
    Outcome.SETTLED: (_("settled without a ruling"), "wait"),
}
