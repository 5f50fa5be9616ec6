"""Words for what imports of pages note, with what can be done about it."""

from __future__ import annotations

from collections.abc import Mapping

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from furong.domains.search.store.values import ImportView, Kind, Reason

REASONS: Mapping[str, tuple[Promise, Promise]] = {
    Reason.TOO_LARGE: (_("larger than is read"), _("Split it, or leave it out.")),
    Reason.EMPTY: (_("an empty file"), _("Fetch it again.")),
    Reason.NO_TEXT: (_("has no text"), _("A scan has to be recognised first.")),
    Reason.SCRIPT: (_("is a script, not a page; nothing of it was run"), _("Leave it out.")),
    Reason.KIND_UNKNOWN: (_("of a kind that is not read"), _("HTML, PDF, .docx, .xlsx, .pptx and text are read.")),
    Reason.OLD_OFFICE: (_("an old office file"), _("Save it as .docx, .xlsx or .pptx, or as PDF.")),
    Reason.PICTURE: (_("a picture"), _("A scan has to be recognised first.")),
    Reason.ENCRYPTED: (_("encrypted"), _("Save it without a password.")),
    Reason.DAMAGED: (_("damaged, or not what its name says"), _("Fetch it again.")),
    Reason.BOMB: (_("unpacks to more than it can honestly hold"), _("Look where it comes from.")),
    Reason.TOO_SLOW: (_("took longer than is allowed"), _("Split it, or allow more seconds.")),
    Reason.TOO_MUCH_MEMORY: (_("needed more memory than is allowed"), _("Split it.")),
    Reason.CHARSET: (_("written in no character set that could be told"), _("Save it as UTF-8.")),
    Reason.PATH_OUTSIDE: (_("its path leads out of the archive"), _("Look where the archive comes from.")),
    Reason.LINK: (_("a link or a device, not a file"), _("Pack the file itself.")),
    Reason.NO_ADDRESS: (_("has no address"), _("Give a manifest, or the site’s base address.")),
    Reason.ADDRESS_TWICE: (_("another file has the same address; the first counts"), _("Look which of them is right.")),
    Reason.KEPT_OUT: (_("an editor removed it"), _("Let it in again below the site’s pages.")),
    Reason.MISSING: (_("the manifest names it, the source lacks it"), _("Fetch it, or take it out of the manifest.")),
    Reason.DATE_REFUSED: (_("its date cannot be right; taken without it"), _("Mend the date on the site.")),
    Reason.CUT: (_("longer than is kept; the end is not searched"), _("Nothing has to be done.")),
    Reason.KEPT_OLDER: (_("what was taken from it earlier stays"), _("Fetch it again.")),
}
FINDINGS: Mapping[str, Promise] = {
    "search.import_killed": _("it was cut off; the next one goes on"),
    "search.import_shrank": _("the source lacks most pages; none was removed"),
    "search.source_unreadable": _("the source could not be read to its end"),
    "search.extractor_down": _("files could not be read on this machine"),
}
KINDS: Mapping[str, Promise] = {Kind.PAGE: _("web page"), Kind.DOCUMENT: _("file of a page")}
LANGUAGES: Mapping[str, Promise] = {
    "zh-Hans": _("Chinese"),
    "zh-Hant": _("Chinese, traditional characters"),
    "en": _("English"),
    "und": _("not told"),
}


def state(run: ImportView) -> tuple[object, str]:
    """Say how an import stands, with the tone of its tag."""
    if run.ended_at is None:
        return _("under way"), "run"
    if run.finding:
        return FINDINGS.get(run.finding, _("stopped")), "over"
    return _("ended"), "ok"
