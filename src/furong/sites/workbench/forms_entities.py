"""The form by which staff look a legal entity up, and why."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.functional import lazy
from django.utils.translation import gettext_lazy as _

from furong.foundation.web import texts
from furong.registries.legal_entities.values import KINDS, STATES
from furong.sites.workbench.forms_registers import PurposeForm

_text = lazy(texts.text, str)


class EntitySearchForm(PurposeForm):
    """Which entity: its credit code, or how its name begins; kind and state narrow."""

    text = forms.CharField(
        label=_("Name or unified social credit code"),
        help_text=_("The whole name or its beginning, or the trade name."),
        max_length=100,
        min_length=2,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        error_messages={"required": _("Give a name or a code."), "min_length": _("Give two characters or more.")},
    )
    kind = forms.ChoiceField(
        label=_("Kind of entity"),
        required=False,
        choices=[("", _("Any")), *((kind.value, _text(facts.name)) for kind, facts in KINDS.items())],
    )
    state = forms.ChoiceField(
        label=_("State"),
        required=False,
        choices=[("", _("Any")), *((state.value, _text(name)) for state, name in STATES.items())],
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("text", "kind", "state"):
            self.fields[name].group = _("Which entity")  # type: ignore[attr-defined]  # read by web.forms
