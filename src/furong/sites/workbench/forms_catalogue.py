"""The forms of the catalogue: a reason, and a draft as the file it is."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy

MAX_DRAFT = 400_000


class ReasonForm(forms.Form):
    """Why something is done; those it touches read it."""

    reason = forms.CharField(
        label=gettext_lazy("Reason"),
        help_text=gettext_lazy("Provider and data authority read it. No names or numbers of persons."),
        widget=forms.Textarea(attrs={"rows": 3}),
        max_length=500,
        error_messages={"required": gettext_lazy("Write the reason in a few words.")},
    )


class PlainForm(forms.Form):
    """An act that needs no more than its button."""


class DraftForm(forms.Form):
    """A resource as its file."""

    content = forms.CharField(
        label=gettext_lazy("Definition"),
        help_text=gettext_lazy(
            "YAML, as in the pack. The page checks it as furong check does, with everything that is published."
        ),
        widget=forms.Textarea(attrs={"rows": 28, "spellcheck": "false", "autocomplete": "off"}),
        max_length=MAX_DRAFT,
        strip=False,
        error_messages={"required": gettext_lazy("Write the definition.")},
    )
