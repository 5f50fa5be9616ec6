"""Forms as files: pages, groups and fields, each field bound to a data element. What a person is asked, and what is shown."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from decimal import Decimal
from enum import StrEnum

from furong.domains.catalogue.values import ELEMENT_PATTERN, LEGAL_BASIS, LegalBasis
from furong.foundation.packs.values import (
    CODE,
    Bool,
    Dec,
    Expression,
    Feel,
    Int,
    ListOf,
    MapOf,
    OneOf,
    Parsed,
    Ref,
    RefTo,
    Report,
    Str,
    Table,
    Text,
    Texts,
    both,
    optional,
    record,
    required,
)


class FieldType(StrEnum):
    TEXT = "text"
    LONG_TEXT = "long_text"
    HAN_NAME = "han_name"
    IDENTITY_NUMBER = "identity_number"
    CREDIT_CODE = "credit_code"
    DATE = "date"
    INTEGER = "integer"
    DECIMAL = "decimal"
    MONEY = "money"
    YES_NO = "yes_no"
    CHOICE = "choice"
    CHOICES = "choices"
    PHONE = "phone"
    EMAIL = "email"
    BANK_ACCOUNT = "bank_account"
    DIVISION = "division"
    ADDRESS = "address"
    UPLOAD = "upload"


# Which representations of a data element a field of a type may hold.
HOLDS: dict[FieldType, frozenset[str]] = {
    FieldType.TEXT: frozenset({"text", "name", "long_text", "id"}),
    FieldType.LONG_TEXT: frozenset({"text", "long_text"}),
    FieldType.HAN_NAME: frozenset({"name", "text"}),
    FieldType.IDENTITY_NUMBER: frozenset({"identity_number"}),
    FieldType.CREDIT_CODE: frozenset({"credit_code"}),
    FieldType.DATE: frozenset({"date", "datetime"}),
    FieldType.INTEGER: frozenset({"integer"}),
    FieldType.DECIMAL: frozenset({"decimal"}),
    FieldType.MONEY: frozenset({"money_fen"}),
    FieldType.YES_NO: frozenset({"boolean"}),
    FieldType.CHOICE: frozenset({"code"}),
    FieldType.CHOICES: frozenset({"code"}),
    FieldType.PHONE: frozenset({"phone"}),
    FieldType.EMAIL: frozenset({"email"}),
    FieldType.BANK_ACCOUNT: frozenset({"bank_account"}),
    FieldType.DIVISION: frozenset({"division"}),
    FieldType.ADDRESS: frozenset({"address"}),
    FieldType.UPLOAD: frozenset({"file"}),
}

MEDIA_TYPES = {
    "pdf": "application/pdf",
    "jpeg": "image/jpeg",
    "png": "image/png",
    "heic": "image/heic",
    "ofd": "application/ofd",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
}


class Prefill(StrEnum):
    """What is done with what a register holds: shown with its source; ``ASK`` asks when no register holds it for this person."""

    SHOW = "show"
    ASK = "ask"


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    code: str
    label: Text
    hint: Text | None = None
    show_if: Expression | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AskBecause:
    """Why a person is asked for what a body holds: only with a legal basis."""

    reason: Text
    legal_basis: tuple[LegalBasis, ...]
    line: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class PhotoRule:
    """What an identity photograph must be: at least so large, upright, on a light ground, the head's share of its width."""

    width_px: int
    height_px: int
    head_from_percent: int
    head_to_percent: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FormField:
    """A field. ``prefill`` marks what is shown from a register; without it the person is asked."""

    element: Ref
    type: FieldType
    label: Text
    hint: Text | None = None
    required: bool = True
    prefill: Prefill | None = None
    show_if: Expression | None = None
    require_if: Expression | None = None
    options: tuple[Option, ...] = ()
    code_table: str | None = None
    min_length: int | None = None
    max_length: int | None = None
    minimum: Decimal | None = None
    maximum: Decimal | None = None
    earliest: Expression | None = None
    latest: Expression | None = None
    pattern: str | None = None
    accept: tuple[str, ...] = ()
    max_mb: int | None = None
    autocomplete: str | None = None
    material: str | None = None
    photo: PhotoRule | None = None
    errors: tuple[tuple[str, Text], ...] = ()
    ask_because: AskBecause | None = None
    file: str = field(default="", compare=False)
    line: int = field(default=0, compare=False)

    @property
    def name(self) -> str:
        """The field's name in HTML: the element's code with hyphens for dots."""
        return field_name(self.element)

    @property
    def is_asked(self) -> bool:
        """Whether a person is asked although a body may hold it."""
        return self.prefill is None

    def error(self, key: str) -> Text | None:
        return next((text for name, text in self.errors if name == key), None)


