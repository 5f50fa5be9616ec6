"""A service item: the fields of the national basic and implementation lists (GB/T 39554.1-2020)."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from datetime import date
from enum import StrEnum
from typing import Any

from furong.domains.catalogue.values import ELEMENT_PATTERN, LEGAL_BASIS, LegalBasis
from furong.domains.services.errors import ItemCodeRefused
from furong.domains.services.values.clocks import CLOCK, LIMIT, ItemClock, Limit
from furong.foundation.packs.values import (
    CODE,
    Bool,
    Day,
    Expression,
    Feel,
    Int,
    Key,
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

# 01 to 10 are the kinds of administrative power, 20 is public service.
ITEM_TYPES = {
    "01": both("行政许可", "Administrative licence"),
    "02": both("行政处罚", "Administrative penalty"),
    "03": both("行政强制", "Administrative coercion"),
    "04": both("行政征收", "Administrative levy"),
    "05": both("行政给付", "Administrative payment"),
    "06": both("行政检查", "Administrative inspection"),
    "07": both("行政确认", "Administrative confirmation"),
    "08": both("行政奖励", "Administrative reward"),
    "09": both("行政裁决", "Administrative ruling"),
    "10": both("其他行政权力", "Other administrative power"),
    "20": both("公共服务", "Public service"),
}
POWER_SOURCES = {
    "1": both("法定本级行使", "By law at this level"),
    "2": both("上级下放", "Delegated downward"),
    "3": both("上级授权", "Authorised by a higher level"),
    "4": both("同级授权", "Authorised at the same level"),
    "5": both("上级委托", "Entrusted by a higher level"),
    "6": both("同级委托", "Entrusted at the same level"),
}
LEVELS = {
    "1": both("国家级", "State"),
    "2": both("省级", "Province"),
    "3": both("市级", "City"),
    "4": both("县级", "County"),
    "5": both("乡级", "Township"),
    "6": both("村级", "Village"),
}


class ProjectType(StrEnum):
    """即办件: decided at once, not timed; 承诺件: decided within the promised limit."""

    IMMEDIATE = "immediate"
    PROMISED = "promised"


class Channel(StrEnum):
    """Where a material comes from. Only ``applicant`` may be asked of the person."""

    APPLICANT = "applicant"
    REGISTER = "register"
    LICENCE = "licence"
    ITEM = "item"
    DEPARTMENT = "department"


class ResultKind(StrEnum):
    LICENCE = "licence"
    RECORD = "record"
    PAYMENT = "payment"
    DOCUMENT = "document"


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A step of the process as the guide explains it."""

    name: Text
    department: str | None = None
    limit: Limit | None = None
    note: Text | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SpecialProcedure:
    """Hearing, inspection, appraisal, expert review …: stops the clock (Administrative Licensing Law, art. 45)."""

    code: str
    name: Text
    limit: Limit
    legal_basis: tuple[LegalBasis, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class FeeItem:
    name: Text
    amount_fen: int
    legal_basis: tuple[LegalBasis, ...]
    waiver: Text | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Fee:
    charged: bool
    items: tuple[FeeItem, ...] = ()
    note: Text | None = None
    line: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemResult:
    """What the item ends in. ``licence_type`` names a type of the licence register. Without a kind it is the shape's."""

    name: Text
    kind: ResultKind | None = None
    licence_type: str | None = None
    validity: Text | None = None
    line: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    name: Text
    address: Text
    hours: Text
    window: Text | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    phone: str | None = None
    address: Text | None = None
    online: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Remedies:
    """How a person may challenge the decision: where and within how many days."""

    reconsideration: Text
    litigation: Text


@dataclass(frozen=True, slots=True, kw_only=True)
class MaterialSource:
    """A channel, and what of it: a register's element, a licence type, an item's output, a department."""

    channel: Channel
    name: str | None = None
    note: Text | None = None
    line: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Material:
    code: str
    name: Text
    necessity: str
    type: str
    form: str
    source: MaterialSource
    legal_basis: tuple[LegalBasis, ...]
    when: Expression | None = None
    copies: int = 0
    paper_size: str | None = None
    fill_notes: Text | None = None
    blank_form: str | None = None
    sample: str | None = None
    acceptance_standard: Text | None = None
    element: Ref | None = None
    line: int = field(default=0, compare=False)

    @property
    def upload(self) -> Ref:
        """The data element that holds what the applicant uploads: ``material.CODE`` unless the material names one."""
        return self.element if self.element is not None else Ref.at(f"material.{self.code}", self.line)


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    question: Text
    answer: Text


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """A service item as its file gives it (basic item). `implementations` lays an organisation's overrides over it.

    ``department`` is the role of the implementing body. ``inputs`` are the data elements that the department may see, ``outputs``
    those it is the source of; cases and prefill go by them. ``once_for`` is the element that tells one matter from another (a
    birth's record): for each of its values the item is applied for once, until that case ends without its result.

    With ``shape`` the item is one file: process, form and everything it does not say are the shape's (`values.shapes`).
    ``fields`` are the data elements that its form asks or shows, ``clusters`` where it stands in the portal, ``divisions`` whose
    bodies do it (empty: all of its levels), ``local`` what those bodies may set for themselves (None: `LOCAL`), ``invented``
    which of its keys are not taken from law or published practice.
    """

    code: str
    name: Text
    basic_code: str
    type: str
    department: str
    power_source: str
    levels: tuple[str, ...]
    service_objects: tuple[str, ...]
    project_type: ProjectType
    legal_basis: tuple[LegalBasis, ...]
    clock: ItemClock | None
    acceptance_conditions: tuple[Text, ...]
    steps: tuple[Step, ...]
    result: ItemResult
    materials: tuple[Material, ...]
    inputs: tuple[Ref, ...]
    outputs: tuple[Ref, ...]
    places: tuple[Place, ...]
    consult: Contact
    complaint: Contact
    in_force_from: date | None = None
    edition: str = "1"
    summary: Text | None = None
    nature: str = "statutory"
    entrusted_by: str | None = None
    special_procedures: tuple[SpecialProcedure, ...] = ()
    on_site_visits: int = 0
    handling_forms: tuple[str, ...] = ("online", "window")
    fee: Fee = Fee(charged=False)
    joint_departments: tuple[str, ...] = ()
    across_area: str = "none"
    online_depth: str = "whole"
    express: bool = False
    online_payment: bool = False
    appointment: bool = False
    self_service: bool = False
    quota: int | None = None
    themes: tuple[str, ...] = ()
    remedies: Remedies | None = None
    questions: tuple[Question, ...] = ()
    once_for: Ref | None = None
    shape: Ref | None = None
    fields: tuple[Ref, ...] = ()
    optional_fields: tuple[Ref, ...] = ()
    clusters: tuple[Ref, ...] = ()
    divisions: tuple[Ref, ...] = ()
    local: tuple[str, ...] | None = None
    invented: tuple[str, ...] = ()
    line: int = field(default=0, compare=False)
    lines: dict[str, int] = field(default_factory=dict, compare=False)

    def line_of(self, key: str) -> int:
        return self.lines.get(key, self.line)


def implementation_code(*, organization_code: str, level: str, basic_code: str) -> str:
    """Make the 31-character implementation code: organisation code (GB 32100), level from 1 to 6, basic code.

    Raises `ItemCodeRefused` when a part has not the form the standard wants (GB/T 39554.1-2020).
    """
    if not (
        re.fullmatch(r"[0-9A-Z]{18}", organization_code) and level in LEVELS and re.fullmatch(r"[0-9]{12}", basic_code)
    ):
        raise ItemCodeRefused
    return f"{organization_code}{level}{basic_code}"


_DEPARTMENTS = ListOf(CODE, unique="")
STEP = MapOf(
    {
        "name": required(Texts(max_length=100)),
        "department": optional(CODE),
        "limit": optional(LIMIT),
        "note": optional(Texts()),
    },
    build=record(Step),
)
_SPECIAL = MapOf(
    {
        "code": required(CODE),
        "name": required(Texts(max_length=100)),
        "limit": required(LIMIT),
        "legal_basis": required(ListOf(LEGAL_BASIS, minimum=1)),
    },
    build=record(SpecialProcedure),
)
_FEE_ITEM = MapOf(
    {
        "name": required(Texts(max_length=100)),
        "amount_fen": required(Int(0, 10**12)),
        "legal_basis": required(ListOf(LEGAL_BASIS, minimum=1)),
        "waiver": optional(Texts()),
    },
    build=record(FeeItem),
)
FEE = MapOf(
    {
        "charged": required(Bool()),
        "items": optional(ListOf(_FEE_ITEM), list),
        "note": optional(Texts()),
    },
    build=record(Fee),
)
_RESULT = MapOf(
    {
        "kind": optional(OneOf(values=tuple(ResultKind))),
        "name": required(Texts(max_length=100)),
        "licence_type": optional(CODE),
        "validity": optional(Texts()),
    },
    build=record(ItemResult),
)
PLACE = MapOf(
    {
        "name": required(Texts(max_length=200)),
        "address": required(Texts(max_length=300)),
        "hours": required(Texts(max_length=300)),
        "window": optional(Texts(max_length=100)),
    },
    build=record(Place),
)
CONTACT = MapOf(
    {
        "phone": optional(Str(pattern=r"[0-9 +-]{3,30}")),
        "address": optional(Texts(max_length=300)),
        "online": optional(Str(max_length=300)),
    },
    build=record(Contact),
)
REMEDIES = MapOf({"reconsideration": required(Texts()), "litigation": required(Texts())}, build=record(Remedies))
_MATERIAL_SOURCE = MapOf(
    {
        "channel": required(OneOf(values=tuple(Channel))),
        "name": optional(RefTo()),
        "note": optional(Texts()),
    },
    build=record(MaterialSource),
)


def _build_material(parsed: Parsed) -> Material:
    """What a material of the applicant's or a body's usually is, where the file does not say."""
    mine = parsed["source"].channel == Channel.APPLICANT
    values = {
        **parsed,
        "type": parsed["type"] or ("electronic" if mine else "data"),
        "form": parsed["form"] or ("electronic" if mine else "data"),
    }
    made: Material = record(Material)(Parsed(values, line=parsed.line, lines=parsed.lines))
    return made


MATERIAL = MapOf(
    {
        "code": required(CODE),
        "name": required(Texts(max_length=200)),
        "necessity": optional(OneOf(values=("required", "conditional", "optional")), "required"),
        "when": optional(Feel()),
        "type": optional(OneOf(values=("original", "copy", "original_and_copy", "electronic", "data"))),
        "form": optional(OneOf(values=("paper", "electronic", "paper_or_electronic", "data"))),
        "copies": optional(Int(0, 20), 0),
        "paper_size": optional(Str(max_length=20)),
        "source": required(_MATERIAL_SOURCE),
        "legal_basis": optional(ListOf(LEGAL_BASIS, minimum=1), list),
        "fill_notes": optional(Texts()),
        "blank_form": optional(Str(max_length=200)),
        "sample": optional(Str(max_length=200)),
        "acceptance_standard": optional(Texts()),
        "element": optional(RefTo(pattern=ELEMENT_PATTERN)),
    },
    build=_build_material,
)
_QUESTION = MapOf({"question": required(Texts()), "answer": required(Texts())}, build=record(Question))

SERVICE_OBJECTS = ("person", "enterprise", "institution", "official")
HANDLING_FORMS = ("online", "window", "mail", "self_service", "express")
AREAS = ("none", "county", "city", "province", "several_provinces", "nation")
DEPTHS = ("information", "application", "review", "whole")

# What an organisation may set for itself; the rest is the basic item's (basic list: unified by the level that sets it).
OVERRIDABLE: dict[str, Key] = {
    "promised": optional(LIMIT),
    "on_site_visits": optional(Int(0, 10)),
    "handling_forms": optional(ListOf(OneOf(values=HANDLING_FORMS), minimum=1)),
    "fee": optional(FEE),
    "places": optional(ListOf(PLACE, minimum=1)),
    "consult": optional(CONTACT),
    "complaint": optional(CONTACT),
    "remedies": optional(REMEDIES),
    "across_area": optional(OneOf(values=AREAS)),
    "online_depth": optional(OneOf(values=DEPTHS)),
    "express": optional(Bool()),
    "online_payment": optional(Bool()),
    "appointment": optional(Bool()),
    "self_service": optional(Bool()),
    "quota": optional(Int(0)),
    "joint_departments": optional(_DEPARTMENTS),
    "steps": optional(ListOf(STEP, minimum=1)),
    "questions": optional(ListOf(_QUESTION)),
}

# What lower bodies may set where an item does not say: what a person meets there, never what they owe or may claim.
LOCAL = tuple(key for key in OVERRIDABLE if key not in {"fee", "remedies", "across_area", "quota"})
# What an item must say itself unless it has a shape.
_OWN = (
    "power_source",
    "project_type",
    "acceptance_conditions",
    "steps",
    "fee",
    "places",
    "consult",
    "complaint",
    "materials",
)

_ELEMENTS = ListOf(RefTo(pattern=ELEMENT_PATTERN), unique="")


def _check_item(parsed: Parsed, report: Report, path: str) -> None:
    if parsed["shape"] is None:
        missing = [key for key in (*_OWN, "inputs") if parsed[key] is None]
        if parsed["result"].kind is None:
            missing.append("result.kind")
        for key in missing:
            report.add(
                parsed.line,
                key,
                "schema.missing",
                both(f"缺少 {key}。", f"{key} is missing."),
                both(f"请补充 {key}:，或写明 shape:。", f"Add {key}: to it, or name a shape:."),
            )
        for key in ("fields", "optional_fields"):
            if parsed[key]:
                report.add(
                    parsed.line_of(key),
                    key,
                    "item.fields_without_shape",
                    both("没有 shape 的事项由 form.yaml 提问。", "An item without a shape asks in its form.yaml."),
                    both(
                        "请写明 shape:，或把问题写进 form.yaml。",
                        "Name a shape:, or write the questions into form.yaml.",
                    ),
                )


def _build_item(parsed: Parsed) -> Item:
    basis = tuple(parsed["legal_basis"])[:1]
    values: dict[str, Any] = {
        **parsed,
        "project_type": ProjectType(parsed["project_type"] or ProjectType.PROMISED),
        "power_source": parsed["power_source"] or "1",
        "fee": parsed["fee"] or Fee(charged=False),
        "consult": parsed["consult"] or Contact(),
        "complaint": parsed["complaint"] or Contact(),
        "materials": [m if m.legal_basis else replace(m, legal_basis=basis) for m in parsed["materials"] or ()],
        **{key: parsed[key] or [] for key in ("acceptance_conditions", "steps", "places", "inputs")},
    }
    made: Item = record(Item)(Parsed(values, line=parsed.line, lines=parsed.lines))
    return made


ITEM = MapOf(
    {
        "code": required(CODE),
        "name": required(Texts(max_length=200)),
        "summary": optional(Texts(max_length=600)),
        "basic_code": required(Str(max_length=40)),
        "edition": optional(Str(max_length=40), "1"),
        "in_force_from": optional(Day()),
        "type": required(OneOf(values=tuple(ITEM_TYPES))),
        "legal_basis": required(ListOf(LEGAL_BASIS, minimum=1)),
        "department": required(CODE),
        "nature": optional(OneOf(values=("statutory", "authorised", "entrusted")), "statutory"),
        "entrusted_by": optional(CODE),
        "power_source": optional(OneOf(values=tuple(POWER_SOURCES))),
        "levels": required(ListOf(OneOf(values=tuple(LEVELS)), minimum=1, unique="")),
        "service_objects": required(ListOf(OneOf(values=SERVICE_OBJECTS), minimum=1, unique="")),
        "project_type": optional(OneOf(values=tuple(ProjectType))),
        "clock": optional(CLOCK),
        "acceptance_conditions": optional(ListOf(Texts(), minimum=1)),
        "steps": optional(ListOf(STEP, minimum=1)),
        "special_procedures": optional(ListOf(_SPECIAL, unique="code"), list),
        "on_site_visits": optional(Int(0, 10), 0),
        "handling_forms": optional(ListOf(OneOf(values=HANDLING_FORMS), minimum=1), lambda: ["online", "window"]),
        "fee": optional(FEE),
        "result": required(_RESULT),
        "places": optional(ListOf(PLACE, minimum=1)),
        "consult": optional(CONTACT),
        "complaint": optional(CONTACT),
        "remedies": optional(REMEDIES),
        "materials": optional(ListOf(MATERIAL, unique="code")),
        "inputs": optional(_ELEMENTS),
        "outputs": optional(_ELEMENTS, list),
        "once_for": optional(RefTo(pattern=ELEMENT_PATTERN)),
        "joint_departments": optional(_DEPARTMENTS, list),
        "across_area": optional(OneOf(values=AREAS), "none"),
        "online_depth": optional(OneOf(values=DEPTHS), "whole"),
        "express": optional(Bool(), False),
        "online_payment": optional(Bool(), False),
        "appointment": optional(Bool(), False),
        "self_service": optional(Bool(), False),
        "quota": optional(Int(0)),
        "themes": optional(ListOf(CODE, unique=""), list),
        "questions": optional(ListOf(_QUESTION), list),
        "shape": optional(RefTo(pattern=r"[a-z][a-z0-9_]*")),
        "fields": optional(_ELEMENTS, list),
        "optional_fields": optional(_ELEMENTS, list),
        "clusters": optional(ListOf(RefTo(pattern=r"[a-z][a-z0-9_]*"), unique=""), list),
        "divisions": optional(ListOf(RefTo(pattern=r"[0-9A-Za-z.-]{1,20}"), unique=""), list),
        "local": optional(ListOf(OneOf(values=tuple(OVERRIDABLE)), unique="")),
        "invented": optional(ListOf(Str(max_length=60), unique=""), list),
    },
    check=_check_item,
    build=_build_item,
)
