"""The forms of the exchange: admitting a member, comparing a fingerprint, a system's key, a service."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from furong.domains.exchange.nodes.values import Entry
from furong.sites.workbench.words_exchange import LEVELS, said


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
    gateway = forms.ChoiceField(
        label=_("Gateway"),
        help_text=_("A member without a gateway of its own is hosted at another's."),
        error_messages={"required": _("Choose a gateway.")},
    )
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


class OwnNodeForm(forms.Form):
    """What this node is called, and where others reach it."""

    code = forms.CharField(label=_("Code of this node"), max_length=40, error_messages={"required": _("Enter a code.")})
    level = forms.ChoiceField(label=_("Level"), choices=list(LEVELS.items()))
    zh = forms.CharField(label=_("Name"), max_length=120, error_messages={"required": _("Enter a name.")})
    en = forms.CharField(label=_("Name in English"), max_length=120, required=False)
    address = forms.CharField(
        label=_("Address of this platform"),
        help_text=_("Where other nodes reach it, such as https://exchange.example"),
        max_length=200,
        error_messages={"required": _("Enter an address.")},
    )


class AdmitNodeForm(forms.Form):
    """A lower node that is to join."""

    code = forms.CharField(label=_("Code of the node"), max_length=40, error_messages={"required": _("Enter a code.")})
    level = forms.ChoiceField(label=_("Level"), choices=[one for one in LEVELS.items() if one[0] != "nation"])
    zh = forms.CharField(label=_("Name"), max_length=120, error_messages={"required": _("Enter a name.")})
    en = forms.CharField(label=_("Name in English"), max_length=120, required=False)


class JoinForm(forms.Form):
    """The node above, and the code that its operator gave."""

    address = forms.CharField(
        label=_("Address of the node above"), max_length=200, error_messages={"required": _("Enter an address.")}
    )
    code = forms.CharField(label=_("One-time code"), max_length=40, error_messages={"required": _("Enter the code.")})


class ProposeForm(forms.Form):
    """A department's request for a resource that another node offers."""

    resource = forms.CharField(widget=forms.HiddenInput)
    items = forms.MultipleChoiceField(
        label=_("Items"), widget=forms.CheckboxSelectMultiple, error_messages={"required": _("Choose items.")}
    )
    scenario = forms.CharField(
        label=_("For what"), max_length=500, error_messages={"required": _("Say for what it is needed.")}
    )
    legal_basis = forms.CharField(
        label=_("Legal basis of the request"), max_length=500, error_messages={"required": _("Name the legal basis.")}
    )
    days = forms.IntegerField(label=_("For how many days"), min_value=1, max_value=1096, initial=365)

    def __init__(self, *args: Any, entry: Entry, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["resource"].initial = entry.code
        self.fields["items"].choices = [(one["code"], said(one.get("name") or {})) for one in entry.items]  # type: ignore[attr-defined]


class AskForm(ProposeForm):
    """A request that the operator makes for one of this node's members."""

    consumer = forms.ChoiceField(label=_("Which member asks"), error_messages={"required": _("Choose a member.")})
    field_order = ("resource", "consumer", "items", "scenario", "legal_basis", "days")

    def __init__(self, *args: Any, entry: Entry, members: Iterable[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, entry=entry, **kwargs)
        self.fields["consumer"].choices = list(members)  # type: ignore[attr-defined]


class ChosenAskForm(forms.Form):
    """Which request."""

    ask = forms.UUIDField(widget=forms.HiddenInput)


class DeclineForm(forms.Form):
    """Why a department's request is not carried."""

    ask = forms.UUIDField(widget=forms.HiddenInput)
    reason = forms.CharField(
        label=_("Reason"), max_length=500, error_messages={"required": _("Write the reason in a few words.")}
    )


class RotateForm(forms.Form):
    """For how long the old key of this node counts beside the new one."""

    grace_days = forms.IntegerField(
        label=_("For how many days does the old key still count?"),
        help_text=_("0 when it may be in other hands; gateways and nodes follow all the same."),
        min_value=0,
        max_value=30,
        initial=7,
        error_messages={"required": _("Enter a number of days.")},
    )


class SureForm(forms.Form):
    """That the key of this node is lost."""

    sure = forms.BooleanField(
        label=_("The key is gone: nothing can be signed with it any more"),
        error_messages={"required": _("Confirm that the key is lost.")},
    )


class RekeyForm(forms.Form):
    """Why another node's key is taken away."""

    why = forms.ChoiceField(
        label=_("What happened to its key?"),
        choices=[
            ("lost", _("Lost: what the node gave stays in force until its last document ends")),
            ("stolen", _("Perhaps in other hands: what the node gave is out of force at once")),
        ],
        widget=forms.RadioSelect,
        error_messages={"required": _("Say what happened.")},
    )


class RejoinForm(forms.Form):
    """The code by which keys are exchanged anew with the node above."""

    code = forms.CharField(label=_("One-time code"), max_length=40, error_messages={"required": _("Enter the code.")})