def field_name(element: str) -> str:
    """Give the HTML name of an element's field; `element_of` is its inverse (element codes hold no hyphen)."""
    return element.replace(".", "-")


def element_of(name: str) -> str:
    return name.replace("-", ".")


@dataclass(frozen=True, slots=True, kw_only=True)
class Repeat:
    """A group that repeats; its answers are a list under ``element``."""

    element: Ref
    minimum: int = 0
    maximum: int = 10
    item_title: Text | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    fields: tuple[FormField, ...]
    code: str | None = None
    title: Text | None = None
    hint: Text | None = None
    repeat: Repeat | None = None
    show_if: Expression | None = None
    line: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    code: str
    title: Text
    groups: tuple[Group, ...]
    intro: Text | None = None
    show_if: Expression | None = None
    line: int = field(default=0, compare=False)

    def fields(self) -> Iterator[FormField]:
        for group in self.groups:
            yield from group.fields


@dataclass(frozen=True, slots=True, kw_only=True)
class FormCheck:
    """A rule over several answers: ``ensure`` must be true, else ``message`` stands at ``element``."""

    ensure: Expression
    message: Text
    element: Ref
    line: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """A form of an item, or the merged form of a life event."""

    code: str
    title: Text
    pages: tuple[Page, ...]
    checks: tuple[FormCheck, ...] = ()
    declaration: Text | None = None
    line: int = field(default=0, compare=False)

    def fields(self) -> Iterator[FormField]:
        """Give every field, page by page."""
        for page in self.pages:
            yield from page.fields()

    def asked(self) -> list[FormField]:
        """Give the fields that a person is asked to fill in."""
        return [f for f in self.fields() if f.is_asked]

    def repeated(self) -> frozenset[str]:
        """Give the elements that hold the lists of repeating groups."""
        return frozenset(str(g.repeat.element) for p in self.pages for g in p.groups if g.repeat is not None)

    def elements(self) -> frozenset[str]:
        return frozenset(str(f.element) for f in self.fields())


_OPTION = MapOf(
    {
        "code": required(Str(max_length=40)),
        "label": required(Texts(max_length=200)),
        "hint": optional(Texts(max_length=400)),
        "show_if": optional(Feel()),
    },
    build=record(Option),
)
_ASK_BECAUSE = MapOf(
    {"reason": required(Texts()), "legal_basis": required(ListOf(LEGAL_BASIS, minimum=1))},
    build=record(AskBecause),
)
ERROR_KEYS = ("required", "invalid", "too_long", "too_short", "too_early", "too_late", "too_large", "wrong_type")


def _check_field(parsed: Parsed, report: Report, path: str) -> None:
    kind = parsed["type"]
    if parsed["type"] in {"choice", "choices"} and not parsed["options"] and not parsed["code_table"]:
        report.add(
            parsed.line,
            path,
            "form.no_options",
            both("选择题没有选项。", "A choice has no options."),
            both("请写出 options: 或 code_table:。", "List options: or name code_table:."),
        )
    if kind == "upload" and not (parsed["accept"] and parsed["max_mb"]):
        report.add(
            parsed.line,
            path,
            "form.upload_limits",
            both("上传字段没有写明格式和大小。", "An upload does not say which files and how large."),
            both("请写明 accept: 和 max_mb:。", "Name accept: and max_mb:."),
        )
    for key in ("accept", "max_mb", "material", "photo"):
        if parsed[key] and kind != "upload":
            report.add(
                parsed.line_of(key),
                f"{path}.{key}",
                "form.not_upload",
                both(f"{key} 只用于上传字段。", f"{key} is for uploads only."),
                both("请删除它。", "Remove it."),
            )


def _build_field(parsed: Parsed) -> FormField:
    values = dict(parsed)
    values["type"] = FieldType(parsed["type"])
    values["prefill"] = Prefill(parsed["prefill"]) if parsed["prefill"] else None
    values["errors"] = tuple((parsed["errors"] or {}).items())
    values["minimum"], values["maximum"] = parsed["min"], parsed["max"]
    made: FormField = record(FormField)(Parsed(values, line=parsed.line, lines=parsed.lines))
    return made


