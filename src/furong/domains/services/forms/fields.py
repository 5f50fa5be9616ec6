"""Django fields for the types of form fields. Each says in plain words what is wrong, and never repeats what was typed."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from decimal import Decimal
from typing import Any, ClassVar

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.choices import BaseChoiceIterator
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext_lazy as _

from furong.domains.services.forms import photos
from furong.domains.services.forms.photos import Fault
from furong.domains.services.values.forms import MEDIA_TYPES, FieldType, FormField, PhotoRule
from furong.foundation.codes.credit_codes import parse_credit_code
from furong.foundation.codes.errors import CodeRefused
from furong.foundation.codes.identity_numbers import parse_identity_number
from furong.foundation.storage.values import HEAD_BYTES, ZIP, kind_name, sniff, sniff_archive
from furong.foundation.web.widgets import DatePartsInput

_Messages = dict[str, Any]
_SPACES = re.compile(r"\s+")
# The middle dot of names of several parts (GB 13000: U+00B7), and what people type for it.
_DOTS = str.maketrans(dict.fromkeys("•‧・․∙⋅●．.", "·"))
_HAN = re.compile(
    r"[\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0002ebef\U0002f800-\U0002fa1f\U00030000-\U000323af]"
)


def tidy(value: Any) -> str:
    """Give a typed text with full-width letters and digits as plain ones, without spaces at its ends."""
    return _SPACES.sub(" ", unicodedata.normalize("NFKC", str(value))).strip()


class TidyCharField(forms.CharField):
    """One line of text, normalised, with a pattern of its own when the form has one."""

    def __init__(self, *, pattern: str | None = None, **kwargs: Any) -> None:
        self.pattern = re.compile(pattern) if pattern else None
        super().__init__(**kwargs)

    def to_python(self, value: Any) -> str:
        text = super().to_python(value)
        return self.shape(tidy(text)) if text else ""

    def shape(self, text: str) -> str:
        return text

    def validate(self, value: Any) -> None:
        super().validate(value)
        if value and self.pattern is not None and not self.pattern.fullmatch(value):
            raise ValidationError(self.error_messages["invalid"], code="invalid")


class LongTextField(forms.CharField):
    widget = forms.Textarea

    def to_python(self, value: Any) -> str:
        return unicodedata.normalize("NFC", super().to_python(value) or "").strip()


class HanNameField(TidyCharField):
    """A name in Chinese characters; parts of a name are joined by a middle dot."""

    default_error_messages: ClassVar[_Messages] = {
        "invalid": _("Enter the name in Chinese characters, such as 张小芙. Names of several parts are joined by ·.")
    }

    def shape(self, text: str) -> str:
        return text.replace(" ", "").translate(_DOTS)

    def validate(self, value: Any) -> None:
        super().validate(value)
        if value and not all(part and all(_HAN.match(c) for c in part) for part in value.split("·")):
            raise ValidationError(self.error_messages["invalid"], code="invalid")


class IdentityNumberField(TidyCharField):
    default_error_messages: ClassVar[_Messages] = {
        "invalid": _("This is not an identity number. Check its 18 characters.")
    }

    def shape(self, text: str) -> str:
        return text.replace(" ", "").upper()

    def validate(self, value: Any) -> None:
        super().validate(value)
        if value:
            try:
                parse_identity_number(value, allow_reserved=not settings.PRODUCTION)
            except CodeRefused:
                raise ValidationError(self.error_messages["invalid"], code="invalid") from None


class CreditCodeField(TidyCharField):
    default_error_messages: ClassVar[_Messages] = {
        "invalid": _("This is not a unified social credit code. Check its 18 characters.")
    }

    def shape(self, text: str) -> str:
        return text.replace(" ", "").upper()

    def validate(self, value: Any) -> None:
        super().validate(value)
        if value:
            try:
                parse_credit_code(value)
            except CodeRefused:
                raise ValidationError(self.error_messages["invalid"], code="invalid") from None


class PhoneField(TidyCharField):
    default_error_messages: ClassVar[_Messages] = {"invalid": _("Enter a telephone number, such as 138 0000 0000.")}
    widget = forms.TextInput(attrs={"type": "tel", "inputmode": "tel"})

    def shape(self, text: str) -> str:
        return re.sub(r"[ ()-]", "", text)

    def validate(self, value: Any) -> None:
        super().validate(value)
        if value and not re.fullmatch(r"\+?[0-9]{5,15}", value):
            raise ValidationError(self.error_messages["invalid"], code="invalid")


class BankAccountField(TidyCharField):
    default_error_messages: ClassVar[_Messages] = {"invalid": _("Enter the account or card number, 8 to 32 digits.")}
    widget = forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off"})

    def shape(self, text: str) -> str:
        return re.sub(r"[ -]", "", text)

    def validate(self, value: Any) -> None:
        super().validate(value)
        if value and not re.fullmatch(r"[0-9]{8,32}", value):
            raise ValidationError(self.error_messages["invalid"], code="invalid")


class DayField(forms.DateField):
    """A date in three boxes; also one text such as 2026-03-05 or 2026年3月5日."""

    widget = DatePartsInput
    default_error_messages: ClassVar[_Messages] = {
        "invalid": _("This is not a date. Enter year, month and day, such as 2026 3 5."),
        "too_early": _("The date must be %(limit)s or later."),
        "too_late": _("The date must be %(limit)s or earlier."),
    }

    def to_python(self, value: Any) -> date | None:
        if isinstance(value, str):
            parts = re.findall(r"\d+", unicodedata.normalize("NFKC", value))
            if not value.strip():
                return None
            if len(parts) != 3 or len(parts[0]) != 4:
                raise ValidationError(self.error_messages["invalid"], code="invalid")
            try:
                return date(*(int(part) for part in parts))
            except ValueError:
                raise ValidationError(self.error_messages["invalid"], code="invalid") from None
        return super().to_python(value)


class MoneyField(forms.DecimalField):
    """An amount in yuan with at most two decimals; its value is whole fen."""

    default_error_messages: ClassVar[_Messages] = {"invalid": _("Enter an amount in yuan, such as 1200.50.")}

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_digits=15, decimal_places=2, **kwargs)
        self.widget = forms.TextInput(attrs={"inputmode": "decimal"})

    def to_python(self, value: Any) -> Decimal | None:  # type: ignore[override]  # stubs take it for an integer's
        text = tidy(value).replace(",", "") if value not in self.empty_values else value
        return super().to_python(text)

    def clean(self, value: Any) -> Any:
        yuan = super().clean(value)
        return None if yuan is None else int(yuan * 100)

    def prepare_value(self, value: Any) -> Any:
        return f"{value // 100}.{value % 100:02d}" if isinstance(value, int) else value


class WholeNumberField(forms.IntegerField):
    default_error_messages: ClassVar[_Messages] = {"invalid": _("Enter a whole number.")}

    def to_python(self, value: Any) -> int | None:
        return super().to_python(tidy(value) if isinstance(value, str) else value)


class NumberField(forms.DecimalField):
    default_error_messages: ClassVar[_Messages] = {"invalid": _("Enter a number.")}

    def to_python(self, value: Any) -> Decimal | None:  # type: ignore[override]  # stubs take it for an integer's
        return super().to_python(tidy(value) if isinstance(value, str) else value)


class YesNoField(forms.TypedChoiceField):
    """Two radio buttons; its value is true, false or None."""

    default_error_messages: ClassVar[_Messages] = {
        "required": _("Choose yes or no."),
        "invalid_choice": _("Choose yes or no."),
    }

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(
            choices=(("yes", _("Yes")), ("no", _("No"))),
            coerce=lambda value: value == "yes",
            empty_value=None,
            widget=forms.RadioSelect,
            **kwargs,
        )

    def prepare_value(self, value: Any) -> Any:
        return {True: "yes", False: "no"}.get(value, value)

    def valid_value(self, value: Any) -> bool:
        return value in {"yes", "no"}


class AddressWidget(forms.MultiWidget):
    def decompress(self, value: Any) -> list[Any]:
        return [value.get("division"), value.get("detail")] if isinstance(value, dict) else [None, None]


class AddressField(forms.MultiValueField):
    """A division and the rest of the address; its value is ``{"division": …, "detail": …}``."""

    default_error_messages: ClassVar[_Messages] = {"incomplete": _("Choose the division and enter street and number.")}

    def __init__(self, *, divisions: Iterable[tuple[str, Any]] = (), **kwargs: Any) -> None:
        chosen = list(divisions)
        division: forms.Field = (
            forms.ChoiceField(choices=Options([("", _("Please choose")), *chosen]))
            if chosen
            else TidyCharField(pattern=r"[0-9A-Za-z]{2,12}", max_length=12)
        )
        detail = TidyCharField(max_length=200)
        super().__init__(fields=(division, detail), widget=AddressWidget([division.widget, detail.widget]), **kwargs)

    def compress(self, data_list: Any) -> dict[str, str] | None:
        return {"division": data_list[0], "detail": data_list[1]} if data_list else None


PHOTO_FAULTS: dict[Fault, Any] = {
    Fault.UNREADABLE: _("The picture cannot be opened. Save it anew as JPEG and choose it again."),
    Fault.TOO_SMALL: _("The picture has too few pixels. Take it again, larger."),
    Fault.SHAPE: _("The picture is not upright with sides of about 3 to 4. Cut it anew."),
    Fault.GROUND: _("The ground is not even and light. Take the picture before a white wall."),
    Fault.NO_HEAD: _("No head is found in the middle of the picture. Face the camera, with the whole head in it."),
    Fault.HEAD_SMALL: _("The head is too small. Move closer or cut the picture closer."),
    Fault.HEAD_LARGE: _("The head is too large or touches the edge. Leave room around it."),
}


class UploadField(forms.FileField):
    """A file of allowed kinds, looked at by its bytes and not by its name, within a size."""

    default_error_messages: ClassVar[_Messages] = {
        "required": _("Choose a file."),
        "empty": _("The file is empty. Choose another one."),
        "too_large": _("The file is larger than %(max_mb)s MB. Choose a smaller one."),
        "wrong_type": _("The file is not one of %(kinds)s. Choose another one."),
        "not_what_it_says": _(
            "The file is not what its name says: it should be %(said)s, but it is %(found)s. "
            "Open it to check it, save it anew and choose it again."
        ),
    }

    def __init__(self, *, accept: Iterable[str], max_mb: int, photo: PhotoRule | None = None, **kwargs: Any) -> None:
        self.accept = tuple(accept)
        self.max_mb = max_mb
        self.photo = photo
        super().__init__(**kwargs)
        self.widget.attrs["accept"] = ",".join(
            dict.fromkeys([MEDIA_TYPES[a] for a in self.accept] + [f".{a}" for a in self.accept])
        )

    def to_python(self, data: Any) -> Any:
        if isinstance(data, dict):
            return data  # a file that an earlier step stored
        file: Any = super().to_python(data)
        if file is None:
            return None
        if file.size is not None and file.size > self.max_mb * 1024 * 1024:
            raise ValidationError(self.error_messages["too_large"], code="too_large", params={"max_mb": self.max_mb})
        kind = _kind_of(file)
        said = MEDIA_TYPES.get(_EXTENSIONS.get(str(file.name).rpartition(".")[2].lower(), ""))
        if said is not None and said != kind:
            raise ValidationError(
                self.error_messages["not_what_it_says"],
                code="not_what_it_says",
                params={"said": gettext_lazy(kind_name(said)), "found": gettext_lazy(kind_name(kind))},
            )
        if kind not in {MEDIA_TYPES[a] for a in self.accept}:
            raise ValidationError(
                self.error_messages["wrong_type"],
                code="wrong_type",
                params={"kinds": "、".join(a.upper() for a in self.accept)},
            )
        if self.photo is not None:
            file.seek(0)
            faults = photos.checker().faults(file.read(), rule=self.photo)
            file.seek(0)
            if faults:
                raise ValidationError([ValidationError(PHOTO_FAULTS[one], code=f"photo_{one}") for one in faults])
        file.content_type = kind
        return file

    def clean(self, data: Any, initial: Any = None) -> Any:
        return super().clean(data, initial)


# What ends a file's name and which kind it promises.
_EXTENSIONS = {"jpg": "jpeg", "jpeg": "jpeg", "heif": "heic", **{code: code for code in MEDIA_TYPES}}


def _kind_of(file: Any) -> str:
    file.seek(0)
    kind = sniff(file.read(HEAD_BYTES))
    if kind == ZIP or kind in {MEDIA_TYPES["docx"], MEDIA_TYPES["ofd"]}:
        file.seek(0)
        kind = sniff_archive(file)
    file.seek(0)
    return kind


_TEXT_FIELDS: dict[FieldType, type[TidyCharField]] = {
    FieldType.TEXT: TidyCharField,
    FieldType.HAN_NAME: HanNameField,
    FieldType.IDENTITY_NUMBER: IdentityNumberField,
    FieldType.CREDIT_CODE: CreditCodeField,
    FieldType.PHONE: PhoneField,
    FieldType.BANK_ACCOUNT: BankAccountField,
}
MAX_RADIOS = 7


def django_field(
    one: FormField,
    *,
    label: Any,
    hint: Any,
    errors: dict[str, Any],
    options: list[tuple[str, Any]],
    divisions: Iterable[tuple[str, Any]] = (),
) -> forms.Field:
    """Make the Django field of a form's field. Texts are given lazily, so that each request sees its own language."""
    common: dict[str, Any] = {
        "label": label,
        "help_text": hint,
        "required": one.required,
        "error_messages": {**_messages(one, label), **errors},
    }
    made: forms.Field
    if one.type in _TEXT_FIELDS:
        made = _TEXT_FIELDS[one.type](
            pattern=one.pattern,
            min_length=one.min_length,
            max_length=one.max_length or 200,
            **common,
        )
    elif one.type is FieldType.LONG_TEXT:
        made = LongTextField(min_length=one.min_length, max_length=one.max_length or 2000, **common)
    elif one.type is FieldType.EMAIL:
        made = forms.EmailField(max_length=one.max_length or 254, **common)
    elif one.type is FieldType.DATE:
        made = DayField(**common)
    elif one.type is FieldType.MONEY:
        made = MoneyField(min_value=one.minimum, max_value=one.maximum, **common)
    elif one.type is FieldType.INTEGER:
        made = WholeNumberField(
            min_value=None if one.minimum is None else int(one.minimum),
            max_value=None if one.maximum is None else int(one.maximum),
            **common,
        )
    elif one.type is FieldType.DECIMAL:
        made = NumberField(min_value=one.minimum, max_value=one.maximum, **common)
    elif one.type is FieldType.YES_NO:
        made = YesNoField(**common)
    elif one.type is FieldType.CHOICES:
        made = forms.MultipleChoiceField(choices=Options(options), widget=forms.CheckboxSelectMultiple, **common)
    elif one.type is FieldType.CHOICE:
        few = len(options) <= MAX_RADIOS
        made = forms.ChoiceField(
            choices=Options(options if few else [("", _("Please choose")), *options]),
            widget=forms.RadioSelect if few else forms.Select,
            **common,
        )
    elif one.type is FieldType.DIVISION:
        known = list(divisions)
        made = (
            forms.ChoiceField(choices=Options([("", _("Please choose")), *known]), **common)
            if known
            else TidyCharField(pattern=one.pattern or r"[0-9A-Za-z]{2,12}", max_length=12, **common)
        )
    elif one.type is FieldType.ADDRESS:
        made = AddressField(divisions=divisions, require_all_fields=False, **common)
        for part in made.fields:
            part.required = one.required
    else:
        made = UploadField(accept=one.accept, max_mb=one.max_mb or 10, photo=one.photo, **common)
    if one.autocomplete and "autocomplete" not in made.widget.attrs:
        made.widget.attrs["autocomplete"] = one.autocomplete
    return made


