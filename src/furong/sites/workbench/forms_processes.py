"""The forms of what an administrator does to processes. Each wants a reason, which stays in the audit."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from furong.domains.processes.values import DefinitionInfo
from furong.domains.processes.values.overseeing import InstanceView
from furong.foundation.web.texts import moment


def _reason(*, required: bool = True) -> forms.CharField:
    return forms.CharField(
        label=gettext_lazy("Reason"),
        help_text=gettext_lazy("It stays in the audit with your name. No names or numbers of persons.")
        if required
        else gettext_lazy("Not needed for looking, but for taking along. No names or numbers of persons."),
        widget=forms.Textarea(attrs={"rows": 3}),
        max_length=500,
        required=required,
        error_messages={"required": gettext_lazy("Write the reason in a few words.")},
    )


class InterveneForm(forms.Form):
    """An act on one instance."""

    def __init__(
        self,
        data: Mapping[str, Any] | None,
        *,
        view: InstanceView,
        names: Mapping[str, str],
        versions: Iterable[DefinitionInfo],
    ) -> None:
        super().__init__(data)
        self.prepare(view, names, list(versions))

    def prepare(self, view: InstanceView, names: Mapping[str, str], versions: list[DefinitionInfo]) -> None:
        """Offer what the instance has to choose from."""

    def arguments(self) -> dict[str, Any]:
        """Give what the command takes."""
        return dict(self.cleaned_data)


class ReasonForm(InterveneForm):
    """An act that wants nothing but its reason."""

    reason = _reason()


class MoveForm(InterveneForm):
    """Which token, and where to."""

    token = forms.TypedChoiceField(
        label=gettext_lazy("Token"), coerce=int, error_messages={"required": gettext_lazy("Choose the token.")}
    )
    element = forms.ChoiceField(
        label=gettext_lazy("Move it to"), error_messages={"required": gettext_lazy("Choose the step.")}
    )
    reason = _reason()

    def prepare(self, view: InstanceView, names: Mapping[str, str], versions: list[DefinitionInfo]) -> None:
        """Offer the tokens with where they stand, and the elements of the version."""
        _choose(
            self.fields["token"],
            [
                (str(token.number), f"{token.number} · {names.get(token.element_id, token.element_id)}")
                for token in view.tokens
            ],
        )
        _choose(self.fields["element"], sorted(names.items(), key=lambda one: one[1]))


class MigrateOneForm(InterveneForm):
    """To which version one instance goes."""

    to_digest = forms.ChoiceField(
        label=gettext_lazy("To version"), error_messages={"required": gettext_lazy("Choose the version.")}
    )
    nodes = forms.CharField(
        label=gettext_lazy("Steps that are called otherwise there"),
        help_text=gettext_lazy("One a line: old = new. Steps with the same id need no line."),
        widget=forms.Textarea(attrs={"rows": 3}),
        max_length=4000,
        required=False,
    )
    reason = _reason()

    def prepare(self, view: InstanceView, names: Mapping[str, str], versions: list[DefinitionInfo]) -> None:
        """Offer the other versions."""
        _choose(self.fields["to_digest"], _versions(versions))

    def clean_nodes(self) -> dict[str, str]:
        """Read the map of steps."""
        return read_map(self.cleaned_data["nodes"])


class MigrateForm(forms.Form):
    """To which version all running instances of a version go. A dry run needs no reason."""

    to_digest = forms.ChoiceField(
        label=gettext_lazy("To version"), error_messages={"required": gettext_lazy("Choose the version.")}
    )
    nodes = forms.CharField(
        label=gettext_lazy("Steps that are called otherwise there"),
        help_text=gettext_lazy("One a line: old = new. Steps with the same id need no line."),
        widget=forms.Textarea(attrs={"rows": 4}),
        max_length=4000,
        required=False,
    )
    leave_stuck = forms.BooleanField(label=gettext_lazy("Leave those that would be stuck as they are"), required=False)
    reason = _reason(required=False)

    def __init__(self, data: Mapping[str, Any] | None, *, versions: Iterable[DefinitionInfo]) -> None:
        super().__init__(data)
        _choose(self.fields["to_digest"], _versions(list(versions)))

    def clean_nodes(self) -> dict[str, str]:
        """Read the map of steps."""
        return read_map(self.cleaned_data["nodes"])

    def arguments(self) -> dict[str, Any]:
        """Give what a plan takes."""
        return {"to_digest": self.cleaned_data["to_digest"], "nodes": self.cleaned_data["nodes"]}


def read_map(text: str) -> dict[str, str]:
    """Read lines of ``old = new``. Raises ValidationError for a line that is none."""
    found: dict[str, str] = {}
    for line in text.splitlines():
        if not line.strip():
            continue
        old, sign, new = (part.strip() for part in line.partition("="))
        if not (old and sign and new) or " " in old or " " in new:
            raise forms.ValidationError(_("This line is not “old = new”: %(line)s") % {"line": line.strip()[:60]})
        found[old] = new
    return found


def _versions(versions: list[DefinitionInfo]) -> list[tuple[str, str]]:
    return [
        (
            one.digest,
            _("Version %(number)s, published %(day)s") % {"number": one.version, "day": moment(one.published_at)},
        )
        for one in versions
    ]


def _choose(field: forms.Field, choices: list[tuple[str, str]]) -> None:
    assert isinstance(field, forms.ChoiceField)  # noqa: S101 - declared above
    field.choices = [("", ""), *choices]
