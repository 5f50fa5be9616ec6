"""Words for the codes of information resources, with the tone of their tags."""

from __future__ import annotations

from collections.abc import Mapping

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from furong.domains.catalogue import wording
from furong.domains.catalogue.resources.values import NATIONAL_ITEMS, ClassKind
from furong.domains.catalogue.states import Act, OnlineState, PublishState
from furong.foundation.web.texts import text

Tagged = Mapping[str, tuple[Promise, str]]

CYCLES, ITEM_TYPES = wording.CYCLES, wording.ITEM_TYPES
FACET_NAMES: Mapping[str, Promise] = {
    "class_kind": _("Class"),
    "class_item": _("Subject"),
    "department": _("Provider"),
    "sharing": _("Sharing"),
    "openness": _("Openness"),
    "cycle": _("Updated"),
    "format_kind": _("Format"),
}
CLASSES: Mapping[str, Promise] = {
    "base": _("Base information"),
    "theme": _("Theme"),
    "department": _("Department"),
}
SHARING: Tagged = {
    "unconditional": (_("shared"), "ok"),
    "conditional": (_("shared on condition"), "late"),
    "none": (_("not shared"), "over"),
}
OPENNESS: Tagged = {
    "open": (_("open to the public"), "ok"),
    "conditional": (_("open on condition"), "late"),
    "closed": (_("not open"), "wait"),
}
METHODS: Mapping[str, Promise] = {
    "file": _("as a file"),
    "database": _("as database tables"),
    "interface": _("by an interface"),
    "mail": _("by post"),
    "media": _("on a medium"),
}
FORMATS: Mapping[str, Promise] = {
    "electronic_file": _("electronic file"),
    "spreadsheet": _("spreadsheet"),
    "database": _("database"),
    "image": _("image"),
    "streaming": _("stream"),
    "self_describing": _("self-describing"),
}
FROM: Mapping[str, Promise] = {
    "person": _("persons"),
    "enterprise": _("enterprises"),
    "institution": _("institutions"),
    "department": _("departments"),
    "device": _("devices"),
}
ALL_SUBJECTS = _("all subjects")
ONE_OF: Mapping[str, Promise] = {
    "person": _("One person"),
    "enterprise": _("One enterprise"),
    "institution": _("One institution"),
    "department": _("One department"),
    "device": _("One device"),
}
PUBLISHED: Tagged = {
    PublishState.UNPUBLISHED: (_("not published"), "wait"),
    PublishState.PUB_AUDITING: (_("publication under review"), "late"),
    PublishState.REJECTED: (_("sent back"), "over"),
    PublishState.PUBLISHED: (_("published"), "ok"),
    PublishState.CHANGE_AUDITING: (_("change under review"), "late"),
    PublishState.CHANGE_REJECTED: (_("change sent back"), "over"),
}
ONLINE: Tagged = {
    OnlineState.OFFLINE: (_("is offline"), "wait"),
    OnlineState.UP_AUDITING: (_("asked to go online"), "late"),
    OnlineState.ONLINE: (_("is online"), "ok"),
    OnlineState.DOWN_AUDITING: (_("asked to go offline"), "late"),
}
STATES: Mapping[str, Promise] = {
    "": _("all"),
    "waiting": _("waiting for review"),
    "draft": _("not yet published"),
    "offline": _("is offline"),
    "update": _("update due"),
}
DONE: Mapping[str, Promise] = {
    Act.IMPORT: _("taken in with the pack"),
    Act.DRAFT: _("draft saved"),
    Act.SUBMIT: _("submitted"),
    Act.CALL_BACK: _("called back"),
    Act.APPROVE: _("approved"),
    Act.REJECT: _("sent back"),
    Act.ASK_ONLINE: _("asked to go online"),
    Act.ASK_OFFLINE: _("asked to go offline"),
    Act.PUT_ONLINE: _("put online"),
    Act.TAKE_OFFLINE: _("taken offline"),
    Act.KEEP: _("kept as it was"),
    Act.REQUIRE_UPDATE: _("update required"),
    Act.EXTEND_UPDATE: _("update extended"),
}
DIFFERENCES: Mapping[str, Promise] = {
    "name": _("Name of it"),
    "summary": _("Summary"),
    "number": _("Resource code"),
    "provider": _("Provider"),
    "sharing": _("Sharing"),
    "condition": _("Condition"),
    "methods": _("Method"),
    "openness": _("Openness"),
    "cycle": _("Updated"),
    "format": _("Format"),
    "removed": _("Item removed"),
    "added": _("Item added"),
    "type": _("Data type"),
    "length": _("Length"),
    "elements": _("Data element"),
    "source": _("Authoritative source"),
}
KINDS: Mapping[str, Promise] = {
    "form": _("Form of a service"),
    "item": _("Service item"),
    "life_event": _("Life event"),
    "resource": _("Information resource"),
    "grant": _("Sharing grant"),
}


def subject_words(code: str, departments: Mapping[str, object]) -> str:
    """Give the name of a 项 (``theme.health``): the guide's, or the department's."""
    kind, _dot, item = code.partition(".")
    known = NATIONAL_ITEMS.get(ClassKind(kind), {}) if kind in set(ClassKind) else {}
    return text(known[item].name if item in known else departments.get(item, item))


# Catalogues that are harvested, and how a harvest went.
SOURCE_KINDS: Mapping[str, Promise] = {"dcat": _("DCAT feed"), "ckan": _("CKAN site")}
SOURCE_STATES: Tagged = {
    "new": (_("not harvested yet"), "wait"),
    "good": (_("up to date"), "ok"),
    "failed": (_("stopped"), "over"),
}