_PHOTO = MapOf(
    {
        "width_px": required(Int(50, 10_000)),
        "height_px": required(Int(50, 10_000)),
        "head_from_percent": optional(Int(1, 100), 25),
        "head_to_percent": optional(Int(1, 100), 80),
    },
    build=record(PhotoRule),
)
FIELD = MapOf(
    {
        "element": required(RefTo(pattern=ELEMENT_PATTERN)),
        "type": required(OneOf(values=tuple(FieldType))),
        "label": required(Texts(max_length=200)),
        "hint": optional(Texts(max_length=600)),
        "required": optional(Bool(), True),
        "prefill": optional(OneOf(values=tuple(Prefill))),
        "show_if": optional(Feel()),
        "require_if": optional(Feel()),
        "options": optional(ListOf(_OPTION, minimum=1, unique="code"), list),
        "code_table": optional(Str(max_length=60)),
        "min_length": optional(Int(0, 100_000)),
        "max_length": optional(Int(1, 100_000)),
        "min": optional(Dec()),
        "max": optional(Dec()),
        "earliest": optional(Feel()),
        "latest": optional(Feel()),
        "pattern": optional(Str(max_length=200)),
        "accept": optional(ListOf(OneOf(values=tuple(MEDIA_TYPES)), minimum=1, unique=""), list),
        "max_mb": optional(Int(1, 200)),
        "autocomplete": optional(Str(max_length=60)),
        "material": optional(CODE),
        "photo": optional(_PHOTO),
        "errors": optional(Table(Texts(max_length=400), pattern="|".join(ERROR_KEYS))),
        "ask_because": optional(_ASK_BECAUSE),
    },
    check=_check_field,
    build=_build_field,
)
_REPEAT = MapOf(
    {
        "element": required(RefTo(pattern=ELEMENT_PATTERN)),
        "min": optional(Int(0, 50), 0),
        "max": optional(Int(1, 50), 10),
        "item_title": optional(Texts(max_length=100)),
    },
    build=lambda parsed: Repeat(
        element=parsed["element"],
        minimum=parsed["min"],
        maximum=parsed["max"],
        item_title=parsed["item_title"],
    ),
)
_GROUP = MapOf(
    {
        "code": optional(CODE),
        "title": optional(Texts(max_length=200)),
        "hint": optional(Texts(max_length=600)),
        "repeat": optional(_REPEAT),
        "show_if": optional(Feel()),
        "fields": required(ListOf(FIELD, minimum=1, unique="element")),
    },
    build=record(Group),
)
_PAGE = MapOf(
    {
        "code": required(CODE),
        "title": required(Texts(max_length=200)),
        "intro": optional(Texts(max_length=1000)),
        "show_if": optional(Feel()),
        "groups": required(ListOf(_GROUP, minimum=1)),
    },
    build=record(Page),
)
_CHECK = MapOf(
    {
        "ensure": required(Feel()),
        "message": required(Texts(max_length=400)),
        "element": required(RefTo(pattern=ELEMENT_PATTERN)),
    },
    build=record(FormCheck),
)


def _check_form(parsed: Parsed, report: Report, path: str) -> None:
    seen: dict[str, int] = {}
    for page in parsed["pages"]:
        for one in page.fields():
            first = seen.setdefault(one.element, one.line)
            if first != one.line:
                report.add(
                    one.line,
                    one.element,
                    "form.asked_twice",
                    both(
                        f"同一表单两次使用该数据元，首次在第 {first} 行。",
                        f"The form uses the element twice, first in line {first}.",
                    ),
                    both("请删除其中一个。", "Remove one of them."),
                )


FORM = MapOf(
    {
        "code": required(CODE),
        "title": required(Texts(max_length=200)),
        "pages": required(ListOf(_PAGE, minimum=1, unique="code")),
        "checks": optional(ListOf(_CHECK), list),
        "declaration": optional(Texts(max_length=1000)),
    },
    check=_check_form,
    build=record(Form),
)


def with_file(form: Form, file: str) -> Form:
    """Give the form with each field knowing its file, so that merged forms can still name it."""
    return replace(
        form,
        pages=tuple(
            replace(
                page,
                groups=tuple(
                    replace(group, fields=tuple(replace(f, file=file) for f in group.fields)) for group in page.groups
                ),
            )
            for page in form.pages
        ),
    )
