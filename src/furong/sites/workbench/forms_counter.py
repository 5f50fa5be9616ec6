"""The forms of the counter: whose affair it is, and what each act asks for.

Each carries a key of its own making (``effect_id``): sent twice, it registers once.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from furong.foundation.codes import queries as codes
from furong.foundation.codes.ids import new_id
from furong.foundation.web.texts import content_language
from furong.foundation.web.widgets import DatePartsInput
from furong.registries.population.values import FEMALE, MALE

QUIET = {"autocomplete": "off", "spellcheck": "false"}
SPOUSE, OTHER, NOBODY = "spouse", "other", "nobody"
_TIME = re.compile(r"([01]?\d|2[0-3])[:：]([0-5]\d)")
Choices = Sequence[tuple[str, str]]


def text_field(
    label: Any, help_text: Any = "", *, longest: int = 100, missing: Any = None, **attrs: str
) -> forms.CharField:
    """Give a field of one line; without ``missing`` it may stay empty."""
    return forms.CharField(
        label=label,
        help_text=help_text,
        max_length=longest,
        required=missing is not None,
        widget=forms.TextInput(attrs=QUIET | attrs),
        error_messages={"required": missing} if missing is not None else None,
    )


def day_field(label: Any, missing: Any) -> forms.DateField:
    """Give a day in three boxes."""
    return forms.DateField(
        label=label,
        widget=DatePartsInput,
        error_messages={"required": missing, "invalid": gettext_lazy("Enter a day that exists.")},
    )


def choices_of(table: str) -> list[tuple[str, str]]:
    """Give a national table as choices, after an empty one."""
    held = codes.get_table(name=table)
    return [("", ""), *((code, held.label(code, content_language())) for code in held.items)]


class WhoForm(forms.Form):
    """The card on the desk: a name and its number."""

    name = text_field(gettext_lazy("Name"), longest=50, missing=gettext_lazy("Enter the name on the card."))
    number = text_field(
        gettext_lazy("Identity number"), longest=20, missing=gettext_lazy("Enter the number as it stands on the card.")
    )


class ActForm(forms.Form):
    """What every act has: its key, groups of fields, and the arguments whose person shows a card.

    A card ``X`` is two fields, ``X_name`` and ``X_number``.
    """

    groups: Sequence[tuple[Promise, tuple[str, ...]]] = ()
    cards: Mapping[str, str] = {}
    effect_id = forms.UUIDField(widget=forms.HiddenInput)

    def __init__(self, data: Any = None, *, about: Mapping[str, Any]) -> None:
        super().__init__(data)
        self.about = about
        self.fields["effect_id"].initial = new_id()
        self.prepare()
        for label, names in self.groups:
            for name in names:
                if name in self.fields:
                    self.fields[name].group = str(label)  # type: ignore[attr-defined]  # read by web.forms

    def prepare(self) -> None:
        """Fit the fields to the person; for forms that need it."""

    def arguments(self) -> dict[str, Any]:
        """Give what was typed, by field; a form that means something else by it says so."""
        return dict(self.cleaned_data)

    def choose(self, name: str, options: Choices) -> None:
        """Set what a field offers."""
        field = self.fields[name]
        assert isinstance(field, forms.ChoiceField)  # noqa: S101 - declared below
        field.choices = list(options)

    def name_next_head(self) -> None:
        """Ask who heads the household that stays, when its head goes and members stay."""
        if self.about["is_head"] and self.about["others"]:
            self.choose("next_head", [("", ""), *self.about["others"]])
        else:
            del self.fields["next_head"]

    def want(self, wanted: Sequence[tuple[str, str]]) -> None:
        """Say of fields that the answers chosen need what is missing."""
        for name, message in wanted:
            if not self.cleaned_data.get(name) and name not in self.errors:
                self.add_error(name, message)


class BirthForm(ActForm):
    """A birth, in the household of the parent at the desk."""

    groups = (
        (gettext_lazy("The child"), ("child_name", "sex", "born_on", "born_time", "ethnicity", "born_place")),
        (gettext_lazy("The other parent"), ("other", "other_name", "other_number", "consent")),
        (gettext_lazy("Papers shown"), ("record_number", "late_note")),
    )
    cards: Mapping[str, str] = {"other_person_id": "other"}
    child_name = text_field(gettext_lazy("Child's name"), longest=50, missing=gettext_lazy("Enter the child's name."))
    sex = forms.ChoiceField(
        label=gettext_lazy("Sex"),
        widget=forms.RadioSelect,
        error_messages={"required": gettext_lazy("Choose the sex that the birth certificate names.")},
    )
    born_on = day_field(gettext_lazy("Date of birth"), gettext_lazy("Enter the day of birth."))
    born_time = text_field(
        gettext_lazy("Time of birth"),
        gettext_lazy("24 hours, as 08:25."),
        longest=5,
        missing=gettext_lazy("Enter the time that the birth certificate names, as 08:25."),
        inputmode="numeric",
    )
    ethnicity = forms.ChoiceField(
        label=gettext_lazy("Ethnic group"), error_messages={"required": gettext_lazy("Choose a parent's ethnic group.")}
    )
    born_place = text_field(gettext_lazy("Place of birth"), gettext_lazy("The hospital, or the address."), longest=200)
    other = forms.ChoiceField(
        label=gettext_lazy("Who is it?"),
        widget=forms.RadioSelect,
        error_messages={"required": gettext_lazy("Choose who the other parent is.")},
    )
    other_name = text_field(gettext_lazy("Their name"), longest=50)
    other_number = text_field(gettext_lazy("Their identity number"), longest=20)
    consent = text_field(
        gettext_lazy("Paper of consent"),
        gettext_lazy("Only where the parents are not recorded as married: its number or day."),
        longest=200,
    )
    record_number = text_field(
        gettext_lazy("Number of the birth certificate"),
        longest=40,
        missing=gettext_lazy("Enter the number of the birth certificate."),
    )
    late_note = text_field(
        gettext_lazy("Why it comes late"), gettext_lazy("Only when the birth is more than a month ago."), longest=200
    )

    def prepare(self) -> None:
        self.choose("sex", [one for one in choices_of("sex") if one[0] in {MALE, FEMALE}])
        self.choose("ethnicity", choices_of("ethnic_group"))
        self.fields["ethnicity"].initial = self.about["ethnicity"]
        options: list[tuple[str, str]] = []
        if self.about["spouse"]:
            options.append((SPOUSE, _("The recorded spouse, %(name)s") % {"name": self.about["spouse"]}))
        options.append((OTHER, _("Somebody else")))
        if self.about["sex"] == FEMALE:
            options.append((NOBODY, _("No father is named")))
        self.choose("other", options)
        self.fields["other"].initial = SPOUSE if self.about["spouse"] else None

    def clean_born_time(self) -> dt.time:
        """Read hours and minutes."""
        found = _TIME.fullmatch(self.cleaned_data["born_time"].strip())
        if found is None:
            raise forms.ValidationError(_("Enter the time as 08:25."))
        return dt.time(int(found[1]), int(found[2]))

    def clean(self) -> dict[str, Any]:
        """Want the other parent's card when somebody else is named."""
        given = super().clean() or self.cleaned_data
        if given.get("other") == OTHER:
            self.want(
                [
                    ("other_name", _("Enter the name on the card.")),
                    ("other_number", _("Enter the number as it stands on the card.")),
                ]
            )
        else:
            given["other_name"] = given["other_number"] = ""
        if given.get("born_on") and given.get("born_time"):
            zone = timezone.get_default_timezone()
            given["born_at"] = dt.datetime.combine(given["born_on"], given["born_time"], tzinfo=zone)
        return given


