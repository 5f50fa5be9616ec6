"""The forms of requests and grants: what is asked for, what is consented to, what is passed on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy

from furong.domains.catalogue.grants.values import MOST_QUOTA, Terms

DAYS = (
    ("30", gettext_lazy("30 days")),
    ("90", gettext_lazy("90 days")),
    ("180", gettext_lazy("180 days")),
    ("365", gettext_lazy("a year")),
    ("730", gettext_lazy("two years")),
    ("1095", gettext_lazy("three years")),
)
Choices = Sequence[tuple[str, Any]]


class TermsForm(forms.Form):
    """Terms to choose from what a resource, a request or a grant allows."""

    items = forms.MultipleChoiceField(
        label=gettext_lazy("Items"),
        help_text=gettext_lazy("Only those that the scenario cannot do without."),
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": gettext_lazy("Choose at least one item.")},
    )
    divisions = forms.MultipleChoiceField(
        label=gettext_lazy("Rows of which divisions"),
        help_text=gettext_lazy("None chosen: of the whole province."),
        widget=forms.CheckboxSelectMultiple,
        required=False,
    )
    by_subject = forms.BooleanField(label=gettext_lazy("One person at a time, in a case"), required=False)
    services = forms.MultipleChoiceField(
        label=gettext_lazy("For which service items"),
        help_text=gettext_lazy("None chosen: for any of our duties. Who names them is granted more readily."),
        widget=forms.CheckboxSelectMultiple,
        required=False,
    )
    methods = forms.MultipleChoiceField(
        label=gettext_lazy("How it passes"),
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": gettext_lazy("Choose how it passes.")},
    )
    days = forms.ChoiceField(label=gettext_lazy("For how long"), choices=DAYS, initial="365")
    daily_quota = forms.IntegerField(
        label=gettext_lazy("Readings a day at most"),
        help_text=gettext_lazy("Empty: not counted."),
        min_value=1,
        max_value=MOST_QUOTA,
        required=False,
    )
    with_lower = forms.BooleanField(
        label=gettext_lazy("Also for our organisations in cities, counties and towns"), required=False
    )
    delegable = forms.BooleanField(
        label=gettext_lazy("May be passed on, narrower, to an organisation below ours"), required=False
    )

    def __init__(
        self,
        *args: Any,
        items: Choices,
        methods: Choices,
        divisions: Choices,
        services: Choices = (),
        wider: Terms | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.wider = wider
        for name, choices in (
            *(("items", items), ("methods", methods), ("divisions", divisions), ("services", services)),
        ):
            field = self.fields[name]
            assert isinstance(field, forms.MultipleChoiceField)  # noqa: S101 - the class says so
            field.choices = list(choices)
        for name, choices in (("divisions", divisions), ("services", services)):
            if not choices:
                del self.fields[name]
        if wider is not None:
            self._narrow(wider)

    def _narrow(self, wider: Terms) -> None:
        """Begin with the wider terms, and offer nothing beyond them."""
        self.initial = {
            "items": list(wider.items),
            "methods": list(wider.methods),
            "divisions": list(wider.divisions),
            "services": list(wider.services),
            "by_subject": wider.by_subject,
            "days": str(wider.days),
            "daily_quota": wider.daily_quota,
            "with_lower": wider.with_lower,
            "delegable": wider.delegable,
            **self.initial,
        }
        days = self.fields["days"]
        assert isinstance(days, forms.ChoiceField)  # noqa: S101 - the class says so
        own = (str(wider.days), gettext_lazy("as long as asked for"))
        days.choices = [one for one in DAYS if int(one[0]) < wider.days] + [own]
        for name in ("with_lower", "delegable"):
            if not getattr(wider, name):
                del self.fields[name]

    def terms(self) -> Terms:
        """Give what was chosen."""
        given = self.cleaned_data
        return Terms(
            items=tuple(given["items"]),
            divisions=tuple(given.get("divisions") or (self.wider.divisions if self.wider else ())),
            by_subject=given["by_subject"],
            services=tuple(given.get("services") or (self.wider.services if self.wider else ())),
            methods=tuple(given["methods"]),
            days=int(given["days"]),
            daily_quota=given["daily_quota"],
            with_lower=given.get("with_lower", False),
            delegable=given.get("delegable", False),
        )


class RequestForm(TermsForm):
    """What a department needs of a resource, for what, on what legal basis."""

    scenario = forms.CharField(
        label=gettext_lazy("For what it is needed"),
        help_text=gettext_lazy(
            "The service or the duty, and what is done with the data. No names or numbers of persons."
        ),
        widget=forms.Textarea(attrs={"rows": 3}),
        max_length=2000,
        error_messages={"required": gettext_lazy("Say for what it is needed.")},
    )
    legal_basis = forms.CharField(
        label=gettext_lazy("Law and article"),
        help_text=gettext_lazy("Law and article that give your organisation this duty."),
        max_length=500,
        error_messages={"required": gettext_lazy("Name the law and the article.")},
    )
    field_order = ("scenario", "legal_basis")


class SupplementForm(TermsForm):
    """The answer to what was asked for, and the request adapted to it."""

    answer = forms.CharField(
        label=gettext_lazy("Your answer"),
        widget=forms.Textarea(attrs={"rows": 3}),
        max_length=2000,
        error_messages={"required": gettext_lazy("Write the answer.")},
    )
    field_order = ("answer",)


class DelegateForm(TermsForm):
    """To whom a grant is passed on, and how much of it."""

    organization = forms.ChoiceField(label=gettext_lazy("To which organisation"))
    field_order = ("organization",)

    def __init__(self, *args: Any, organizations: Choices, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["organization"]
        assert isinstance(field, forms.ChoiceField)  # noqa: S101 - the class says so
        field.choices = list(organizations)
        self.initial["delegable"] = False


class QuestionForm(forms.Form):
    """Everything that is missing, asked for once."""

    question = forms.CharField(
        label=gettext_lazy("What is missing"),
        help_text=gettext_lazy("All of it: it can be asked for once only."),
        widget=forms.Textarea(attrs={"rows": 4}),
        max_length=2000,
        error_messages={"required": gettext_lazy("Say what is missing.")},
    )


class SureForm(forms.Form):
    """An act that needs no more than its button."""


class WhyForm(forms.Form):
    """Why something is refused, suspended or revoked."""

    reason = forms.CharField(
        label=gettext_lazy("Reason"),
        help_text=gettext_lazy("Both sides and the data authority read it. No names or numbers of persons."),
        widget=forms.Textarea(attrs={"rows": 3}),
        max_length=500,
        error_messages={"required": gettext_lazy("Write the reason in a few words.")},
    )
