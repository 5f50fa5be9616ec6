"""Shapes: what services of one sort have in common, so that such a service is one file.

A shape (register, licence, confirm, pay out, report …) is a folder ``shapes/CODE/`` with ``shape.yaml``, the ``process.bpmn``
that all its items run, and ``scenarios.yaml`` that play it. An item with ``shape:`` says only what is its own; `complete` gives
the whole item, and `build_form` its form.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from furong.domains.catalogue.values import ELEMENT_PATTERN, DataElement, ElementType
from furong.domains.services.values.closures import canonical
from furong.domains.services.values.forms import MEDIA_TYPES, FieldType, Form, FormField, Group, Option, Page, Prefill
from furong.domains.services.values.items import (
    CONTACT,
    DEPTHS,
    HANDLING_FORMS,
    ITEM_TYPES,
    PLACE,
    REMEDIES,
    STEP,
    Channel,
    Contact,
    Item,
    Place,
    Remedies,
    ResultKind,
    Step,
)
from furong.foundation.packs.values import (
    CODE,
    Int,
    ListOf,
    MapOf,
    OneOf,
    Ref,
    RefTo,
    Text,
    Texts,
    optional,
    record,
    required,
)

NAME = "{name}"
# Enterprises and institutions act under a credit code, persons and officials under their own name.
_UNDER_CREDIT_CODE = frozenset({"enterprise", "institution"})
_FIELD_OF: Mapping[str, FieldType] = {
    ElementType.TEXT: FieldType.TEXT,
    ElementType.LONG_TEXT: FieldType.LONG_TEXT,
    ElementType.NAME: FieldType.HAN_NAME,
    ElementType.IDENTITY_NUMBER: FieldType.IDENTITY_NUMBER,
    ElementType.CREDIT_CODE: FieldType.CREDIT_CODE,
    ElementType.PHONE: FieldType.PHONE,
    ElementType.EMAIL: FieldType.EMAIL,
    ElementType.BANK_ACCOUNT: FieldType.BANK_ACCOUNT,
    ElementType.INTEGER: FieldType.INTEGER,
    ElementType.DECIMAL: FieldType.DECIMAL,
    ElementType.MONEY_FEN: FieldType.MONEY,
    ElementType.BOOLEAN: FieldType.YES_NO,
    ElementType.DATE: FieldType.DATE,
    ElementType.CODE: FieldType.CHOICE,
    ElementType.DIVISION: FieldType.DIVISION,
    ElementType.ADDRESS: FieldType.ADDRESS,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class FormPart:
    """A page that the shape makes: who applies, what for, which papers."""

    title: Text
    intro: Text | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ShapeForm:
    """How the form of such an item is put together. ``title`` has ``{name}`` where the item's name goes."""

    title: Text
    applicant: FormPart
    matter: FormPart
    materials: FormPart
    accept: tuple[str, ...]
    max_mb: int
    declaration: Text | None = None
    upload_hint: Text | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """What items of a shape share. ``person`` and ``enterprise`` are the elements of who applies, all of them held somewhere."""

    code: str
    name: Text
    types: tuple[str, ...]
    result_kind: ResultKind
    licence_type: str | None
    acceptance_conditions: tuple[Text, ...]
    steps: tuple[Step, ...]
    places: tuple[Place, ...]
    consult: Contact
    complaint: Contact
    person: tuple[Ref, ...]
    enterprise: tuple[Ref, ...]
    form: ShapeForm
    remedies: Remedies | None = None
    summary: Text | None = None
    handling_forms: tuple[str, ...] = ("online", "window")
    online_depth: str = "whole"
    line: int = field(default=0, compare=False)
    lines: dict[str, int] = field(default_factory=dict, compare=False)

    def applicants(self, item: Item) -> tuple[Ref, ...]:
        """Give the elements of who applies, by whom the item serves."""
        under_code = bool(_UNDER_CREDIT_CODE & set(item.service_objects))
        return (*self.person, *(self.enterprise if under_code else ()))


