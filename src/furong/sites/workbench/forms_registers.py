"""The forms of the registers: why somebody looks, and for whom."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from django import forms
from django.conf import settings
from django.utils import translation
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from furong.foundation.audit.secrecy import SecrecyOrder
from furong.foundation.codes import queries as codes
from furong.foundation.web.texts import content_language
from furong.foundation.web.widgets import DatePartsInput
from furong.registries.population.values import FEMALE, MALE
from furong.sites.workbench.places import PlaceField

PURPOSES: Mapping[str, Promise] = {
    "case": _("Handling an application"),
    "counter": _("Checking facts for a person at the counter"),
    "correction": _("Correcting the register"),
    "complaint": _("Answering a complaint or a petition"),
    "authority": _("Request of a court or another authority"),
    "supervision": _("Supervision and inspection"),
    "other": _("Another duty"),
}
# What a clerk most often names; anything else is written.
LEGAL_BASES = (
    "《中华人民共和国户口登记条例》",
    "《中华人民共和国居民身份证法》",
    "《中华人民共和国市场主体登记管理条例》",
    "《中华人民共和国行政许可法》",
    "《中华人民共和国个人信息保护法》第三十四条",
    "《中华人民共和国母婴保健法》",
    "《中华人民共和国社会保险法》",
    "《中华人民共和国疫苗管理法》",
    "《中华人民共和国监察法》",
)


class PurposeForm(forms.Form):
    """Why somebody looks at a person's data (个人信息保护法, art. 34: within the duty, and no further)."""

    purpose = forms.ChoiceField(label=_("Purpose"), error_messages={"required": _("State the purpose.")})
    purpose_note = forms.CharField(
        label=_("In a few words"),
        help_text=_("The person can read this. Write no names and no numbers."),
        max_length=100,
        required=False,
    )
    legal_basis = forms.CharField(
        label=_("Basis in law"),
        help_text=_("Law or order and article; choose one or write it."),
        max_length=200,
        widget=forms.TextInput(attrs={"list": "legal-bases", "autocomplete": "off"}),
        error_messages={"required": _("Name the legal basis.")},
    )
    case_number = forms.CharField(
        label=_("Case number"),
        help_text=_("If you look for the sake of a case."),
        max_length=44,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    secrecy = forms.ChoiceField(
        label=_("Under an order of secrecy"),
        help_text=_("For an investigation of your organisation: the person learns of it when the order ends."),
        required=False,
    )

    def __init__(self, *args: Any, orders: Sequence[SecrecyOrder] = (), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["purpose"]
        assert isinstance(field, forms.ChoiceField)  # noqa: S101 - declared above
        field.choices = [("", ""), *PURPOSES.items()]
        if orders:
            field = self.fields["secrecy"]
            assert isinstance(field, forms.ChoiceField)  # noqa: S101 - declared above
            field.choices = [
                ("", _("No: the person sees it at once")),
                *((str(one.id), one.reference) for one in orders),
            ]
        else:
            del self.fields["secrecy"]
        for name in ("purpose", "purpose_note", "legal_basis", "case_number", "secrecy"):
            if name in self.fields:
                self.fields[name].group = _("Why you look")  # type: ignore[attr-defined]  # read by web.forms

    def clean(self) -> dict[str, Any]:
        """Want words for what the list does not name."""
        given = super().clean() or self.cleaned_data
        if given.get("purpose") == "other" and not given.get("purpose_note"):
            self.add_error("purpose_note", _("Say which duty, in a few words."))
        if self.data.get("secrecy") and "secrecy" not in self.fields:
            # Who means to read under an order must not read in the open because it ended meanwhile.
            self.add_error(
                None, _("The order of secrecy is over, or is not your organisation's. Nobody was looked up.")
            )
        return given

    def purpose_words(self) -> str:
        """Give the purpose as it is recorded: in the platform's first language, whatever the clerk reads."""
        with translation.override(settings.LANGUAGE_CODE):
            words = str(PURPOSES[self.cleaned_data["purpose"]])
        note = self.cleaned_data["purpose_note"]
        return f"{words}（{note}）" if note else words

    def secrecy_order_id(self) -> UUID | None:
        """Give the order of secrecy that was chosen."""
        chosen = self.cleaned_data.get("secrecy")
        return UUID(chosen) if chosen else None


class ExportForm(PurposeForm):
    """Which service's cases, and why."""

    item = forms.ChoiceField(label=_("Service"), error_messages={"required": _("Choose the service.")})

    def __init__(self, *args: Any, items: list[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        del self.fields["case_number"]  # many cases, not one
        field = self.fields["item"]
        assert isinstance(field, forms.ChoiceField)  # noqa: S101 - declared above
        field.choices = [("", ""), *items]
        self.order_fields(["item"])


NARROWING = ("sex", "division", "born_in", "native_of")


class PopulationForm(PurposeForm):
    """Whom to look for: one of four at least; the rest narrows it."""

    name = forms.CharField(label=_("Name"), help_text=_("Whole, or its beginning."), max_length=50, required=False)
    pinyin = forms.CharField(label=_("Pinyin"), help_text=_("Or its initials."), max_length=60, required=False)
    number = forms.CharField(label=_("Identity number"), max_length=20, required=False)
    born_on = forms.DateField(label=_("Date of birth"), widget=DatePartsInput, required=False)
    born_last = forms.DateField(
        label=_("Or born from that day until"),
        help_text=_("At most a year, unless a name or a number is given."),
        widget=DatePartsInput,
        required=False,
    )
    sex = forms.ChoiceField(label=_("Sex"), required=False)
    division = forms.ChoiceField(label=_("Registered in"), required=False)
    born_in = PlaceField(label=_("Place of birth"))
    native_of = PlaceField(label=_("Native place"))
    after = forms.CharField(widget=forms.HiddenInput, required=False, max_length=400)

    def __init__(self, *args: Any, places: Sequence[tuple[str, str]] = (), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("name", "pinyin", "number"):
            self.fields[name].widget.attrs.update({"autocomplete": "off", "spellcheck": "false"})
        for name in ("name", "pinyin", "number", "born_on", "born_last"):
            self.fields[name].group = _("For whom")  # type: ignore[attr-defined]  # read by web.forms
        for name in NARROWING:
            self.fields[name].group = _("Narrow it down")  # type: ignore[attr-defined]  # read by web.forms
        sexes = codes.get_table(name="sex")
        for name, choices in (
            ("sex", [(code, sexes.label(code, content_language())) for code in (MALE, FEMALE)]),
            ("division", list(places)),
        ):
            field = self.fields[name]
            assert isinstance(field, forms.ChoiceField)  # noqa: S101 - declared above
            field.choices = [("", _("Any")), *choices]

    @property
    def names_somebody(self) -> bool:
        """Whether anything to look for was given, also when the purpose was not."""
        given = getattr(self, "cleaned_data", {})
        return any(given.get(name) for name in ("name", "pinyin", "number", "born_on"))

    def criteria(self) -> dict[str, Any]:
        """Give what the register's search takes."""
        given = self.cleaned_data
        wanted = {
            name: given[name]
            for name in ("name", "pinyin", "number", "born_on", "after", "sex", "born_in", "native_of")
        }
        last: date | None = given["born_last"]
        return wanted | {
            "division_prefix": given["division"],
            "born_until": last + timedelta(days=1) if last is not None else None,
        }

    def clean(self) -> dict[str, Any]:
        """Want somebody to look for, and a range that ends after it begins."""
        given = super().clean()
        if not self.names_somebody and "born_on" not in self.errors:
            self.add_error("name", _("Give a name, its pinyin, an identity number or a date of birth."))
        first, last = given.get("born_on"), given.get("born_last")
        if last is not None and "born_on" not in self.errors and (first is None or last < first):
            self.add_error("born_last", _("Give the first day too, not later than the last."))
        return given


class AsOfForm(forms.Form):
    """What was known when: a day on which facts held, and a day on which the register was asked."""

    valid_on = forms.DateField(label=_("Facts that held on"), widget=DatePartsInput)
    known_on = forms.DateField(label=_("As the register knew them on"), widget=DatePartsInput)

    def clean(self) -> dict[str, Any]:
        """Refuse what lies ahead: the register knows nothing of it."""
        given = super().clean() or self.cleaned_data
        known: date | None = given.get("known_on")
        if known is not None and known > self.today:
            self.add_error("known_on", _("This day has not come yet."))
        return given

    def __init__(self, *args: Any, today: date, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.today = today


class LicenceSearchForm(PurposeForm):
    """Which licence: its number, or the case that gave it."""

    number = forms.CharField(
        label=_("Number of the licence"),
        help_text=_("As it stands on the licence. Without it, all licences of the case are listed."),
        max_length=60,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )

    def clean(self) -> dict[str, Any]:
        """Want one of the two."""
        given = super().clean()
        if not given.get("number") and not given.get("case_number"):
            self.add_error("number", _("Give the number of a licence or of a case."))
        return given


class LicenceFileForm(forms.Form):
    """A file to check."""

    file = forms.FileField(
        label=_("The PDF as it was received"),
        help_text=_("It is checked and not kept."),
        widget=forms.FileInput(attrs={"accept": "application/pdf,.pdf"}),
        error_messages={"required": _("Choose a PDF of at most 10 MB.")},
    )


class RevokeForm(forms.Form):
    """Why a licence is revoked."""

    reason = forms.CharField(
        label=_("Reason"),
        help_text=_("The holder reads it with the licence. Name the law and article."),
        widget=forms.Textarea(attrs={"rows": 3}),
        max_length=500,
        error_messages={"required": _("Write the reason; a revocation without one is not lawful.")},
    )
    understood = forms.BooleanField(
        label=_("I have checked that it is this licence, and I know that it cannot be undone."),
        error_messages={"required": _("Confirm that you have checked.")},
    )
