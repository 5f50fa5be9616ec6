"""Words for the codes of an implementation list (GB/T 39554.1-2020), as staff read them; a site may word some for its readers."""

from __future__ import annotations

from collections.abc import Mapping

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

IMPLEMENTATION_WORDS: Mapping[str, Promise] = {
    "immediate": _("decided at once"),
    "promised": _("within a promised time"),
    "person": _("persons"),
    "enterprise": _("enterprises"),
    "institution": _("institutions and associations"),
    "official": _("public servants"),
    "statutory": _("authority by law"),
    "authorised": _("authorised organisation"),
    "entrusted": _("entrusted organisation"),
    "online": _("online"),
    "window": _("at the counter"),
    "mail": _("by mail"),
    "self_service": _("at a terminal"),
    "express": _("by courier"),
    "none": _("where one is registered"),
    "county": _("anywhere in the county"),
    "city": _("anywhere in the city"),
    "province": _("anywhere in the province"),
    "several_provinces": _("in several provinces"),
    "nation": _("anywhere in the country"),
    "information": _("information"),
    "application": _("application"),
    "review": _("application and review"),
    "whole": _("the whole procedure"),
    "licence": _("licence or certificate"),
    "record": _("entry in a register"),
    "payment": _("payment"),
    "document": _("document"),
    "required": _("always"),
    "conditional": _("in some cases"),
    "optional": _("voluntary"),
    "original": _("original"),
    "copy": _("copy"),
    "original_and_copy": _("original and copy"),
    "electronic": _("electronic"),
    "data": _("data, nothing to hand in"),
    "paper": _("paper"),
    "paper_or_electronic": _("paper or electronic"),
    "applicant": _("from the applicant"),
    "register": _("from a register, by sharing"),
    "item": _("from another item of the application"),
    "department": _("from a department, by sharing"),
    "working": _("working days"),
    "natural": _("calendar days"),
}