_PART = MapOf(
    {"title": required(Texts(max_length=200)), "intro": optional(Texts(max_length=1000))}, build=record(FormPart)
)
_FORM = MapOf(
    {
        "title": required(Texts(max_length=200)),
        "applicant": required(_PART),
        "matter": required(_PART),
        "materials": required(_PART),
        "accept": required(ListOf(OneOf(values=tuple(MEDIA_TYPES)), minimum=1, unique="")),
        "max_mb": required(Int(1, 200)),
        "declaration": optional(Texts(max_length=1000)),
        "upload_hint": optional(Texts(max_length=600)),
    },
    build=record(ShapeForm),
)
_ELEMENTS = ListOf(RefTo(pattern=ELEMENT_PATTERN), minimum=1, unique="")
SHAPE = MapOf(
    {
        "code": required(CODE),
        "name": required(Texts(max_length=60)),
        "summary": optional(Texts(max_length=600)),
        "types": required(ListOf(OneOf(values=tuple(ITEM_TYPES)), minimum=1, unique="")),
        "result_kind": required(OneOf(values=tuple(ResultKind))),
        "licence_type": optional(CODE),
        "acceptance_conditions": required(ListOf(Texts(), minimum=1)),
        "steps": required(ListOf(STEP, minimum=1)),
        "places": required(ListOf(PLACE, minimum=1)),
        "consult": required(CONTACT),
        "complaint": required(CONTACT),
        "remedies": optional(REMEDIES),
        "person": required(_ELEMENTS),
        "enterprise": required(_ELEMENTS),
        "handling_forms": optional(ListOf(OneOf(values=HANDLING_FORMS), minimum=1), lambda: ["online", "window"]),
        "online_depth": optional(OneOf(values=DEPTHS), "whole"),
        "form": required(_FORM),
    },
    build=record(Shape),
)


def complete(item: Item, shape: Shape) -> Item:
    """Give an item with what its shape adds: steps by its department, places, remedies, the elements its department sees."""
    uploads = [m.upload for m in item.materials if _is_uploaded(m.source.channel, m.form)]
    registers = [
        Ref.at(m.source.name, m.source.line)
        for m in item.materials
        if m.source.channel is Channel.REGISTER and m.source.name
    ]
    seen: tuple[Ref, ...] = (
        *item.inputs,
        *shape.applicants(item),
        *item.fields,
        *item.optional_fields,
        *registers,
        *uploads,
    )
    return replace(
        item,
        steps=item.steps or tuple(replace(s, department=s.department or item.department) for s in shape.steps),
        acceptance_conditions=item.acceptance_conditions or shape.acceptance_conditions,
        places=item.places or shape.places,
        consult=item.consult if item.consult != Contact() else shape.consult,
        complaint=item.complaint if item.complaint != Contact() else shape.complaint,
        remedies=item.remedies or shape.remedies,
        handling_forms=item.handling_forms if "handling_forms" in item.lines else shape.handling_forms,
        online_depth=item.online_depth if "online_depth" in item.lines else shape.online_depth,
        result=replace(
            item.result,
            kind=item.result.kind or shape.result_kind,
            licence_type=item.result.licence_type or shape.licence_type,
        ),
        inputs=tuple(dict.fromkeys(seen)),
    )


def _is_uploaded(channel: str, form: str) -> bool:
    return channel == Channel.APPLICANT and form != "paper"


