"""The forms of objections: what is wrong, what was done, why not."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from furong.foundation.web.widgets import DatePartsInput


class ObjectForm(forms.Form):
    """What is wrong with a value."""

    found = forms.CharField(
        label=_("What is wrong?"),
        help_text=_("The provider and, in a dispute, the data authority read it."),
        widget=forms.Textarea(attrs={"rows": 3}),
        max_length=1000,
        error_messages={"required": _("Say in a sentence what is wrong.")},
    )
    wanted = forms.CharField(
        label=_("What would be right?"),
        help_text=_("If you know it, and where it is written."),
        widget=forms.Textarea(attrs={"rows": 2}),
        max_length=1000,
        required=False,
    )


class CorrectForm(forms.Form):
    """What was corrected, and since when it had been wrong."""

    words = forms.CharField(
        label=_("What was corrected?"),
        widget=forms.Textarea(attrs={"rows": 3}),
        max_length=1000,
        error_messages={"required": _("Say in a sentence what was corrected.")},
    )
    wrong_since = forms.DateField(
        label=_("Wrong since"),
        help_text=_("Everybody who read it since that day is told. Left empty: everybody who ever read it."),
        widget=DatePartsInput,
        required=False,
        error_messages={"invalid": _("Enter a day that exists.")},
    )


class WordsForm(forms.Form):
    """An answer, an appeal or a ruling in words."""

    words = forms.CharField(
        label=_("Reason"),
        help_text=_("Those concerned read it."),
        widget=forms.Textarea(attrs={"rows": 3}),
        max_length=1000,
        error_messages={"required": _("Write the reason in a few words.")},
    )


class NoWordsForm(forms.Form):
    """An act that needs no more than its button."""
