"""Forms of the account pages, and those that the workbench's administrators use."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from furong.foundation.identity.values import ORDINARY_POWERS, POWER_NAMES, Power


def _password(label: Any, *, new: bool = False, hint: Any = "") -> forms.CharField:
    return forms.CharField(
        label=label,
        help_text=hint,
        max_length=128,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password" if new else "current-password"}),
    )


class SignInForm(forms.Form):
    """Username and password."""

    username = forms.CharField(
        label=_("Username"),
        max_length=64,
        widget=forms.TextInput(attrs={"autocomplete": "username", "autocapitalize": "none", "spellcheck": "false"}),
    )
    password = _password(_("Password"))


class CodeForm(forms.Form):
    """Six digits of the app, or a recovery code."""

    code = forms.CharField(
        label=_("Code"),
        help_text=_("Six digits from your authenticator app, or one of your recovery codes."),
        max_length=20,
        widget=forms.TextInput(attrs={"autocomplete": "one-time-code", "inputmode": "numeric"}),
    )
    code.width = 10  # type: ignore[attr-defined]  # read by foundation.web


class SignUpForm(forms.Form):
    """A new resident's username and password."""

    username = forms.CharField(
        label=_("Username"),
        help_text=_("3 to 64 letters, digits or Chinese characters. Not your identity or telephone number."),
        max_length=64,
        widget=forms.TextInput(attrs={"autocomplete": "username", "autocapitalize": "none", "spellcheck": "false"}),
    )
    password = _password(_("Password"), new=True, hint=_("At least ten characters that others do not guess."))


class RealNameForm(forms.Form):
    """Number and name, checked against the register and not kept."""

    name = forms.CharField(
        label=_("Name"), max_length=50, widget=forms.TextInput(attrs={"autocomplete": "name", "spellcheck": "false"})
    )
    number = forms.CharField(
        label=_("Identity number"),
        help_text=_("As it stands on your identity card or residence permit."),
        max_length=24,
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "characters", "spellcheck": "false"}),
    )
    number.width = 18  # type: ignore[attr-defined]


class PasswordForm(forms.Form):
    """The present password and a new one."""

    old = _password(_("Present password"))
    new = _password(_("New password"), new=True, hint=_("At least ten characters that others do not guess."))


class MandateForm(forms.Form):
    """Whom to let act, what they may do, and until when."""

    agent_username = forms.CharField(label=_("Username of the agent"), max_length=64)
    agent_name = forms.CharField(label=_("Name of the agent"), max_length=50)
    powers = forms.MultipleChoiceField(
        label=_("What the agent may do"),
        widget=forms.CheckboxSelectMultiple,
        initial=[p.value for p in ORDINARY_POWERS],
    )
    months = forms.ChoiceField(label=_("For how long"), widget=forms.RadioSelect, initial="12")
    reference = forms.CharField(
        label=_("What for"),
        help_text=_("A word for yourself, such as a matter or a paper."),
        max_length=200,
        required=False,
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        english = 1 if (get_language() or "").startswith("en") else 0
        self.fields["powers"].choices = [  # type: ignore[attr-defined]
            (power.value, POWER_NAMES[power][english]) for power in ORDINARY_POWERS
        ]
        self.fields["months"].choices = [  # type: ignore[attr-defined]
            ("1", _("One month")),
            ("12", _("One year")),
            ("36", _("Three years")),
        ]

    def chosen_powers(self) -> list[Power]:
        """Give the powers that were ticked."""
        return [Power(value) for value in self.cleaned_data["powers"]]


class EnterpriseForm(forms.Form):
    """The credit code of an enterprise that one represents."""

    credit_code = forms.CharField(
        label=_("Unified social credit code"),
        max_length=20,
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "characters", "spellcheck": "false"}),
    )
    credit_code.width = 18  # type: ignore[attr-defined]


class StaffAccountForm(forms.Form):
    """For administrators: a new account for a member of staff."""

    username = forms.CharField(label=_("Username"), max_length=64)
    display_name = forms.CharField(label=_("Name"), max_length=50)
    password = _password(_("First password"), new=True, hint=_("It is changed at the first sign-in."))


class FirstPasswordForm(forms.Form):
    """For administrators: a first password again."""

    password = _password(_("First password"), new=True, hint=_("It is changed at the first sign-in."))
