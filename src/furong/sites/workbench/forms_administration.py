"""The forms of administration: organisations, posts with their rights, appointments, accounts, and what an auditor looks for."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from furong.foundation.access.values import RIGHTS
from furong.foundation.organizations.values import REACH_NAMES, Grant, Name, Reach
from furong.foundation.web.texts import text
from furong.foundation.web.widgets import DatePartsInput
from furong.sites.workbench.words_audit import action_words, log_words

Choices = Sequence[tuple[str, Any]]
_OFF = {"autocomplete": "off"}


def _choose(form: forms.Form, name: str, choices: Iterable[tuple[Any, Any]]) -> None:
    field = form.fields[name]
    assert isinstance(field, forms.ChoiceField)  # noqa: S101 - declared so
    field.choices = list(choices)


class NameForm(forms.Form):
    """A name in Chinese and, where there is one, in English."""

    name_zh = forms.CharField(
        label=_("Name in Chinese"), max_length=100, error_messages={"required": _("Give the name.")}
    )
    name_en = forms.CharField(label=_("Name in English"), max_length=200, required=False)

    def name(self) -> Name:
        """Give the name as commands take it."""
        return Name(zh=self.cleaned_data["name_zh"], en=self.cleaned_data["name_en"])


class OrganizationForm(NameForm):
    """What is shown of an organisation, and where it stands."""

    short_zh = forms.CharField(label=_("Short name"), max_length=50, required=False)
    parent = forms.ChoiceField(label=_("Stands below"), required=False)
    address = forms.CharField(label=_("Address"), max_length=200, required=False)
    phone = forms.CharField(label=_("Telephone"), max_length=30, required=False)

    def __init__(self, *args: Any, parents: Choices, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _choose(self, "parent", [("", _("nothing")), *parents])


class NewOrganizationForm(OrganizationForm):
    """An organisation to add in a division."""

    department = forms.ChoiceField(label=_("Department"), error_messages={"required": _("Choose the department.")})
    code = forms.CharField(
        label=_("Unified social credit code"),
        help_text=_("Eighteen characters. A body without one of its own gets a code of the platform's."),
        max_length=18,
        required=False,
        widget=forms.TextInput(attrs=_OFF),
    )
    field_order = ("department", "name_zh", "name_en", "short_zh", "code", "parent", "address", "phone")

    def __init__(self, *args: Any, departments: Choices, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _choose(self, "department", [("", ""), *departments])
        _choose(self, "parent", [("", _("the nearest of its department"))])


class ReasonForm(forms.Form):
    """An act with a reason for the file."""

    reason = forms.CharField(
        label=_("Reason"),
        help_text=_("For the file, in a few words, with the number of the order if there is one."),
        max_length=200,
        error_messages={"required": _("Write the reason in a few words.")},
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class RightRow:
    """One right as a row of the post's form: a box to tick and how far it reaches."""

    code: str
    label: str
    on: bool
    reach: str

    @property
    def field(self) -> str:
        """The name of the box of reach in the form."""
        return f"reach-{self.code}"