def build_form(item: Item, shape: Shape, dictionary: Mapping[str, DataElement], *, file: str = "") -> Form:
    """Make the form of a completed item: who applies (shown), what for, and the uploads of what only the applicant has.

    What a body holds is shown and never asked. Labels, options and lengths are the dictionary's. Elements that the dictionary
    does not have are left out; `checks` name them. ``file`` is where findings about it belong.
    """
    made = _Maker(dictionary, shape, file)
    who = [made.field(ref) for ref in shape.applicants(item)]
    what = [made.field(ref) for ref in item.fields]
    what += [made.field(ref, required=False) for ref in item.optional_fields]
    papers = [made.upload(item, m.code) for m in item.materials if _is_uploaded(m.source.channel, m.form)]
    asked, shown, uploads = _known(what), _known(who), _known(papers)
    first, code = (shape.form.matter, "matter") if asked else (shape.form.applicant, "applicant")
    # Who applies is shown beside the first questions: a page with nothing to fill in is one click more.
    groups = (Group(fields=shown, code="applicant"), Group(fields=asked, code="matter"))
    pages = [
        Page(
            code=code,
            title=first.title,
            intro=first.intro,
            groups=tuple(group for group in groups if group.fields),
            line=item.line,
        )
    ]
    if uploads:
        part = shape.form.materials
        group = Group(fields=uploads, code="materials")
        pages.append(Page(code="materials", title=part.title, intro=part.intro, groups=(group,), line=item.line))
    title = Text.of({k: v.replace(NAME, item.name.pick(k)) for k, v in shape.form.title.as_dict().items()})
    return Form(code=item.code, title=title, pages=tuple(pages), declaration=shape.form.declaration, line=item.line)


def _known(fields: Iterable[FormField | None]) -> tuple[FormField, ...]:
    return tuple({str(one.element): one for one in fields if one is not None}.values())


@dataclass(frozen=True, slots=True)
class _Maker:
    dictionary: Mapping[str, DataElement]
    shape: Shape
    file: str

    def field(self, ref: Ref, *, required: bool = True) -> FormField | None:
        element = self.dictionary.get(ref)
        if element is None or element.type not in _FIELD_OF:
            return None  # an identifier, say: the department sees it, nobody reads it
        return FormField(
            element=ref,
            type=_FIELD_OF[element.type],
            label=element.name,
            hint=element.note,
            required=required,
            prefill=Prefill.SHOW if element.source.is_held else None,
            options=tuple(Option(code=one.code, label=one.name) for one in element.codes),
            code_table=element.code_table,
            max_length=element.max_length,
            pattern=element.pattern,
            file=self.file,
            line=ref.line,
        )

    def upload(self, item: Item, code: str) -> FormField | None:
        material = next(m for m in item.materials if m.code == code)
        if material.upload not in self.dictionary:
            return None
        return FormField(
            element=material.upload,
            type=FieldType.UPLOAD,
            label=material.name,
            hint=material.fill_notes or self.shape.form.upload_hint,
            required=material.necessity == "required",
            require_if=material.when,
            accept=self.shape.form.accept,
            max_mb=self.shape.form.max_mb,
            material=code,
            file=self.file,
            line=material.line,
        )


def form_content(form: Form) -> bytes:
    """Write a form that `build_form` made as ``form.yaml`` would hold it, in JSON, so that it can be kept and pinned."""
    value: dict[str, Any] = {
        "code": form.code,
        "title": form.title.as_dict(),
        "pages": [
            {
                "code": page.code,
                "title": page.title.as_dict(),
                **({"intro": page.intro.as_dict()} if page.intro is not None else {}),
                "groups": [
                    {"code": group.code, "fields": [dict(_field_content(one)) for one in group.fields]}
                    for group in page.groups
                ],
            }
            for page in form.pages
        ],
    }
    if form.declaration is not None:
        value["declaration"] = form.declaration.as_dict()
    return canonical(value)


def _field_content(one: FormField) -> Iterator[tuple[str, Any]]:
    yield "element", str(one.element)
    yield "type", str(one.type)
    yield "label", one.label.as_dict()
    if one.hint is not None:
        yield "hint", one.hint.as_dict()
    if not one.required:
        yield "required", False
    if one.prefill is not None:
        yield "prefill", str(one.prefill)
    if one.require_if is not None:
        yield "require_if", one.require_if.text
    if one.options:
        yield "options", [{"code": o.code, "label": o.label.as_dict()} for o in one.options]
    for key in ("code_table", "max_length", "pattern", "max_mb", "material"):
        if getattr(one, key) is not None:
            yield key, getattr(one, key)
    if one.accept:
        yield "accept", list(one.accept)
