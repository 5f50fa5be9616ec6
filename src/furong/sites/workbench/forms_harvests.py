"""The form of a catalogue elsewhere that is to be harvested."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy

from furong.domains.catalogue.harvest.values import MAX_TITLE, MAX_URL, SourceKind

HOURS = (
    ("1", gettext_lazy("every hour")),
    ("6", gettext_lazy("every six hours")),
    ("24", gettext_lazy("every day")),
    ("168", gettext_lazy("every week")),
    ("720", gettext_lazy("every thirty days")),
)


class SourceForm(forms.Form):
    """Where a catalogue lies, how it is read, and what it is called here."""

    url = forms.CharField(
        label=gettext_lazy("Address"),
        help_text=gettext_lazy(
            "The feed in Turtle, JSON-LD or RDF/XML, or the CKAN site. Private networks are not opened."
        ),
        widget=forms.URLInput(attrs={"inputmode": "url", "autocomplete": "off"}),
        max_length=MAX_URL,
        error_messages={"required": gettext_lazy("Give the address.")},
    )
    kind = forms.ChoiceField(
        label=gettext_lazy("How it is read"),
        choices=(
            (SourceKind.DCAT.value, gettext_lazy("DCAT feed")),
            (SourceKind.CKAN.value, gettext_lazy("CKAN site")),
        ),
        widget=forms.RadioSelect,
        initial=SourceKind.DCAT.value,
    )
    code = forms.CharField(
        label=gettext_lazy("Short code"),
        help_text=gettext_lazy("Small letters, digits and hyphens; it stands in addresses and never changes."),
        max_length=40,
        error_messages={"required": gettext_lazy("Give a short code.")},
    )
    title_zh = forms.CharField(
        label=gettext_lazy("Name in Chinese"),
        max_length=MAX_TITLE,
        error_messages={"required": gettext_lazy("Give the name by which readers know it.")},
    )
    title_en = forms.CharField(label=gettext_lazy("Name in English"), max_length=MAX_TITLE, required=False)
    every_hours = forms.TypedChoiceField(
        label=gettext_lazy("How often it is harvested"), choices=HOURS, initial="24", coerce=int
    )
