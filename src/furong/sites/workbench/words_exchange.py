"""The exchange's states, warnings and causes in words."""

from __future__ import annotations

from collections.abc import Mapping

from django.utils.functional import Promise
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from furong.domains.exchange.nodes.values import AskState
from furong.domains.exchange.values import Cause

# Each with the tone of its tag.
GATEWAYS: Mapping[str, tuple[Promise, str]] = {
    "requested": (_("Waits for approval"), "late"),
    "live": (_("Live"), "ok"),
    "revoked": (_("Shut out"), "over"),
    "refused": (_("Turned down"), "wait"),
}
MEMBERS: Mapping[str, tuple[Promise, str]] = {
    "active": (_("Takes part"), "ok"),
    "suspended": (_("Suspended"), "over"),
}
WARNINGS: Mapping[str, tuple[Promise, str]] = {
    "log_shrank": (
        _("Its log is shorter than it was: records were taken away. Secure the machine and call the member."),
        "over",
    ),
    "log_differs": (_("Its log is not what it signed before. Secure the machine and call the member."), "over"),
    "log_unsigned": (_("The head of its log is not signed by its key."), "over"),
    "unreached": (
        _("It could not be told of the last restriction and goes on with what it holds, for a day at most."),
        "over",
    ),
    "never_seen": (_("It has not been heard of since it was approved. Does furong-gateway run?"), "late"),
    "silent": (_("It has been silent for more than half a minute."), "over"),
    "evidence": (_("It cannot write its log and serves nothing."), "over"),
    "configuration_old": (_("Its configuration is over an hour old."), "late"),
    "configuration_ending": (_("Its configuration is near its end; then it stops."), "over"),
    "configuration_expired": (_("Its configuration has expired: it refuses everything."), "over"),
    "certificate": (_("Its certificate ends within thirty days."), "late"),
    "key": (_("Its key ends within sixty days."), "late"),
    "key_renewed": (
        _("Its key was renewed by itself. If the member knows nothing of it, shut the gateway out."),
        "late",
    ),
    "quota": (_("A grant has used nine tenths of its readings for today."), "late"),
}
LEVELS: Mapping[str, Promise] = {
    "nation": _("Nation"),
    "province": _("Province"),
    "city": _("City"),
    "county": _("County"),
    "town": _("Town"),
}
NODES: Mapping[str, tuple[Promise, str]] = {
    "invited": (_("Has not joined yet"), "wait"),
    "requested": (_("Waits for approval"), "late"),
    "live": (_("In exchange"), "ok"),
    "rekeying": (_("Waits for a new key"), "late"),
    "revoked": (_("Shut out"), "over"),
}
NODE_WARNINGS: Mapping[str, tuple[Promise, str]] = {
    "node_rekeying": (_("Its key was taken away; it has not named a new one, or nobody compared it."), "late"),
    "node_missing": (_("Nothing has come from it yet."), "late"),
    "node_late": (_("Its document is late: more than five minutes old, and due every two."), "late"),
    "node_old": (_("Its document is over an hour old; changes there do not arrive here."), "over"),
    "node_ending": (_("Its document is near its end; then what it gave is out of force."), "over"),
    "node_expired": (_("Its document is over: what it gave is out of force."), "over"),
    "node_unreached": (_("It could not be told of the last change."), "over"),
    "node_certificate": (_("A certificate of its gateways ends within thirty days."), "late"),
}
STALENESS: Mapping[str, tuple[Promise, str]] = {
    "missing": (_("nothing came yet"), "wait"),
    "fresh": (_("up to date"), "ok"),
    "late": (_("a little late"), "late"),
    "old": (_("an hour old"), "late"),
    "ending": (_("near its end"), "over"),
    "expired": (_("over: what it gave is out of force"), "over"),
}
ASKS: Mapping[AskState, tuple[Promise, str]] = {
    AskState.PROPOSED: (_("Waits for the operator"), "late"),
    AskState.DECLINED: (_("Not carried"), "over"),
    AskState.NEW: (_("To be carried"), "wait"),
    AskState.OPEN: (_("Under way"), "late"),
    AskState.GRANTED: (_("Granted"), "ok"),
    AskState.REFUSED: (_("Refused"), "over"),
}
NOTES: Mapping[str, Promise] = {
    "organization_unknown": _("The other node does not know the organisation."),
    "withdrawn": _("It was withdrawn."),
}
CAUSES: Mapping[Cause, tuple[Promise, Promise, str]] = {
    Cause.CALLER: (_("Whoever asked"), _("wrong signature, no grant, too often"), "late"),
    Cause.GATEWAY: (_("The gateway"), _("its log, its configuration, its load"), "over"),
    Cause.PROVIDER: (_("The provider"), _("its system is away, slow or answers wrongly"), "over"),
}
OUTCOMES: Mapping[str, Promise] = {
    "clock_skewed": _("The clocks are more than a minute apart"),
    "configuration_expired": _("The configuration has expired"),
    "digest_mismatch": _("The content is not what its digest says"),
    "evidence_unwritable": _("The log cannot be written"),
    "grant_not_valid": _("The grant is not in force"),
    "grant_of_another": _("The grant is another member's"),
    "grant_unknown": _("There is no such grant"),
    "key_not_valid": _("The key is not valid, or was revoked"),
    "key_unknown": _("Nobody has this key"),
    "member_suspended": _("The member is suspended"),
    "path_not_granted": _("The address is outside the grant"),
    "peer_reply_unverified": _("The other gateway's answer cannot be trusted"),
    "peer_timeout": _("The other gateway did not answer in time"),
    "peer_unreachable": _("The other gateway cannot be reached"),
    "provider_refused": _("The provider's system refused or failed"),
    "provider_timeout": _("The provider's system did not answer in time"),
    "provider_unreachable": _("The provider's system cannot be reached"),
    "quota_exhausted": _("The readings for today are used up"),
    "replayed": _("A message came a second time"),
    "service_unknown": _("The gateway has no such service"),
    "signature_invalid": _("The signature does not fit"),
}


def said(words: Mapping[str, str]) -> str:
    """Give a text of a node's document in the reader's language, Chinese where there is no English."""
    language = (get_language() or "zh").partition("-")[0]
    return str(words.get(language) or words.get("zh") or "")
