"""The forms of the acts that staff take on a case. Each says what the law wants said."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from furong.domains.cases.values.procedures import PROCEDURE_NAMES
from furong.foundation.web.texts import text
from furong.foundation.web.widgets import DatePartsInput

_LINES = {"rows": 4}


class ActForm(forms.Form):
    """An act with nothing to say but itself. ``version`` notices that somebody else changed the case meanwhile."""

    version = forms.IntegerField(widget=forms.HiddenInput, required=False)

    def arguments(self) -> dict[str, Any]:
        """Give what the command takes, without the version."""
        return {name: value for name, value in self.cleaned_data.items() if name != "version" and value is not None}


class OpinionForm(ActForm):
    """Granting: an opinion for the file, if there is something to say."""

    opinion = forms.CharField(
        label=_("Opinion for the file"), widget=forms.Textarea(attrs=_LINES), max_length=1000, required=False
    )


class ReasonedForm(ActForm):
    """A refusal: its reason in words the applicant understands, and the clause it stands on."""

    reason = forms.CharField(
        label=_("Reason"),
        help_text=_("The applicant reads this word for word. Say which condition is not met and why."),
        widget=forms.Textarea(attrs=_LINES),
        max_length=1000,
        error_messages={"required": _("Write the reason; a refusal without one is not lawful.")},
    )
    legal_basis = forms.CharField(
        label=_("Legal basis"),
        help_text=_("Law or order and article."),
        max_length=200,
        error_messages={"required": _("Name the law or order and the article.")},
    )


class SupplementForm(ActForm):
    """Everything that is missing, told at once (一次性告知): one line for each thing."""

    missing = forms.CharField(
        label=_("What is missing"),
        help_text=_("One line for each thing. It can be asked only once, so name everything."),
        widget=forms.Textarea(attrs={"rows": 5}),
        max_length=2000,
        error_messages={"required": _("Name what is missing, one line for each thing.")},
    )
    reason = forms.CharField(
        label=_("Why it is needed"),
        widget=forms.Textarea(attrs={"rows": 2}),
        max_length=500,
        error_messages={"required": _("Say why it is needed.")},
    )

    def arguments(self) -> dict[str, Any]:
        """Give the lines as what is wanted."""
        lines = [line.strip() for line in self.cleaned_data["missing"].splitlines() if line.strip()]
        return {
            "wanted": [{"element": "", "what": {"zh": line}} for line in lines],
            "reason": self.cleaned_data["reason"],
        }


class PauseForm(ActForm):
    """A special procedure, whose time the law does not count."""

    procedure = forms.ChoiceField(label=_("Procedure"), error_messages={"required": _("Choose the procedure.")})
    legal_basis = forms.CharField(
        label=_("Legal basis"),
        help_text=_("Law or order and article."),
        max_length=200,
        error_messages={"required": _("Name the law or order and the article.")},
    )
    reason = forms.CharField(
        label=_("Reason"), widget=forms.Textarea(attrs={"rows": 2}), max_length=500, required=False
    )
    expected_until_on = forms.DateField(label=_("Expected to end on"), widget=DatePartsInput, required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["procedure"]
        assert isinstance(field, forms.ChoiceField)  # noqa: S101 - declared above
        field.choices = [("", ""), *((kind.value, text(name)) for kind, name in PROCEDURE_NAMES.items())]


class OutcomeForm(ActForm):
    """What came of a special procedure."""

    outcome = forms.CharField(
        label=_("Outcome"), widget=forms.Textarea(attrs={"rows": 2}), max_length=500, required=False
    )


class ReasonOnlyForm(ActForm):
    """Something asked of a colleague or a superior, with the reason."""

    reason = forms.CharField(
        label=_("Reason"),
        widget=forms.Textarea(attrs=_LINES),
        max_length=500,
        error_messages={"required": _("Write the reason in a few words.")},
    )


class AnswerForm(ActForm):
    """The answer to a review."""

    answer = forms.CharField(
        label=_("Answer to the applicant"),
        widget=forms.Textarea(attrs=_LINES),
        max_length=1000,
        error_messages={"required": _("Write the answer; the applicant reads it.")},
    )


class HandOverForm(ActForm):
    """Who goes on with a task, and why."""

    to_account_id = forms.ChoiceField(label=_("Colleague"), error_messages={"required": _("Choose a colleague.")})
    reason = forms.CharField(
        label=_("Reason"),
        max_length=300,
        error_messages={"required": _("Write the reason in a few words.")},
    )

    def __init__(self, *args: Any, colleagues: list[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["to_account_id"]
        assert isinstance(field, forms.ChoiceField)  # noqa: S101 - declared above
        field.choices = [("", ""), *colleagues]


class CallBackForm(ActForm):
    """What a call about a bad rating brought."""

    text = forms.CharField(
        label=_("What was said and done"),
        widget=forms.Textarea(attrs=_LINES),
        max_length=1000,
        error_messages={"required": _("Write what was said and done.")},
    )
    fixed = forms.BooleanField(label=_("It has been put right"), required=False)
