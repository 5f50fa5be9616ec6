"""The forms of the exchange: admitting a member, comparing a fingerprint, a system's key, a service."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _


class FindForm(forms.Form):
    """Which organisation is to be admitted."""

    text = forms.CharField(label=_("Name of the organisation"), max_length=60, required=False)


class AdmitForm(forms.Form):
    """An organisation, and the code by which the exchange knows it."""

    organization = forms.UUIDField(widget=forms.HiddenInput)
    code = forms.CharField(
        label=_("Code of the member"),
        help_text=_(
            "Small letters, digits and hyphens, such as zz-housing. It stands in keys and logs and never changes."
        ),
        max_length=24,
        error_messages={"required": _("Enter a code.")},
    )


class FingerprintForm(forms.Form):
    """What the member reads out."""

    fingerprint = forms.CharField(
        label=_("What does the member read out?"),
        help_text=_(
            "Call the member on a number you know, never one from the request. The first two groups are enough."
        ),
        max_length=60,
        error_messages={"required": _("Enter at least the first two groups.")},
    )


class KeyForm(forms.Form):
    """The public key of a member's system."""

    system = forms.CharField(
        label=_("Name of the system"),
        help_text=_("Small letters, such as rental."),
        max_length=24,
        error_messages={"required": _("Enter a name.")},
    )
    key = forms.CharField(
        label=_("Public key"),
        help_text=_("Algorithm, colon, base64, as furong-gateway prints it."),
        max_length=200,
        error_messages={"required": _("Paste the public key.")},
    )


class ServiceForm(forms.Form):
    """A resource of the catalogue to be published through one of the member's gateways."""

    code = forms.CharField(
        label=_("Code of the service"),
        help_text=_("It is the first part of the address that consumers ask."),
        max_length=40,
        error_messages={"required": _("Enter a code.")},
    )
    resource_code = forms.CharField(
        label=_("Code of the resource in the catalogue"),
        max_length=64,
        error_messages={"required": _("Enter the code of a resource.")},
    )
    gateway = forms.ChoiceField(label=_("Gateway"), error_messages={"required": _("Choose a gateway.")})
    is_platforms = forms.BooleanField(
        label=_("The platform holds the rows and serves them itself, with no code"), required=False
    )

    def __init__(self, *args: Any, gateways: Iterable[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["gateway"].choices = [(one, one) for one in gateways]  # type: ignore[attr-defined]


class ReasonForm(forms.Form):
    """Why something is taken away."""

    reason = forms.CharField(
        label=_("Reason"), max_length=500, error_messages={"required": _("Write the reason in a few words.")}
    )