class Options(BaseChoiceIterator):
    """Options whose labels are written once for each language.

    Django copies a list of options, label by label, for each form it makes, and asks each label for the reader's language
    whenever it is shown: with a national table of nations or countries, that was most of a page.
    """

    def __init__(self, options: Sequence[tuple[str, Any]]) -> None:
        self.options = options
        self.written: dict[str | None, tuple[tuple[str, str], ...]] = {}

    def __iter__(self) -> Iterator[tuple[str, str]]:
        language = get_language()
        if language not in self.written:
            self.written[language] = tuple((code, str(label)) for code, label in self.options)
        return iter(self.written[language])

    def __deepcopy__(self, memo: dict[int, Any]) -> Options:
        return self


def _messages(one: FormField, label: Any) -> dict[str, Any]:
    from django.utils.text import format_lazy

    if one.type in {FieldType.CHOICE, FieldType.CHOICES, FieldType.DIVISION}:
        required = format_lazy(_("Choose: {label}."), label=label)
    elif one.type is FieldType.YES_NO:
        required = _("Choose yes or no.")
    elif one.type is FieldType.UPLOAD:
        required = format_lazy(_("Choose a file: {label}."), label=label)
    else:
        required = format_lazy(_("Enter: {label}."), label=label)
    return {"required": required}
