"""Data elements, their sources, and the dictionary that holds them. Pure."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from furong.foundation.packs.values import (
    CODE,
    Int,
    ListOf,
    MapOf,
    OneOf,
    Parsed,
    Ref,
    RefTo,
    Report,
    Str,
    Text,
    Texts,
    both,
    optional,
    record,
    required,
)

ELEMENT_PATTERN = r"[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)+"


class ElementType(StrEnum):
    """Representation of a data element (the kinds of GB/T 18391's value domains that forms and registers need)."""

    TEXT = "text"
    LONG_TEXT = "long_text"
    NAME = "name"
    IDENTITY_NUMBER = "identity_number"
    CREDIT_CODE = "credit_code"
    PHONE = "phone"
    EMAIL = "email"
    BANK_ACCOUNT = "bank_account"
    INTEGER = "integer"
    DECIMAL = "decimal"
    MONEY_FEN = "money_fen"
    BOOLEAN = "boolean"
    DATE = "date"
    DATETIME = "datetime"
    CODE = "code"
    DIVISION = "division"
    ADDRESS = "address"
    FILE = "file"
    RECORD = "record"
    ID = "id"


class Sensitivity(StrEnum):
    """Who may be harmed by disclosure; sensitive is that of the Personal Information Protection Law, art. 28."""

    PUBLIC = "public"
    INTERNAL = "internal"
    PERSONAL = "personal"
    SENSITIVE = "sensitive"


class SourceKind(StrEnum):
    REGISTER = "register"
    ITEM = "item"
    DECLARED = "declared"
    PLATFORM = "platform"


@dataclass(frozen=True, slots=True, kw_only=True)
class LegalBasis:
    """A law and its clause."""

    law: Text
    clause: Text
    text: Text | None = None
    line: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where an element comes from, once and for all.

    ``register``: a base register's ``field`` about the person in the role ``of`` (mother, father, child, household, applicant);
    ``item``: the output of a service item; ``declared``: only the person (role) can say it; ``platform``: Furong itself.
    """

    kind: SourceKind
    name: str
    field: str = ""
    of: str = ""
    line: int = dataclasses.field(default=0, compare=False)

    @property
    def is_held(self) -> bool:
        """Whether a body of government holds it, so that nobody may be asked for it again."""
        return self.kind in {SourceKind.REGISTER, SourceKind.ITEM, SourceKind.PLATFORM}


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeValue:
    code: str
    name: Text
    line: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class DataElement:
    """One data element. ``owner`` is the role of the department that answers for it; ``code_table`` a national table's name;
    ``synonyms`` what people who need it may call it.
    """

    code: str
    name: Text
    type: ElementType
    owner: str
    source: Source
    sensitivity: Sensitivity
    legal_basis: tuple[LegalBasis, ...]
    max_length: int | None = None
    pattern: str | None = None
    code_table: str | None = None
    codes: tuple[CodeValue, ...] = ()
    standard: str | None = None
    synonyms: tuple[str, ...] = ()
    note: Text | None = None
    file: str = field(default="", compare=False)
    line: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class ElementGroup:
    """A file of the dictionary: the elements that one register or department answers for."""

    code: str
    name: Text
    owner: str
    elements: tuple[DataElement, ...]


class Dictionary(Mapping[str, DataElement]):
    """The elements of a pack by code. The first declaration of a code counts; the check refuses a second."""

    def __init__(self, elements: Iterable[DataElement]) -> None:
        self._elements: dict[str, DataElement] = {}
        for element in elements:
            self._elements.setdefault(element.code, element)

    def __getitem__(self, code: str) -> DataElement:
        return self._elements[code]

    def __iter__(self) -> Iterator[str]:
        return iter(self._elements)

    def __len__(self) -> int:
        return len(self._elements)


LEGAL_BASIS = MapOf(
    {
        "law": required(Texts(max_length=200)),
        "clause": required(Texts(max_length=200)),
        "text": optional(Texts()),
    },
    build=record(LegalBasis),
)

_SOURCE_KEYS = ("register", "item", "declared", "platform")


def _check_source(parsed: Parsed, report: Report, path: str) -> None:
    named = [key for key in _SOURCE_KEYS if parsed.get(key)]
    if len(named) > 1:
        report.add(
            parsed.line_of(named[1]),
            path,
            "catalogue.second_source",
            both(
                f"数据元已有权威来源 {named[0]}: {parsed[named[0]]}，不能再指定 {named[1]}: {parsed[named[1]]}（一数一源）。",
                f"The element has its source {named[0]}: {parsed[named[0]]} already; {named[1]}: {parsed[named[1]]} is a second.",
            ),
            both("请只保留权威来源。", "Keep the authoritative one."),
        )
    elif not named:
        report.add(
            parsed.line,
            path,
            "catalogue.no_source",
            both("数据元没有来源。", "The element has no source."),
            both("请写明 register、item、declared 或 platform。", "Name a register, item, declared or platform."),
        )
    if parsed.get("register") and not parsed.get("field"):
        report.add(
            parsed.line,
            path,
            "catalogue.no_field",
            both("没有写明库中的字段。", "The register's field is not named."),
            both("请补充 field:。", "Add field: to it."),
        )


def _build_source(parsed: Parsed) -> Source:
    kind = next(key for key in _SOURCE_KEYS if parsed.get(key))
    return Source(
        kind=SourceKind(kind),
        name=str(parsed[kind]),
        field=parsed["field"] or "",
        of=parsed["of"] or "",
        line=parsed.line,
    )


_SOURCE = MapOf(
    {
        "register": optional(CODE),
        "item": optional(CODE),
        "declared": optional(CODE),
        "platform": optional(CODE),
        "field": optional(Str(pattern=r"[a-z][a-z0-9_.]*", max_length=100)),
        "of": optional(CODE),
    },
    check=_check_source,
    build=_build_source,
)

_CODE_VALUE = MapOf(
    {"code": required(Str(max_length=40)), "name": required(Texts(max_length=200))}, build=record(CodeValue)
)

_ELEMENT = MapOf(
    {
        "code": required(RefTo(pattern=ELEMENT_PATTERN)),
        "name": required(Texts(max_length=100)),
        "type": required(OneOf(values=tuple(ElementType))),
        "owner": optional(CODE),
        "source": required(_SOURCE),
        "sensitivity": optional(OneOf(values=tuple(Sensitivity))),
        "legal_basis": optional(ListOf(LEGAL_BASIS, minimum=1)),
        "max_length": optional(Int(1, 100_000)),
        "pattern": optional(Str(max_length=200)),
        "code_table": optional(Str(max_length=60)),
        "codes": optional(ListOf(_CODE_VALUE, minimum=1, unique="code"), list),
        "standard": optional(Str(max_length=100)),
        "synonyms": optional(ListOf(Str(max_length=40)), list),
        "note": optional(Texts()),
    }
)

GROUP = MapOf(
    {
        "code": required(CODE),
        "name": required(Texts(max_length=100)),
        "owner": required(CODE),
        "sensitivity": optional(OneOf(values=tuple(Sensitivity)), "internal"),
        "legal_basis": optional(ListOf(LEGAL_BASIS), list),
        "elements": required(ListOf(_ELEMENT, minimum=1)),
    }
)


def build_group(parsed: Any, report: Report) -> ElementGroup:
    """Turn a file of the dictionary into values; owner, sensitivity and legal basis of the group are defaults of its elements."""
    elements = []
    for entry in parsed["elements"]:
        code: Ref = entry["code"]
        elements.append(
            DataElement(
                code=str(code),
                name=entry["name"],
                type=ElementType(entry["type"]),
                owner=entry["owner"] or parsed["owner"],
                source=entry["source"],
                sensitivity=Sensitivity(entry["sensitivity"] or parsed["sensitivity"]),
                legal_basis=tuple(entry["legal_basis"] or parsed["legal_basis"]),
                max_length=entry["max_length"],
                pattern=entry["pattern"],
                code_table=entry["code_table"],
                codes=tuple(entry["codes"]),
                standard=entry["standard"],
                synonyms=tuple(entry["synonyms"]),
                note=entry["note"],
                file=report.file,
                line=code.line,
            )
        )
    return ElementGroup(code=parsed["code"], name=parsed["name"], owner=parsed["owner"], elements=tuple(elements))
