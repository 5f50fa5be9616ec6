"""The portal's own small forms. Forms of services are compiled from the packs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from django import forms
from django.utils.functional import lazy
from django.utils.translation import gettext_lazy as _

from furong.domains.cases.values.ratings import ASPECTS, LEVELS
from furong.domains.cases.values.supplements import as_file, in_words
from furong.domains.services.forms.conditions import json_value
from furong.domains.services.forms.fields import UploadField, django_field
from furong.domains.services.forms.showing import lazily, options_of
from furong.domains.services.values.forms import MEDIA_TYPES, FormField, element_of, field_name
from furong.foundation.storage import commands as storage
from furong.foundation.web import texts

_text = lazy(texts.text, str)


class ReasonForm(forms.Form):
    """A reason in the person's own words."""

    reason = forms.CharField(
        label=_("Reason"),
        widget=forms.Textarea(attrs={"rows": 4}),
        max_length=500,
        required=False,
        error_messages={"required": _("Write the reason in a few words.")},
    )

    def __init__(self, data: Any = None, *, required: bool = False) -> None:
        super().__init__(data)
        self.fields["reason"].required = required


class ObjectForm(forms.Form):
    """What is wrong with what a register holds."""

    found = forms.CharField(
        label=_("What is wrong?"),
        widget=forms.Textarea(attrs={"rows": 4}),
        max_length=1000,
        error_messages={"required": _("Say in a sentence what is wrong.")},
    )
    wanted = forms.CharField(
        label=_("What would be right?"),
        help_text=_("And where it is written, if anywhere: a certificate, a household booklet."),
        widget=forms.Textarea(attrs={"rows": 3}),
        max_length=1000,
        required=False,
    )


class RatingForm(forms.Form):
    """Five levels, four aspects (政务服务好差评)."""

    level = forms.ChoiceField(
        label=_("How satisfied are you?"),
        choices=[(str(level), _text(label)) for level, label in LEVELS.items()],
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose how satisfied you are.")},
    )
    aspects_chosen = forms.MultipleChoiceField(
        label=_("What was good?"),
        choices=[(code, _text(label)) for code, label in ASPECTS.items()],
        widget=forms.CheckboxSelectMultiple,
        required=False,
    )
    comment = forms.CharField(
        label=_("What should we do better?"), widget=forms.Textarea(attrs={"rows": 4}), max_length=1000, required=False
    )

    def aspects(self) -> dict[str, bool]:
        """Give each aspect with whether it was marked good."""
        chosen = set(self.cleaned_data["aspects_chosen"])
        return {code: code in chosen for code in ASPECTS}


class SupplementForm(forms.Form):
    """What a department asks for once: each named element as the service's own form asks it, and room for a note."""

    def __init__(
        self,
        data: Any = None,
        files: Any = None,
        *,
        wanted: Sequence[Mapping[str, Any]],
        fields_of: Mapping[str, FormField],
        oversized: Iterable[str] = (),
    ) -> None:
        super().__init__(data, files)
        self.oversized = frozenset(oversized)
        self.in_words: list[int] = []
        for place, line in enumerate(wanted):
            element = str(line.get("element", ""))
            known = fields_of.get(element)
            if not element:
                self.in_words.append(place)
                self._ask_in_words(place, line)
                continue
            if known is None:
                self.fields[field_name(element)] = forms.CharField(
                    label=_text(line["what"]), help_text=_text(line.get("how") or {}), max_length=500
                )
                continue
            made = django_field(
                known,
                label=_text(line["what"]),
                hint=_text(line.get("how") or {}) or lazily(known.hint),
                errors={},
                options=options_of(known),
            )
            made.required = True
            self.fields[field_name(element)] = made
        self.fields["note"] = forms.CharField(
            label=_("What you want to say about it"),
            widget=forms.Textarea(attrs={"rows": 4}),
            required=False,
            max_length=1000,
        )

    def _ask_in_words(self, place: int, line: Mapping[str, Any]) -> None:
        """What is asked in words is answered in words, with a file, or both; the two stand in one set."""
        words, file = f"words-{place}", f"file-{place}"
        self.fields[words] = forms.CharField(
            label=_("Answer in words"),
            help_text=_text(line.get("how") or {}),
            widget=forms.Textarea(attrs={"rows": 3}),
            required=False,
            max_length=1000,
        )
        self.fields[file] = UploadField(
            label=_("File"),
            help_text=_("A photo, a scan or a document: PDF, JPEG, PNG, HEIC, OFD or DOCX, at most 10 MB."),
            accept=MEDIA_TYPES,
            max_mb=10,
            required=False,
        )
        for name in (words, file):
            self.fields[name].group = _text(line["what"])  # type: ignore[attr-defined]  # read by web.forms

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        for place in self.in_words:
            words, file = f"words-{place}", f"file-{place}"
            answered = cleaned.get(words) or cleaned.get(file) or cleaned.get("note")
            if not answered and file not in self.oversized and not {words, file, "note"} & set(self.errors):
                self.add_error(
                    words,
                    forms.ValidationError(
                        _("Write the answer, or choose a file. If you have neither, say so in the last field."),
                        code="required",
                    ),
                )
        for name in self.oversized & set(self.fields):
            made = self.fields[name]
            if isinstance(made, UploadField):
                self.errors.pop(name, None)
                message = made.error_messages["too_large"]
                self.add_error(name, forms.ValidationError(message, code="too_large", params={"max_mb": made.max_mb}))
        return cleaned

    def answers(self, *, now: datetime) -> dict[str, Any]:
        """Give the answers by element, files stored. Call once `is_valid`."""
        given: dict[str, Any] = {}
        for name, value in self.cleaned_data.items():
            if name == "note" or value in (None, "", []):
                continue
            if hasattr(value, "read"):
                stored = storage.put(value, value.content_type or "", now=now)
                value = {
                    "digest": stored.digest,
                    "name": (value.name or "")[-80:],
                    "media_type": stored.media_type,
                    "size": stored.size,
                }
            else:
                value = json_value(value)
            given[_key(name)] = value
        return given

    def note(self) -> str:
        """Give what the person wrote beside it."""
        return str(self.cleaned_data.get("note") or "")


def _key(name: str) -> str:
    """Give the key under which a field's answer is kept: its element, or its place in the notice."""
    kind, _dash, place = name.partition("-")
    if place.isdigit() and kind in {"words", "file"}:
        return in_words(int(place)) if kind == "words" else as_file(int(place))
    return element_of(name)
