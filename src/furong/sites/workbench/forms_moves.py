"""The forms of moves: who moves where and why, and what each step asks for."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from furong.foundation.web.widgets import DatePartsInput
from furong.registries.population.moves.values import CERTIFICATE_DAYS
from furong.sites.workbench import words_moves as words

_QUIET = {"autocomplete": "off", "spellcheck": "false"}
HOUSEHOLD, ADDRESS = "household", "address"


def _text(label: Any, help_text: Any = "", *, longest: int = 100, missing: Any = None) -> forms.CharField:
    return forms.CharField(
        label=label,
        help_text=help_text,
        max_length=longest,
        required=missing is not None,
        widget=forms.TextInput(attrs=dict(_QUIET)),
        error_messages={"required": missing} if missing is not None else None,
    )


class RequestForm(forms.Form):
    """A request at the counter of the destination."""

    name = _text(gettext_lazy("Name"), longest=50, missing=gettext_lazy("Enter the name on the card."))
    number = _text(
        gettext_lazy("Identity number"), longest=20, missing=gettext_lazy("Enter the number as it stands on the card.")
    )
    asks = forms.ChoiceField(
        label=gettext_lazy("Who asks?"),
        choices=(("self", gettext_lazy("The person")), ("other", gettext_lazy("Somebody for them"))),
        widget=forms.RadioSelect,
        initial="self",
    )
    applicant_name = _text(gettext_lazy("Applicant's name"), longest=50)
    applicant_number = _text(
        gettext_lazy("Applicant's identity number"),
        gettext_lazy("A spouse, a parent, a grown child, or a member of the household that takes them in."),
        longest=20,
    )
    place = forms.ChoiceField(
        label=gettext_lazy("Where to?"),
        choices=(
            (HOUSEHOLD, gettext_lazy("Into a household that is there")),
            (ADDRESS, gettext_lazy("To an address, as a new household")),
        ),
        widget=forms.RadioSelect,
        initial=HOUSEHOLD,
    )
    household_number = _text(gettext_lazy("Household number"), gettext_lazy("As it stands in the household book."))
    division_code = forms.ChoiceField(label=gettext_lazy("Township or street"), required=False)
    address = _text(gettext_lazy("Address"), gettext_lazy("Street, number, building, door."), longest=200)
    reason = forms.ChoiceField(
        label=gettext_lazy("Reason for the move"),
        choices=tuple(words.REASONS.items()),
        error_messages={"required": gettext_lazy("Choose the reason.")},
    )
    words = _text(
        gettext_lazy("Papers shown"),
        gettext_lazy("Which papers prove the reason: deed, contract of work, marriage certificate."),
        longest=200,
        missing=gettext_lazy("Name the papers that were shown."),
    )
    consent = _text(
        gettext_lazy("Consent of the head of the household"),
        gettext_lazy(
            "Only where nobody in the household is a parent, child or spouse: the number or day of the paper."
        ),
        longest=200,
    )
    guardian_evidence = _text(
        gettext_lazy("Paper that names the guardian"),
        gettext_lazy("Only for a minor who moves to a guardian who is no parent."),
        longest=200,
    )

    def __init__(self, *args: Any, places: list[tuple[str, str]], together: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["division_code"]
        assert isinstance(field, forms.ChoiceField)  # noqa: S101 - declared above
        field.choices = [("", ""), *places]
        if together:
            for name in ("place", "household_number", "division_code", "address", "consent"):
                del self.fields[name]
        groups = (
            (_("Who moves"), ("name", "number", "asks", "applicant_name", "applicant_number")),
            (_("Where to, and why"), ("place", "household_number", "division_code", "address", "reason", "words")),
            (_("Where the law asks for it"), ("consent", "guardian_evidence")),
        )
        for group, names in groups:
            for name in names:
                if name in self.fields:
                    self.fields[name].group = group  # type: ignore[attr-defined]  # read by web.forms

    def clean(self) -> dict[str, Any]:
        """Want what belongs to the answers chosen."""
        given = super().clean() or self.cleaned_data
        wanted: list[tuple[str, str]] = []
        if given.get("asks") == "other":
            wanted += [
                ("applicant_name", _("Enter the applicant's name.")),
                ("applicant_number", _("Enter the applicant's number.")),
            ]
        if given.get("place") == HOUSEHOLD:
            wanted.append(("household_number", _("Enter the number of the household.")))
        if given.get("place") == ADDRESS:
            wanted += [
                ("division_code", _("Choose the township or street.")),
                ("address", _("Enter the address.")),
            ]
        for name, message in wanted:
            if not given.get(name) and name not in self.errors:
                self.add_error(name, message)
        return given


class NothingForm(forms.Form):
    """A step that needs no more than its button."""


class ReasonForm(forms.Form):
    """Why a move ends without an arrival."""

    words = forms.CharField(
        label=gettext_lazy("Reason"),
        help_text=gettext_lazy("The applicant reads it. Write no names and no numbers."),
        widget=forms.Textarea(attrs={"rows": 2}),
        max_length=500,
        error_messages={"required": gettext_lazy("Write the reason in a few words.")},
    )


class DepartureForm(forms.Form):
    """How long the certificate counts, and who heads the household that stays."""

    valid_days = forms.IntegerField(
        label=gettext_lazy("Days the certificate counts"),
        help_text=gettext_lazy("30 at most."),
        min_value=1,
        max_value=CERTIFICATE_DAYS,
        initial=CERTIFICATE_DAYS,
        widget=forms.NumberInput(attrs={"class": "short"}),
    )
    new_head_person_id = forms.UUIDField(label=gettext_lazy("Next head of the household"), required=False)

    def __init__(self, *args: Any, members: list[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not members:
            del self.fields["new_head_person_id"]
            return
        self.fields["new_head_person_id"] = forms.TypedChoiceField(
            label=_("Next head of the household"),
            help_text=_("The head moves and others stay. Whoever is named becomes head when the person arrives."),
            choices=[("", ""), *members],
            coerce=UUID,
            error_messages={"required": _("Choose who becomes head.")},
        )


class ArrivalForm(forms.Form):
    """The day of the arrival."""

    arrived_on = forms.DateField(
        label=gettext_lazy("Arrived on"),
        widget=DatePartsInput,
        error_messages={
            "required": gettext_lazy("Enter the day of the arrival."),
            "invalid": gettext_lazy("Enter a day that exists."),
        },
    )

    def __init__(self, *args: Any, today: date, **kwargs: Any) -> None:
        super().__init__(*args, **{"initial": {"arrived_on": today}} | kwargs)


__all__ = ["ADDRESS", "HOUSEHOLD", "ArrivalForm", "DepartureForm", "NothingForm", "ReasonForm", "RequestForm"]
