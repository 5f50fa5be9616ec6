"""Words for requests and grants, with the tone of their tags."""

from __future__ import annotations

from collections.abc import Mapping

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from furong.domains.catalogue.grants.values import ChangeKind, GrantAct, GrantState, RequestState

Tagged = Mapping[str, tuple[Promise, str]]

REQUESTS: Tagged = {
    RequestState.SUBMITTED: (_("waits for the provider"), "late"),
    RequestState.TO_SUPPLEMENT: (_("waits for additions"), "late"),
    RequestState.WITH_AUTHORITY: (_("waits for the data authority"), "late"),
    RequestState.CONSENTED: (_("consented, to be signed"), "run"),
    RequestState.SUPPLIED: (_("supplied"), "ok"),
    RequestState.REFUSED: (_("refused"), "over"),
    RequestState.WITHDRAWN: (_("withdrawn"), "wait"),
}
GRANTS: Tagged = {
    GrantState.OFFERED: (_("to be signed"), "late"),
    GrantState.ACTIVE: (_("in force"), "ok"),
    GrantState.SUSPENDED: (_("suspended"), "late"),
    GrantState.EXPIRED: (_("expired"), "wait"),
    GrantState.REVOKED: (_("revoked"), "over"),
}
ACTS: Mapping[str, Promise] = {
    GrantAct.OFFER: _("offered for signature"),
    GrantAct.SIGN_PROVIDER: _("signed by the provider"),
    GrantAct.SIGN_GRANTEE: _("signed by the user"),
    GrantAct.DELEGATE: _("passed on"),
    GrantAct.SUSPEND: _("suspended"),
    GrantAct.SUSPEND_UNUSED: _("suspended, for nobody used it"),
    GrantAct.RESUME: _("resumed"),
    GrantAct.REVOKE: _("revoked"),
    GrantAct.EXPIRE: _("expired"),
}
CHANGES: Mapping[str, Promise] = {
    ChangeKind.OFFLINE: _("The resource is offline."),
    ChangeKind.GONE: _("This item is gone:"),
    ChangeKind.NOT_SHARED: _("This is not shared any more:"),
    ChangeKind.STRICTER: _("This is shared on stricter terms now:"),
    ChangeKind.METHOD: _("It does not pass in the way that was asked for any more."),
    ChangeKind.OTHER: _("There is a newer version; nothing that the request names has changed."),
}
BOXES: Mapping[str, Promise] = {
    "waiting": _("Waiting for me"),
    "mine": _("Our requests"),
    "all": _("All requests"),
}