class DeathForm(ActForm):
    """A death, by the paper that proves it."""

    died_on = day_field(gettext_lazy("Day of death"), gettext_lazy("Enter the day of death."))
    evidence = text_field(
        gettext_lazy("Paper shown"),
        gettext_lazy("The medical certificate of death, or the court's decision: its number."),
        longest=200,
        missing=gettext_lazy("Name the paper that proves the death."),
    )


class NameForm(ActForm):
    """Another name on application; the old one is kept as the former name."""

    groups = (
        (gettext_lazy("The name"), ("name", "changed_on", "reason", "surname_ground")),
        (
            gettext_lazy("Who applies"),
            ("applicant_name", "applicant_number", "other_parent_consent", "guardian_evidence", "child_agrees"),
        ),
        (gettext_lazy("Papers shown"), ("evidence",)),
    )
    cards: Mapping[str, str] = {"applicant_person_id": "applicant"}
    name = text_field(gettext_lazy("New name"), longest=50, missing=gettext_lazy("Enter the new name."))
    changed_on = day_field(gettext_lazy("From which day on"), gettext_lazy("Enter the day."))
    reason = text_field(gettext_lazy("Reason"), longest=200, missing=gettext_lazy("Write the reason in a few words."))
    surname_ground = text_field(
        gettext_lazy("Ground for another surname"),
        gettext_lazy("Only where the surname is neither the father's, nor the mother's, nor the one held."),
        longest=200,
    )
    applicant_name = text_field(gettext_lazy("Applicant's name"), longest=50)
    applicant_number = text_field(gettext_lazy("Applicant's identity number"), longest=20)
    other_parent_consent = text_field(
        gettext_lazy("Consent of the other parent"), gettext_lazy("The paper's number or day."), longest=200
    )
    guardian_evidence = text_field(
        gettext_lazy("Paper that names the guardian"), gettext_lazy("Only where no parent applies."), longest=200
    )
    child_agrees = forms.BooleanField(label=gettext_lazy("The child, eight years or older, agrees"), required=False)
    evidence = text_field(
        gettext_lazy("Application"),
        gettext_lazy("Its number or day."),
        longest=200,
        missing=gettext_lazy("Name the papers that were shown."),
    )

    def prepare(self) -> None:
        self.fields["changed_on"].initial = self.about["today"]
        if not self.about["is_minor"]:
            for name in self.groups[1][1]:
                del self.fields[name]

    def clean(self) -> dict[str, Any]:
        """Want a minor's applicant."""
        given = super().clean() or self.cleaned_data
        if self.about["is_minor"]:
            self.want(
                [
                    ("applicant_name", _("Enter the applicant's name.")),
                    ("applicant_number", _("Enter the applicant's number.")),
                ]
            )
        return given


