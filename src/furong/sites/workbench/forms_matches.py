"""A file to compare with the population register."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from furong.registries.population.bulk.mapping import ENCODINGS
from furong.registries.population.matches.values import DISCLOSABLE
from furong.sites.workbench import facts
from furong.sites.workbench.forms_registers import PurposeForm

_COLUMNS = ("number", "name", "born_on")


def told_label(name: str) -> str:
    """Give what a field that is told of people who match is called."""
    return str(_("Year of birth")) if name == "birth_year" else facts.field_label(name)


class MatchForm(PurposeForm):
    """Which file, how its columns are called, what to be told of people who match, and why."""

    file = forms.FileField(
        label=_("File"),
        help_text=_("CSV or Parquet, at most a million rows and 50 MB."),
        widget=forms.FileInput(attrs={"accept": ".csv,.parquet,text/csv"}),
        error_messages={"required": _("Choose a file.")},
    )
    number = forms.CharField(
        label=_("Column of the identity number"),
        help_text=_("Leave empty what is called as usual: 身份证号, 姓名, 出生日期, or number, name, born_on."),
        max_length=60,
        required=False,
    )
    name = forms.CharField(label=_("Column of the name"), max_length=60, required=False)
    born_on = forms.CharField(label=_("Column of the date of birth"), max_length=60, required=False)
    encoding = forms.ChoiceField(
        label=_("Encoding of a CSV file"),
        help_text=_("Excel in Chinese saves GB 18030."),
        choices=[(one, one.upper().replace("GB18030", "GB 18030")) for one in ENCODINGS],
    )
    fields_told = forms.MultipleChoiceField(
        label=_("Beside the answer, tell of people who match"),
        help_text=_("Nothing, if yes or no is enough. Names and numbers come masked."),
        widget=forms.CheckboxSelectMultiple,
        required=False,
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["fields_told"]
        assert isinstance(field, forms.MultipleChoiceField)  # noqa: S101 - declared above
        field.choices = [(name, told_label(name)) for name in DISCLOSABLE]
        for name in ("file", *_COLUMNS, "encoding", "fields_told"):
            self.fields[name].group = _("What to compare")  # type: ignore[attr-defined]  # read by web.forms
        for name in _COLUMNS:
            self.fields[name].widget.attrs.update({"autocomplete": "off", "spellcheck": "false"})

    def columns(self) -> dict[str, str]:
        """Give what the columns are called, where something was said."""
        return {name: self.cleaned_data[name] for name in _COLUMNS if self.cleaned_data[name]}
