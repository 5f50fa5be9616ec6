"""The counter's forms about households and residence: who lives where, who stays elsewhere, who leaves and comes back."""

from __future__ import annotations

from uuid import UUID

from django import forms
from django.utils.translation import gettext_lazy

from furong.sites.workbench.forms_counter import ActForm, day_field, text_field


def household_field() -> forms.CharField:
    """Give the field for a household that somebody joins."""
    return text_field(
        gettext_lazy("Number of the household they join"),
        gettext_lazy("As it stands in its book."),
        missing=gettext_lazy("Enter the number of the household."),
    )


class HouseholdForm(ActForm):
    """What acts on a household share: the day, the paper, and members to choose from."""

    on = day_field(gettext_lazy("From which day on"), gettext_lazy("Enter the day."))
    evidence = text_field(
        gettext_lazy("Papers shown"), longest=200, missing=gettext_lazy("Name the papers that were shown.")
    )

    def prepare(self) -> None:
        self.fields["on"].initial = self.about["today"]


class HeadForm(HouseholdForm):
    """Another head."""

    head = forms.TypedChoiceField(
        label=gettext_lazy("New head of the household"),
        coerce=UUID,
        widget=forms.RadioSelect,
        error_messages={"required": gettext_lazy("Choose who becomes head.")},
    )
    field_order = ("head", "on", "evidence")

    def prepare(self) -> None:
        super().prepare()
        self.choose("head", self.about["others"])


class SplitForm(HouseholdForm):
    """Members who go into a household of their own."""

    members = forms.TypedMultipleChoiceField(
        label=gettext_lazy("Who goes"),
        coerce=UUID,
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": gettext_lazy("Choose who goes into the new household.")},
    )
    head = forms.TypedChoiceField(
        label=gettext_lazy("Head of the new household"),
        coerce=UUID,
        error_messages={"required": gettext_lazy("Choose who becomes head.")},
    )
    next_head = forms.TypedChoiceField(
        label=gettext_lazy("Head of the household that stays"),
        help_text=gettext_lazy("Only when its present head goes."),
        coerce=UUID,
        empty_value=None,
        required=False,
    )
    address = text_field(
        gettext_lazy("Address of the new household"), gettext_lazy("Empty: the same address."), longest=200
    )
    field_order = ("members", "head", "next_head", "address", "on", "evidence")

    def prepare(self) -> None:
        super().prepare()
        members = self.about["members"]
        self.choose("members", members)
        self.choose("head", [("", ""), *members])
        self.choose("next_head", [("", ""), *members])


class MergeForm(HouseholdForm):
    """Everybody of the household goes into another of the same township."""

    household_number = text_field(
        gettext_lazy("Number of the household they join"),
        gettext_lazy("As it stands in its book; of the same township or street."),
        missing=gettext_lazy("Enter the number of the household."),
    )
    field_order = ("household_number", "on", "evidence")


class WithinForm(ActForm):
    """Into another household of the same county, without a permit."""

    household_number = household_field()
    on = day_field(gettext_lazy("From which day on"), gettext_lazy("Enter the day."))
    reason = text_field(
        gettext_lazy("Papers shown"),
        gettext_lazy("What proves the reason: deed, lease, marriage certificate."),
        longest=200,
        missing=gettext_lazy("Name the papers that were shown."),
    )
    next_head = forms.TypedChoiceField(
        label=gettext_lazy("Head of the household that stays"), coerce=UUID, empty_value=None, required=False
    )

    def prepare(self) -> None:
        self.fields["on"].initial = self.about["today"]
        self.name_next_head()


class StayForm(ActForm):
    """A stay away from the permanent residence."""

    division_code = forms.ChoiceField(
        label=gettext_lazy("Township or street"),
        error_messages={"required": gettext_lazy("Choose the township or street.")},
    )
    address = text_field(
        gettext_lazy("Address"),
        gettext_lazy("Street, number, building, door."),
        longest=200,
        missing=gettext_lazy("Enter the address."),
    )
    since = day_field(gettext_lazy("Since when"), gettext_lazy("Enter the day."))
    reason = text_field(gettext_lazy("Reason"), gettext_lazy("Work, study, a visit, treatment."), longest=100)

    def prepare(self) -> None:
        self.choose("division_code", [("", ""), *self.about["places"]])
        self.fields["since"].initial = self.about["today"]


class StayEndForm(ActForm):
    """The end of a temporary stay."""

    # Not a choice: sent twice, the stay is none of the open ones any more, and the command says that it has ended.
    stay_id = forms.UUIDField(
        label=gettext_lazy("Which stay"),
        widget=forms.RadioSelect,
        error_messages={"required": gettext_lazy("Choose the stay that ended.")},
    )
    ended_on = day_field(gettext_lazy("Last day"), gettext_lazy("Enter the day."))

    def prepare(self) -> None:
        widget = self.fields["stay_id"].widget
        assert isinstance(widget, forms.RadioSelect)  # noqa: S101 - declared above
        widget.choices = self.about["stays"]
        if len(self.about["stays"]) == 1:
            self.fields["stay_id"].initial = self.about["stays"][0][0]


class LeavingForm(ActForm):
    """Leaving for service or abroad: the paper, the day, who heads the household that stays."""

    paper_number = text_field(
        gettext_lazy("Number of the paper"),
        gettext_lazy("The notice of enlistment, or the right to settle abroad."),
        missing=gettext_lazy("Enter the number of the paper."),
    )
    country = text_field(
        gettext_lazy("Country"),
        gettext_lazy("Three letters, as USA."),
        longest=3,
        missing=gettext_lazy("Enter the country."),
    )
    on = day_field(gettext_lazy("Day of leaving"), gettext_lazy("Enter the day."))
    next_head = forms.TypedChoiceField(
        label=gettext_lazy("Head of the household that stays"), coerce=UUID, empty_value=None, required=False
    )

    def prepare(self) -> None:
        self.name_next_head()


class ServiceForm(LeavingForm):
    """Military service: no country is asked for."""

    def prepare(self) -> None:
        super().prepare()
        del self.fields["country"]


class ReturnForm(ActForm):
    """Back into the register, and into a household."""

    household_number = household_field()
    on = day_field(gettext_lazy("Day of arrival"), gettext_lazy("Enter the day."))
    evidence = text_field(
        gettext_lazy("Paper shown"),
        gettext_lazy("What proves the return: passport, decision, certificate."),
        longest=200,
        missing=gettext_lazy("Name the paper that proves the return."),
    )


class DischargeForm(ActForm):
    """Back from military service."""

    certificate_number = text_field(
        gettext_lazy("Number of the certificate of discharge"),
        gettext_lazy("Of the county's service organ, or of a regiment or above."),
        missing=gettext_lazy("Enter the number of the certificate."),
    )
    household_number = household_field()
    on = day_field(gettext_lazy("Day of arrival"), gettext_lazy("Enter the day."))
