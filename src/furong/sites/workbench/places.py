"""Places in forms: the divisions of a clerk's area to choose from, and any place of the country by name or code."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from furong.foundation.access.values import Actor
from furong.foundation.codes import queries as codes
from furong.foundation.organizations import queries as organizations
from furong.foundation.web.texts import text

_COUNTY_DIGITS = 6


def area_of(actor: Actor) -> list[tuple[str, str]]:
    """Give the divisions below the actor's own, by the digits that places in them begin with; else their own."""
    found = organizations.list_divisions(parent_code=actor.division_code)
    own = organizations.find_division(code=actor.division_code)
    if not found and own is not None:
        found = [own]
    return [(one.prefix, text(one.name)) for one in found]


def counties_of(actor: Actor) -> list[tuple[str, str]]:
    """Give where an address may lie: the actor's county with its townships, or the counties of their city or province."""
    own = organizations.find_division(code=actor.division_code)
    if own is not None and len(own.prefix) >= _COUNTY_DIGITS:
        return [(own.prefix, text(own.name)), *(one for one in area_of(actor) if one[0] != own.prefix)]
    found: list[tuple[str, str]] = []
    for prefix, name in area_of(actor):
        if len(prefix) >= _COUNTY_DIGITS:
            found.append((prefix, name))
            continue
        below = organizations.list_divisions(parent_code=prefix.ljust(_COUNTY_DIGITS, "0"))
        found += [(one.prefix, f"{name}{text(one.name)}") for one in below]
    return found


def _prefix_of(code: str) -> str:
    """Give the digits of a six-digit code that its places begin with: of a province two, of a city four."""
    while len(code) > 2 and code.endswith("00"):
        code = code[:-2]
    return code


class PlaceField(forms.CharField):
    """A province, city or county of the country, by its name or its code; gives the digits that its places begin with."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("help_text", _("Name of the county or city, or the first digits of its code."))
        super().__init__(max_length=20, required=False, **kwargs)
        self.widget.attrs.update({"autocomplete": "off", "spellcheck": "false"})

    def clean(self, value: Any) -> str:
        """Give the beginning of the code; nothing for nothing."""
        given = "".join(str(super().clean(value)).split())
        if not given:
            return ""
        if given.isdigit():
            if 2 <= len(given) <= 12:
                return _prefix_of(given) if len(given) == _COUNTY_DIGITS else given
            raise ValidationError(_("A code has two digits at least."))
        found = codes.find_divisions_named(name=given)
        if not found:
            raise ValidationError(_("No place has this name. Give its whole name, or the digits of its code."))
        if len(found) > 1:
            raise ValidationError(_("Several places have this name. Give the digits of its code."))
        return _prefix_of(found[0].code)
