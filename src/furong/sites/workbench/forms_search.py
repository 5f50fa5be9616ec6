"""The form of a best bet: what editors put on top of the results for a question."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy


class BetForm(forms.Form):
    """A question, where it should lead, and until when."""

    words = forms.CharField(
        label=gettext_lazy("Question"),
        help_text=gettext_lazy("As people type it. Words that say nothing (how, where) may be around it."),
        max_length=60,
        error_messages={"required": gettext_lazy("Write the question.")},
    )
    title = forms.CharField(
        label=gettext_lazy("Title"), max_length=100, error_messages={"required": gettext_lazy("Write a title.")}
    )
    address = forms.CharField(
        label=gettext_lazy("Address"),
        help_text=gettext_lazy("A path of this site, such as /life/newborn, or a whole address."),
        max_length=500,
        error_messages={"required": gettext_lazy("Give the address.")},
    )
    note = forms.CharField(label=gettext_lazy("One sentence about it"), max_length=300, required=False)
    until_on = forms.DateField(
        label=gettext_lazy("Shown until"),
        help_text=gettext_lazy("Not on that day any more; within a year."),
        widget=forms.DateInput(attrs={"type": "date"}),
        error_messages={"required": gettext_lazy("Give a day."), "invalid": gettext_lazy("Give a day.")},
    )


class RemovePageForm(forms.Form):
    """Why a page leaves the search."""

    why = forms.CharField(
        label=gettext_lazy("Reason"),
        help_text=gettext_lazy("For example: it shows a person’s number. Do not write the number here."),
        max_length=300,
        error_messages={"required": gettext_lazy("Write in a few words why the page is removed.")},
    )
