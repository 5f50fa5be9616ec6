"""The room's kinds of pack content: licence types with their templates, templates of documents, and libraries they share.

* ``licence_types/CODE/licence_type.yaml`` — fields, number, validity, legal basis
* ``licence_types/CODE/template.typ`` — its look; the generic one is used without it
* ``documents/CODE/template.typ`` — a document that cases issue (acceptance, decision …)
* ``typst/CODE/library.typ`` — what templates import as ``/CODE.typ``
"""

from __future__ import annotations

from furong.foundation.codes import queries as codes
from furong.foundation.packs.values import (
    CODE,
    Bool,
    Finding,
    Frame,
    Int,
    Kind,
    ListOf,
    MapOf,
    OneOf,
    Parsed,
    Report,
    Str,
    Text,
    Texts,
    both,
    optional,
    register_kind,
    required,
    yaml_parse,
)

from .values import FieldKind, FieldSpec, LicenceType, TrustLevel, pattern_problem

LICENCE_TYPE = "licence_type"
LICENCE_TEMPLATE = "licence_template"
DOCUMENT_TEMPLATE = "document_template"
TYPST_LIBRARY = "typst_library"
TYPST = "text/vnd.typst"
_MAX_TEMPLATE_BYTES = 256 * 1024

_FIELD = MapOf(
    {
        "code": required(CODE),
        "name": required(Texts()),
        "kind": optional(OneOf([kind.value for kind in FieldKind]), default="text"),
        "required": optional(Bool(), default=True),
        "element": optional(Str(pattern=r"[a-z][a-z0-9_.]{0,99}"), default=""),
        "table": optional(Str(pattern=r"[a-z_]{1,40}"), default=""),
    }
)
_SHAPE = MapOf(
    {
        "code": required(CODE),
        "name": required(Texts()),
        "seal": required(Texts(max_length=60)),
        "number": required(Str(max_length=60)),
        "holder_name": required(CODE),
        "public": optional(Bool(), default=False),
        "trust": optional(OneOf([level.value for level in TrustLevel]), default="A"),
        "valid_years": optional(Int(0, 100), default=0),
        "legal_basis": optional(Texts()),
        "fields": required(ListOf(_FIELD, minimum=1, maximum=100, unique="code")),
        "notes": optional(ListOf(Texts()), default=list),
    }
)


def _build(parsed: Parsed, report: Report) -> LicenceType | None:
    fields = tuple(
        FieldSpec(
            code=one["code"],
            name=one["name"],
            kind=FieldKind(one["kind"]),
            required=one["required"],
            element=one["element"],
            table=one["table"],
            line=one.line,
        )
        for one in parsed["fields"]
    )
    if problem := pattern_problem(parsed["number"]):
        report.add(
            parsed.line_of("number"),
            "number",
            "licence_type.number",
            both(f"编号规则有误：{problem}。", f"The number's pattern is wrong: {problem}."),
            both(
                "可用 {year}、{division:6}，并且恰好一个 {sequence:6}。",
                "Use {year}, {division:6} and exactly one {sequence:6}.",
            ),
        )
    if parsed["holder_name"] not in {one.code for one in fields}:
        report.add(
            parsed.line_of("holder_name"),
            "holder_name",
            "licence_type.holder_name",
            both("持证人姓名字段不存在。", "The field with the holder's name does not exist."),
            both("请填写 fields 中的一个代码。", "Name the code of one of the fields."),
        )
    known = {table.name for table in codes.list_tables()}
    for one in fields:
        if (one.kind is FieldKind.CODE) != bool(one.table) or (one.table and one.table not in known):
            report.add(
                one.line,
                f"fields.{one.code}",
                "licence_type.table",
                both(
                    "代码字段要有一个已有的代码表，其他字段没有。",
                    "A code has a known table, and nothing else has one.",
                ),
                both(f"可用：{'、'.join(sorted(known))}。", f"Use one of {', '.join(sorted(known))}."),
            )
    return LicenceType(
        code=parsed["code"],
        name=parsed["name"],
        seal=parsed["seal"],
        number=parsed["number"],
        fields=fields,
        holder_name=parsed["holder_name"],
        is_public=parsed["public"],
        trust=TrustLevel(parsed["trust"]),
        valid_years=parsed["valid_years"],
        legal_basis=parsed["legal_basis"],
        notes=tuple(parsed["notes"]),
        line=parsed.line,
    )


def parse_template(content: bytes, file: str, frame: Frame) -> tuple[bytes | None, list[Finding]]:
    """Take a typst source as it is, within bounds; that it compiles is tested with its data."""
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        return None, [_wrong(file, "typst.not_utf8", "文件不是 UTF-8 编码。", "The file is not UTF-8.")]
    if len(content) > _MAX_TEMPLATE_BYTES:
        return None, [_wrong(file, "typst.too_large", "模板超过 256 KB。", "The template is larger than 256 KB.")]
    if '"@' in text:
        return None, [
            _wrong(file, "typst.package", "模板不能引用网上的包。", "A template imports no package from the network.")
        ]
    return content, []


def _wrong(file: str, rule: str, zh: str, en: str) -> Finding:
    mend: Text = both("请改正模板。", "Mend the template.")
    return Finding(file=file, line=1, element="-", rule=rule, message=both(zh, en), mend=mend)


def register() -> None:
    """Make the four kinds known to the checker and the importer."""
    register_kind(
        Kind(
            name=LICENCE_TYPE,
            folder="licence_types",
            file="licence_type.yaml",
            parse=yaml_parse(_SHAPE, _build),
            order=60,
        )
    )
    for name, folder, file in (
        (LICENCE_TEMPLATE, "licence_types", "template.typ"),
        (DOCUMENT_TEMPLATE, "documents", "template.typ"),
        (TYPST_LIBRARY, "typst", "library.typ"),
    ):
        register_kind(Kind(name=name, folder=folder, file=file, media_type=TYPST, parse=parse_template, order=60))