class MarriageForm(ActForm):
    """A marriage that the office for marriages recorded, marked on both people."""

    groups = (
        (gettext_lazy("The spouse"), ("spouse_name", "spouse_number")),
        (gettext_lazy("Papers shown"), ("married_on", "evidence")),
    )
    cards: Mapping[str, str] = {"spouse_person_id": "spouse"}
    spouse_name = text_field(
        gettext_lazy("Their name"), longest=50, missing=gettext_lazy("Enter the name on the card.")
    )
    spouse_number = text_field(
        gettext_lazy("Their identity number"),
        longest=20,
        missing=gettext_lazy("Enter the number as it stands on the card."),
    )
    married_on = day_field(gettext_lazy("Day of the marriage"), gettext_lazy("Enter the day of the marriage."))
    evidence = text_field(
        gettext_lazy("Number of the marriage certificate"),
        longest=200,
        missing=gettext_lazy("Enter the number of the marriage certificate."),
    )


class DivorceForm(ActForm):
    """The end of a marriage, by certificate or judgment."""

    divorced_on = day_field(gettext_lazy("Day of the divorce"), gettext_lazy("Enter the day of the divorce."))
    evidence = text_field(
        gettext_lazy("Paper shown"),
        gettext_lazy("The divorce certificate, or the court's decision: its number."),
        longest=200,
        missing=gettext_lazy("Name the paper that proves the divorce."),
    )


