"""The form that checks a name, and keeps it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils.functional import lazy
from django.utils.translation import gettext_lazy as _

from furong.foundation.web import texts
from furong.registries.legal_entities.names import Industry
from furong.registries.legal_entities.values import KINDS, EntityKind

_text = lazy(texts.text, str)
FOUNDED = tuple(kind for kind, facts in KINDS.items() if facts.is_market and kind is not EntityKind.BRANCH)


class NameForm(forms.Form):
    """The four parts of a name (Order 734, art. 6)."""

    kind = forms.ChoiceField(label=_("What it will be"), choices=[(k.value, _text(KINDS[k].name)) for k in FOUNDED])
    division = forms.ChoiceField(label=_("Where it is registered"))
    area = forms.ChoiceField(
        label=_("Which place the name bears"),
        choices=[("city", _("The city")), ("county", _("The county or district")), ("province", _("The province"))],
    )
    trade_name = forms.CharField(
        label=_("Trade name"),
        help_text=_("Two or more Chinese characters, without place, trade and form."),
        max_length=20,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        error_messages={"required": _("Enter the trade name.")},
    )
    industry = forms.ChoiceField(label=_("Trade"), required=False)
    industry_words = forms.CharField(
        label=_("Words for the trade in the name"),
        help_text=_("Left out, the usual ones are taken."),
        max_length=20,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )

    def __init__(
        self,
        data: Any = None,
        *,
        divisions: Sequence[tuple[str, object]],
        industries: Sequence[Industry],
        initial: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(data, initial=initial)
        self.fields["division"].choices = list(divisions)  # type: ignore[attr-defined]
        self.fields["industry"].choices = [  # type: ignore[attr-defined]
            ("", _("None in the name")),
            *((one.code, f"{texts.text(one.name)}（{one.words[0]}）") for one in industries),
        ]

    def parts(self) -> dict[str, Any]:
        """Give what the register asks for."""
        given = self.cleaned_data
        return {
            "kind": EntityKind(given["kind"]),
            "trade_name": given["trade_name"],
            "industry": given["industry"],
            "industry_words": given["industry_words"],
            "area": given["area"],
            "division_code": given["division"],
        }
