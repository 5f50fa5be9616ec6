"""Words for the codes of an implementation list (GB/T 39554.1-2020), for the guide page: what differs for who is addressed."""

from __future__ import annotations

from collections.abc import Mapping

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from furong.domains.services.wording import IMPLEMENTATION_WORDS

WORDS: Mapping[str, Promise] = {
    **IMPLEMENTATION_WORDS,
    "none": _("where you are registered"),
    "optional": _("if you wish"),
    "applicant": _("from you"),
    "item": _("from another service of this application"),
}