class AdoptionForm(ActForm):
    """An adoption, into the household of the adopter at the desk."""

    groups = (
        (gettext_lazy("The child"), ("child_name", "child_number", "name")),
        (gettext_lazy("Who adopts"), ("other",)),
        (gettext_lazy("Papers shown"), ("adopted_on", "evidence")),
    )
    cards: Mapping[str, str] = {"child_person_id": "child"}
    child_name = text_field(
        gettext_lazy("Child's name"),
        gettext_lazy("As it stands in the register now."),
        longest=50,
        missing=gettext_lazy("Enter the child's name."),
    )
    child_number = text_field(
        gettext_lazy("Child's identity number"), longest=20, missing=gettext_lazy("Enter the child's number.")
    )
    name = text_field(gettext_lazy("New name"), gettext_lazy("Empty: the child keeps the name."), longest=50)
    other = forms.ChoiceField(
        label=gettext_lazy("With whom?"),
        help_text=gettext_lazy(
            "Married people adopt together; whoever adopts the child of their own spouse adopts alone."
        ),
        widget=forms.RadioSelect,
        error_messages={"required": gettext_lazy("Choose whether the spouse adopts too.")},
    )
    adopted_on = day_field(gettext_lazy("Day of the adoption"), gettext_lazy("Enter the day of the adoption."))
    evidence = text_field(
        gettext_lazy("Number of the adoption certificate"),
        longest=200,
        missing=gettext_lazy("Enter the number of the adoption certificate."),
    )

    def prepare(self) -> None:
        spouse = self.about["spouse"]
        options = [(SPOUSE, _("With the recorded spouse, %(name)s") % {"name": spouse})] if spouse else []
        self.choose("other", [*options, (NOBODY, _("Alone"))])
        self.fields["other"].initial = SPOUSE if spouse else NOBODY


class MissingForm(ActForm):
    """Since when somebody is missing, or when they were found."""

    on = day_field(gettext_lazy("Which day"), gettext_lazy("Enter the day."))
    evidence = text_field(
        gettext_lazy("Paper shown"),
        gettext_lazy("The report, or the court's decision: its number."),
        longest=200,
        missing=gettext_lazy("Name the papers that were shown."),
    )


class CorrectionForm(ActForm):
    """What the register got wrong: only fields that differ are corrected."""

    groups = (
        (gettext_lazy("As it should read"), ("name", "sex", "ethnicity", "born_on", "born_place")),
        (gettext_lazy("What proves it"), ("evidence",)),
    )
    name = text_field(gettext_lazy("Name"), longest=50, missing=gettext_lazy("A person has a name."))
    sex = forms.ChoiceField(label=gettext_lazy("Sex"))
    ethnicity = forms.ChoiceField(label=gettext_lazy("Ethnic group"))
    born_on = day_field(gettext_lazy("Date of birth"), gettext_lazy("Enter the day of birth."))
    born_place = text_field(gettext_lazy("Place of birth"), longest=200)
    evidence = text_field(
        gettext_lazy("Evidence"),
        gettext_lazy("The paper that proves it: kind, number, day."),
        longest=200,
        missing=gettext_lazy("Name the paper that proves it."),
    )

    def prepare(self) -> None:
        self.choose("sex", choices_of("sex"))
        self.choose("ethnicity", choices_of("ethnic_group"))
        for name in ("name", "sex", "ethnicity", "born_on", "born_place"):
            self.fields[name].initial = self.about[name]

    def facts(self) -> dict[str, Any]:
        """Give what differs from what the register says."""
        names = ("name", "sex", "ethnicity", "born_on", "born_place")
        return {name: self.cleaned_data[name] for name in names if self.cleaned_data[name] != (self.about[name] or "")}

    def arguments(self) -> dict[str, Any]:
        """Give the facts that differ, and what proves them."""
        return {
            "facts": self.facts(),
            "evidence": self.cleaned_data["evidence"],
            "effect_id": self.cleaned_data["effect_id"],
        }

    def clean(self) -> dict[str, Any]:
        """Want a difference."""
        given = super().clean() or self.cleaned_data
        if not self.errors and not self.facts():
            self.add_error("name", _("Nothing differs from what the register says; change what is wrong."))
        return given
