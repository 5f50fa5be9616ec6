"""Words for the codes that the public face shows."""

from __future__ import annotations

from collections.abc import Mapping

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from furong.domains.catalogue import wording
from furong.domains.catalogue.published import HARVESTED
from furong.domains.catalogue.resources.values import NATIONAL_ITEMS, ClassKind
from furong.foundation.organizations import queries as organizations
from furong.foundation.web.texts import text

CYCLES, ITEM_TYPES = wording.CYCLES, wording.ITEM_TYPES
FACETS: Mapping[str, Promise] = {
    "class_kind": _("Class"),
    "class_item": _("Subject"),
    "department": _("Provider"),
    "cycle": _("Updated"),
    "format": _("Format"),
    "has_data": _("Rows"),
}
CLASSES: Mapping[str, Promise] = {
    "base": _("Base information"),
    "theme": _("Theme"),
    "department": _("Department"),
    HARVESTED: _("From other catalogues"),
}
OPENNESS: Mapping[str, tuple[Promise, str]] = {
    "open": (_("open to the public"), "ok"),
    "conditional": (_("open on condition"), "late"),
}
HAS_DATA: Mapping[str, Promise] = {"true": _("with rows"), "false": _("description only")}
_THEME, _DEPARTMENT = ClassKind.THEME.value, ClassKind.DEPARTMENT.value


def department_names() -> dict[str, Mapping[str, str]]:
    """Give each department's name as ``{zh, en}``."""
    return {
        one.code: {"zh": one.name.zh, **({"en": one.name.en} if one.name.en else {})}
        for one in organizations.list_departments()
    }


def subject(code: str, departments: Mapping[str, Mapping[str, str]]) -> Mapping[str, str]:
    """Give the name of a 项 (``theme.health``): the guide's, or the department's."""
    kind, _dot, item = code.partition(".")
    known = NATIONAL_ITEMS.get(ClassKind(kind), {}) if kind in set(ClassKind) else {}
    if item in known:
        return known[item].name.as_dict()
    return departments.get(item, {"zh": item})


def value_words(
    facet: str, value: str, departments: Mapping[str, Mapping[str, str]], sources: Mapping[str, object]
) -> str:
    """Give what a facet's value is called in the reader's language."""
    table = {"class_kind": CLASSES, "cycle": CYCLES, "has_data": HAS_DATA}.get(facet)
    if table is not None:
        return str(table.get(value, value))
    if facet == "class_item":
        return text(subject(value, departments))
    if facet == "department":
        if value.startswith(f"{HARVESTED}-"):
            return text(sources.get(value.removeprefix(f"{HARVESTED}-"), value))
        return text(departments.get(value, value))
    return value
