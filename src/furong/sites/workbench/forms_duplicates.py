"""The forms of the review desk for people who may be registered twice."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

FIRST, SECOND, DIFFERENT = "first", "second", "different"
PART, KEEP = "part", "keep"


def _reason(label: Any, help_text: Any) -> forms.CharField:
    return forms.CharField(
        label=label,
        help_text=help_text,
        max_length=200,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        error_messages={"required": _("Say what it rests on.")},
    )


class DecideForm(forms.Form):
    """One person or two, and which entry stands."""

    deed = forms.ChoiceField(
        label=_("What are these two entries?"),
        choices=(
            (FIRST, _("One person: entry A stands, entry B goes")),
            (SECOND, _("One person: entry B stands, entry A goes")),
            (DIFFERENT, _("Two people")),
        ),
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose what the two entries are.")},
    )
    reason = _reason(
        _("Paper or fact"),
        _("The paper or the fact, such as the file of an inquiry. It stands in the register's history."),
    )


class PartForm(forms.Form):
    """Undo a merger."""

    reason = _reason(_("Why they are two people after all"), _("The paper or the fact that proves it."))


class AskedPartForm(forms.Form):
    """Judge a parting that somebody else asked for."""

    deed = forms.ChoiceField(
        label=_("Should they be parted?"),
        choices=((PART, _("Yes, bring the entry back")), (KEEP, _("No, they stay one person"))),
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose one.")},
    )
    reason = _reason(_("Paper or fact"), _("The paper or the fact that proves it."))