class PostForm(forms.Form):
    """A post: its title, its unit, and the rights it gives with their reach."""

    title_zh = forms.CharField(
        label=_("Title in Chinese"), max_length=100, error_messages={"required": _("Give the title.")}
    )
    title_en = forms.CharField(label=_("Title in English"), max_length=200, required=False)
    unit = forms.ChoiceField(label=_("Unit"), required=False)

    def __init__(self, *args: Any, units: Choices, held: Iterable[Grant] = (), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _choose(self, "unit", [("", _("none")), *units])
        self.held = {grant.right: grant.reach for grant in held}

    def title(self) -> Name:
        """Give the title as commands take it."""
        return Name(zh=self.cleaned_data["title_zh"], en=self.cleaned_data["title_en"])

    def grants(self) -> list[Grant]:
        """Give the rights that were ticked with their reach; what is no right or no reach is left out."""
        ticked = set(self.data.getlist("right")) if hasattr(self.data, "getlist") else set()
        found = []
        for code in RIGHTS:
            if code in ticked:
                reach = str(self.data.get(f"reach-{code}", ""))
                found.append(Grant(right=code, reach=Reach(reach) if reach in set(Reach) else Reach.ORGANIZATION))
        return found

    def right_rows(self) -> list[RightRow]:
        """Give every right the platform knows: as typed once sent, as the post has it before."""
        given = {grant.right: grant.reach for grant in self.grants()} if self.is_bound else self.held
        return [
            RightRow(
                code=code,
                label=text({"zh": right.zh, "en": right.en}),
                on=code in given,
                reach=(given.get(code) or Reach.ORGANIZATION).value,
            )
            for code, right in sorted(RIGHTS.items())
        ]


def reaches() -> list[tuple[str, str]]:
    """Give the reaches a right may have, the narrowest first."""
    return [(reach.value, text({"zh": zh, "en": en})) for reach, (zh, en) in REACH_NAMES.items()]


class AppointForm(forms.Form):
    """Who sits in a post, and from when."""

    username = forms.CharField(
        label=_("Username of the staff account"),
        max_length=64,
        widget=forms.TextInput(attrs={**_OFF, "spellcheck": "false"}),
        error_messages={"required": _("Give the username.")},
    )
    from_on = forms.DateField(
        label=_("Begins on"), help_text=_("Today, if left empty."), widget=DatePartsInput, required=False
    )
    until_on = forms.DateField(
        label=_("Ends on"),
        help_text=_("The first day without the post; empty for an appointment without end."),
        widget=DatePartsInput,
        required=False,
    )
    is_main = forms.BooleanField(label=_("It is the main post"), required=False, initial=True)
    reason = forms.CharField(label=_("Reason or order"), max_length=200, required=False)


class AccountForm(forms.Form):
    """A staff account to make."""

    username = forms.CharField(
        label=_("Username"),
        help_text=_("Three to 64 letters, digits or characters; not an identity or telephone number."),
        max_length=64,
        widget=forms.TextInput(attrs={**_OFF, "spellcheck": "false"}),
        error_messages={"required": _("Give a username.")},
    )
    display_name = forms.CharField(
        label=_("Name shown to colleagues"),
        max_length=100,
        widget=forms.TextInput(attrs=_OFF),
        error_messages={"required": _("Give the name.")},
    )


class FindAccountForm(forms.Form):
    """Part of a username or name; sent in the body, so that no name stands in an address."""

    text = forms.CharField(
        label=_("Username or name"), max_length=60, required=False, widget=forms.TextInput(attrs=_OFF)
    )
    page = forms.IntegerField(required=False, min_value=1, widget=forms.HiddenInput)


class RenameForm(forms.Form):
    """Another name to show."""

    display_name = forms.CharField(
        label=_("Name shown to colleagues"),
        max_length=100,
        widget=forms.TextInput(attrs=_OFF),
        error_messages={"required": _("Give the name.")},
    )


# Without letters and digits that look alike, because it is read from a slip of paper.
_ALPHABET = "abcdefghjkmnpqrstuvwxyzACDEFGHJKLMNPQRTUVWXY34679"


def first_password() -> str:
    """Make a first password: four groups of four, 89 bits, good until the first sign-in."""
    return "-".join("".join(secrets.choice(_ALPHABET) for _i in range(4)) for _j in range(4))


class EntriesForm(forms.Form):
    """What an auditor looks for. Nothing of a person can be looked for here."""

    database = forms.ChoiceField(label=_("Database"), required=False)
    since_on = forms.DateField(label=_("Days from"), widget=DatePartsInput, required=False)
    until_on = forms.DateField(label=_("Up to and including"), widget=DatePartsInput, required=False)
    name = forms.ChoiceField(label=_("Command or query"), required=False)
    outcome = forms.ChoiceField(
        label=_("Outcome"),
        required=False,
        choices=[("", _("any")), ("done", _("done")), ("refused", _("refused by the platform"))],
    )
    object = forms.UUIDField(
        label=_("Identifier of a thing"),
        help_text=_("Of a case, a licence, an organisation, an account …"),
        required=False,
        widget=forms.TextInput(attrs=_OFF),
    )

    def __init__(self, *args: Any, databases: Iterable[str], names: Iterable[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        aliases = list(databases)
        _choose(self, "database", [(alias, log_words(alias)) for alias in aliases])
        self.fields["database"].initial = aliases[0]
        listed = sorted(names)
        rooms = [(room, f"{room}.*") for room in sorted({name.split(".")[0] for name in listed})]
        _choose(self, "name", [("", _("any")), *rooms, *((name, f"{name} · {action_words(name)}") for name in listed)])

    def criteria(self) -> dict[str, Any]:
        """Give what the log's search takes; days are whole local days."""
        given = self.cleaned_data if self.is_bound else {}
        until = given.get("until_on")
        return {
            "since": _start_of(given.get("since_on")),
            "until": _start_of(until + timedelta(days=1)) if until else None,
            "name": given.get("name", ""),
            "outcome": given.get("outcome", ""),
            "object_id": str(given["object"]) if given.get("object") else "",
        }


def _start_of(day: Any) -> datetime | None:
    return datetime.combine(day, time.min, tzinfo=timezone.get_default_timezone()) if day else None
