"""The forms of needs, demands and rulings."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from furong.domains.catalogue.needs.values import MAX_WORDS, MOST_BENEFIT, MOST_ELEMENTS, Benefit, Urgency
from furong.foundation.web.widgets import DatePartsInput
from furong.sites.workbench import words_needs

Choices = Sequence[tuple[str, Any]]


def _text(label: Any, hint: Any = "", *, missing: Any = None, rows: int = 3) -> forms.CharField:
    errors = {"required": missing} if missing is not None else {}
    return forms.CharField(
        label=label,
        help_text=hint,
        widget=forms.Textarea(attrs={"rows": rows}),
        max_length=MAX_WORDS,
        required=missing is not None,
        error_messages=errors,
    )


def _number(label: Any, hint: Any = "") -> forms.IntegerField:
    return forms.IntegerField(label=label, help_text=hint, min_value=0, max_value=MOST_BENEFIT, required=False)


def _choice(form: forms.Form, name: str, choices: Choices) -> None:
    field = form.fields[name]
    assert isinstance(field, forms.ChoiceField)  # noqa: S101 - the class says so
    field.choices = list(choices)


class NeedForm(forms.Form):
    """What a department needs, for what, how soon, and whom it would serve."""

    words = _text(
        gettext_lazy("What do you need?"),
        gettext_lazy("In your own words: which facts about whom or what. No names or numbers of persons."),
        missing=gettext_lazy("Say what you need."),
        rows=4,
    )
    elements = forms.CharField(
        label=gettext_lazy("Data elements"),
        help_text=gettext_lazy("If you know them: names or codes of the dictionary, one a line."),
        widget=forms.Textarea(attrs={"rows": 3}),
        max_length=2000,
        required=False,
    )
    purpose = _text(
        gettext_lazy("For what it is needed"),
        gettext_lazy("The service or the duty, and what is done with the data."),
        missing=gettext_lazy("Say for what it is needed."),
    )
    legal_basis = forms.CharField(
        label=gettext_lazy("Law and article"),
        help_text=gettext_lazy("Law and article that give your organisation this duty."),
        max_length=500,
        required=False,
    )
    urgency = forms.ChoiceField(
        label=gettext_lazy("How soon"),
        choices=tuple(words_needs.URGENCY.items()),
        widget=forms.RadioSelect,
        initial=Urgency.ORDINARY.value,
    )
    people = _number(gettext_lazy("People served a year"))
    enterprises = _number(gettext_lazy("Enterprises served a year"))
    cases = _number(gettext_lazy("Cases a year"))
    materials = _number(
        gettext_lazy("Materials fewer in each case"),
        gettext_lazy("How many papers nobody would have to bring any more."),
    )

    def __init__(self, *args: Any, find_element: Callable[[str], str | None], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._find = find_element

    def clean_elements(self) -> tuple[str, ...]:
        """Give the codes of what was named. Raises ``ValidationError`` that names what the dictionary does not have."""
        lines = [one.strip() for one in str(self.cleaned_data["elements"]).replace("、", "\n").splitlines()]
        named = [one for one in lines if one]
        found = {one: self._find(one) for one in named}
        if unknown := [one for one, code in found.items() if code is None]:
            raise forms.ValidationError(
                _("The dictionary has no element “%(names)s”. Leave it out: your words are searched as well.")
                % {"names": "、".join(unknown[:5])}
            )
        codes = tuple(dict.fromkeys(str(code) for code in found.values()))
        if len(codes) > MOST_ELEMENTS:
            raise forms.ValidationError(_("Name at most %(most)s elements.") % {"most": MOST_ELEMENTS})
        return codes

    def need(self) -> dict[str, Any]:
        """Give what the command takes."""
        given = dict(self.cleaned_data)
        numbers = {name: given.pop(name) or 0 for name in ("people", "enterprises", "cases", "materials")}
        return {**given, "urgency": Urgency(given["urgency"]), "benefit": Benefit(**numbers)}


class CloseForm(forms.Form):
    """How a need ended."""

    outcome = _text(
        gettext_lazy("How it ended"),
        missing=gettext_lazy("Say in a few words how it ended, for whoever reads it later."),
    )


class FileDemandForm(forms.Form):
    """For which element a demand is filed, and what the need does not say."""

    element = forms.ChoiceField(label=gettext_lazy("Of which element"), required=False)
    words = _text(
        gettext_lazy("What is lacking"),
        gettext_lazy("Empty: the need's own words."),
    )

    def __init__(self, *args: Any, elements: Choices = (), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _choice(self, "element", [("", gettext_lazy("none: the data authority finds who answers")), *elements])


class AssignForm(forms.Form):
    """Which department answers."""

    department = forms.ChoiceField(label=gettext_lazy("Which department answers"))
    words = _text(gettext_lazy("Note"))

    def __init__(self, *args: Any, departments: Choices = (), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _choice(self, "department", departments)


class SupplyForm(forms.Form):
    """By which resource it is supplied."""

    resource_code = forms.ChoiceField(
        label=gettext_lazy("By which resource"),
        help_text=gettext_lazy("Published resources of yours that carry it."),
        error_messages={"required": gettext_lazy("Choose the resource.")},
    )
    words = _text(gettext_lazy("Note"))

    def __init__(self, *args: Any, offers: Choices = (), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _choice(self, "resource_code", offers)


class PromiseForm(forms.Form):
    """By when it will be supplied."""

    supply_by = forms.DateField(
        label=gettext_lazy("Supplied by"),
        help_text=gettext_lazy("Within twenty working days."),
        widget=DatePartsInput,
        error_messages={
            "required": gettext_lazy("Give the day."),
            "invalid": gettext_lazy("Enter a day that exists."),
        },
    )
    words = _text(gettext_lazy("Note"))


class RefuseForm(forms.Form):
    """By which clause, and why, it is not shared."""

    clause = forms.CharField(
        label=gettext_lazy("Law and article"),
        help_text=gettext_lazy("Sharing is the rule: an exception cites its clause."),
        max_length=500,
        error_messages={"required": gettext_lazy("Name the law and the article.")},
    )
    reason = _text(gettext_lazy("Reason"), missing=gettext_lazy("Write the reason in a few words."))


class AppealForm(forms.Form):
    """Why the data authority should rule otherwise."""

    words = _text(
        gettext_lazy("Why it should be shared"),
        gettext_lazy("The data authority and the owner read it."),
        missing=gettext_lazy("Write the reason in a few words."),
    )


class OrderForm(forms.Form):
    """An order to supply by a day."""

    supply_by = forms.DateField(
        label=gettext_lazy("Supplied by"),
        help_text=gettext_lazy("Within twenty working days."),
        widget=DatePartsInput,
        error_messages={
            "required": gettext_lazy("Give the day."),
            "invalid": gettext_lazy("Enter a day that exists."),
        },
    )
    words = _text(gettext_lazy("Reason"), missing=gettext_lazy("Write the reason in a few words."))


class UpholdForm(forms.Form):
    """A ruling that it is not shared."""

    clause = forms.CharField(
        label=gettext_lazy("Law and article"),
        help_text=gettext_lazy("Sharing is the rule: an exception cites its clause."),
        max_length=500,
        error_messages={"required": gettext_lazy("Name the law and the article.")},
    )
    words = _text(gettext_lazy("Reason"), missing=gettext_lazy("Write the reason in a few words."))


class NothingForm(forms.Form):
    """An act that needs no more than its button."""
