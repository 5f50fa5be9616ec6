"""The forms of look-ups that are no search: a household, an address, whether somebody exists; and orders of secrecy."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from furong.foundation.web.widgets import DatePartsInput
from furong.sites.workbench.forms_registers import PurposeForm

_QUIET = {"autocomplete": "off", "spellcheck": "false"}


def _line(label: Any, help_text: Any = "", *, longest: int, missing: Any = None) -> forms.CharField:
    return forms.CharField(
        label=label,
        help_text=help_text,
        max_length=longest,
        required=missing is not None,
        widget=forms.TextInput(attrs=dict(_QUIET)),
        error_messages={"required": missing} if missing is not None else None,
    )


class _AboutForm(PurposeForm):
    """A look-up: the fields of its own form one group, beside why somebody looks."""

    asked: tuple[str, ...] = ()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in self.asked:
            self.fields[name].group = _("What you look up")  # type: ignore[attr-defined]  # read by web.forms
        self.order_fields(["purpose", "purpose_note", "legal_basis", "case_number", "secrecy", *self.asked])


class HouseholdForm(_AboutForm):
    """A household by its number."""

    asked = ("household_number",)
    household_number = _line(
        gettext_lazy("Household number"),
        gettext_lazy("As it stands in the household book."),
        longest=30,
        missing=gettext_lazy("Enter the household number."),
    )


class AddressForm(_AboutForm):
    """An address: the county or township, and how the address begins."""

    asked = ("division", "address")
    division = forms.ChoiceField(
        label=gettext_lazy("County, township or street office"),
        error_messages={"required": gettext_lazy("Choose where the address lies.")},
    )
    address = _line(
        gettext_lazy("Beginning of the address"),
        gettext_lazy("Street or village, then as far as you know it. Spaces and full-width digits do not matter."),
        longest=200,
        missing=gettext_lazy("Enter the beginning of the address."),
    )
    after = forms.CharField(widget=forms.HiddenInput, required=False, max_length=600)

    def __init__(self, *args: Any, places: Sequence[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["division"]
        assert isinstance(field, forms.ChoiceField)  # noqa: S101 - declared above
        field.choices = [("", ""), *places]


class ExistsForm(_AboutForm):
    """Whether somebody living carries a number, under a name."""

    asked = ("number", "name")
    number = _line(
        gettext_lazy("Identity number"),
        gettext_lazy("As it stands on the card."),
        longest=20,
        missing=gettext_lazy("Enter the identity number."),
    )
    name = _line(
        gettext_lazy("Name"), gettext_lazy("If the answer is to be about number and name together."), longest=50
    )


class OrderForm(forms.Form):
    """An order of secrecy: for which investigation, on which ground, until when."""

    reference = _line(
        gettext_lazy("Number of the investigation's file"),
        gettext_lazy("No names. Those who read under the order choose it by this number."),
        longest=60,
        missing=gettext_lazy("Enter the number of the file."),
    )
    legal_basis = _line(
        gettext_lazy("Basis in law"),
        gettext_lazy("Law and article that allow not to tell the person."),
        longest=200,
        missing=gettext_lazy("Name the legal basis."),
    )
    until = forms.DateField(
        label=gettext_lazy("In force to the end of"),
        help_text=gettext_lazy("Half a year ahead at most; it may be prolonged, and each time is on record."),
        widget=DatePartsInput,
        error_messages={"required": gettext_lazy("Enter the last day.")},
    )

    def ends_at(self) -> dt.datetime:
        """Give the moment at which it ends: the end of its last day."""
        return end_of(self.cleaned_data["until"])


class OrderEndForm(forms.Form):
    """Another end of an order, and why."""

    until = forms.DateField(
        label=gettext_lazy("New last day"),
        help_text=gettext_lazy("Leave it empty to end the order now."),
        widget=DatePartsInput,
        required=False,
    )
    reason = _line(
        gettext_lazy("Why, and on which basis in law"),
        longest=200,
        missing=gettext_lazy("Write why the order ends or goes on."),
    )

    def ends_at(self, now: dt.datetime) -> dt.datetime:
        """Give the moment at which it ends; now without a day."""
        day: dt.date | None = self.cleaned_data["until"]
        return end_of(day) if day is not None else now


def end_of(day: dt.date) -> dt.datetime:
    """Give the first moment of the next day, at home."""
    return dt.datetime.combine(day + dt.timedelta(days=1), dt.time.min, tzinfo=timezone.get_default_timezone())
