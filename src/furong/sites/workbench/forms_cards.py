"""The forms of identity cards and portraits. Those that write carry a key of their own: sent twice, it is done once."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from furong.foundation.codes.ids import new_id
from furong.registries.identity_cards.values import Reason
from furong.registries.portraits.values import MOST_BYTES
from furong.sites.workbench.forms_counter import text_field
from furong.sites.workbench.words_cards import REASONS


class _OnceForm(forms.Form):
    effect_id = forms.UUIDField(widget=forms.HiddenInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("auto_id", f"{type(self).__name__.lower()}_%s")  # two of them stand on one page
        super().__init__(*args, **kwargs)
        if not self.is_bound:
            self.initial["effect_id"] = new_id()


class PortraitForm(_OnceForm):
    """A picture taken at the counter."""

    picture = forms.FileField(
        label=_("Picture"),
        help_text=_("JPEG, upright, face to the camera, plain background; at most 2 MB."),
        widget=forms.FileInput(attrs={"accept": "image/jpeg"}),
        error_messages={"required": _("Choose a picture.")},
    )
    ask = forms.BooleanField(
        label=_("It is right as it is; have somebody look at it"),
        help_text=_("For a picture that the check does not understand."),
        required=False,
    )

    def clean_picture(self) -> Any:
        """Refuse what is larger than any portrait before it is read."""
        given = self.cleaned_data["picture"]
        if given.size > MOST_BYTES:
            raise forms.ValidationError(_("The picture is larger than 2 MB."), code="too_large")
        return given


class CardForm(_OnceForm):
    """Why a card is asked for."""

    reason = forms.ChoiceField(
        label=_("Why a card?"),
        choices=[("", ""), *((one.value, words) for one, words in REASONS.items() if one is not Reason.TEMPORARY)],
        error_messages={"required": _("Choose why.")},
    )


class ReturnForm(forms.Form):
    """What the factory sent."""

    file = forms.FileField(
        label=_("The factory's file"),
        help_text=_("CSV in UTF-8 with the columns batch, card, result, chip, remark."),
        widget=forms.FileInput(attrs={"accept": ".csv,text/csv"}),
        error_messages={"required": _("Choose a file.")},
    )


class DecisionForm(forms.Form):
    """Which of the two is right, and what proves it."""

    wrong = forms.ChoiceField(
        label=_("Which of the two is wrong?"),
        choices=[("", ""), ("register", _("The register: correct it")), ("card", _("The card: make it anew"))],
        error_messages={"required": _("Choose what is wrong.")},
    )
    evidence = text_field(
        _("Document that proves it"),
        _("For example the birth certificate, with its number."),
        longest=200,
        missing=_("Name the document."),
    )


class LookForm(forms.Form):
    """What somebody says of a doubtful portrait."""

    verdict = forms.ChoiceField(
        label=_("Is it a portrait?"),
        choices=[("", ""), ("accept", _("Yes: put it in force")), ("refuse", _("No: refuse it"))],
        error_messages={"required": _("Choose one.")},
    )
    reason = text_field(_("Why not"), _("The person is told this reason."), longest=200)

    def clean(self) -> dict[str, Any]:
        """Ask for a reason of who refuses."""
        found = super().clean() or {}
        if found.get("verdict") == "refuse" and not found.get("reason"):
            self.add_error("reason", _("Say why it is refused."))
        return found


class SettleForm(forms.Form):
    """What was done about bytes that are gone or changed."""

    note = text_field(_("What was done"), longest=200, missing=_("Say what was done."))
