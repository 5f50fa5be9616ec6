"""What an information resource is: class, provider, format, items, terms. Frozen and pure."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

from furong.domains.catalogue.values import ElementType, LegalBasis
from furong.foundation.packs.values import Ref, Text, both


class ClassKind(StrEnum):
    """类: base, theme or department (the guide, part 4)."""

    BASE = "base"
    THEME = "theme"
    DEPARTMENT = "department"


class SharingType(StrEnum):
    """Terms of sharing among departments (Order 809, art. 14)."""

    UNCONDITIONAL = "unconditional"
    CONDITIONAL = "conditional"
    NONE = "none"

    @property
    def rank(self) -> int:
        """How narrow it is: 0 the widest."""
        return list(SharingType).index(self)


class Openness(StrEnum):
    """Terms towards the public. Open is the rule; every exception cites its clause (以公开为原则)."""

    OPEN = "open"
    CONDITIONAL = "conditional"
    CLOSED = "closed"

    @property
    def rank(self) -> int:
        """How narrow it is: 0 the widest."""
        return list(Openness).index(self)


class SharingMethod(StrEnum):
    """How it passes: over the platform as file, database or interface; by mail or on a medium otherwise."""

    FILE = "file"
    DATABASE = "database"
    INTERFACE = "interface"
    MAIL = "mail"
    MEDIA = "media"


class FormatClass(StrEnum):
    """Classes of formats of the guide (资源格式分类)."""

    ELECTRONIC_FILE = "electronic_file"
    SPREADSHEET = "spreadsheet"
    DATABASE = "database"
    IMAGE = "image"
    STREAMING = "streaming"
    SELF_DESCRIBING = "self_describing"


class Cycle(StrEnum):
    """Update cycle (更新周期), the most frequent first; those after yearly have no order."""

    REALTIME = "realtime"
    DAILY = "daily"
    WEEKLY = "weekly"
    MONTHLY = "monthly"
    QUARTERLY = "quarterly"
    HALF_YEARLY = "half_yearly"
    YEARLY = "yearly"
    IRREGULAR = "irregular"
    OTHER = "other"

    @property
    def rank(self) -> int | None:
        """0 for real time, 6 for yearly, None where the guide gives no period."""
        place = list(Cycle).index(self)
        return place if self not in {Cycle.IRREGULAR, Cycle.OTHER} else None


class ItemType(StrEnum):
    """Data types of items (信息项数据类型) by the guide's letters."""

    TEXT = "C"
    NUMBER = "N"
    MONEY = "Y"
    DATE = "D"
    DATETIME = "T"
    LOGICAL = "L"
    MEMO = "M"
    GENERAL = "G"
    DOUBLE = "B"
    INTEGER = "I"
    FLOAT = "F"


class CollectedFrom(StrEnum):
    """Whose burden a collection is."""

    PERSON = "person"
    ENTERPRISE = "enterprise"
    INSTITUTION = "institution"
    DEPARTMENT = "department"
    DEVICE = "device"


class Entry(StrEnum):
    """How a definition enters the catalogue: approved with the pack, or as a draft that the data authority reviews."""

    APPROVED = "approved"
    DRAFT = "draft"


FORMATS: Mapping[FormatClass, tuple[str, ...]] = {
    FormatClass.ELECTRONIC_FILE: ("ofd", "wps", "xml", "txt", "doc", "docx", "html", "pdf", "ppt", "pptx", "zip"),
    FormatClass.SPREADSHEET: ("et", "xls", "xlsx", "csv"),
    FormatClass.DATABASE: (
        *("dm", "kingbase", "access", "dbf", "dbase", "sybase", "oracle", "sql_server", "db2"),
        *("postgresql", "mysql", "opengauss", "oceanbase", "tidb", "gbase"),
    ),
    FormatClass.IMAGE: ("jpg", "gif", "bmp", "png", "tiff", "geotiff"),
    FormatClass.STREAMING: ("swf", "rm", "mpg", "mp4"),
    FormatClass.SELF_DESCRIBING: (),
}

# The types that an element's representation may have as an item; the first is what an item gets that names none.
TYPES_OF: Mapping[ElementType, tuple[ItemType, ...]] = {
    ElementType.TEXT: (ItemType.TEXT, ItemType.MEMO),
    ElementType.LONG_TEXT: (ItemType.MEMO, ItemType.TEXT),
    ElementType.NAME: (ItemType.TEXT,),
    ElementType.IDENTITY_NUMBER: (ItemType.TEXT,),
    ElementType.CREDIT_CODE: (ItemType.TEXT,),
    ElementType.PHONE: (ItemType.TEXT,),
    ElementType.EMAIL: (ItemType.TEXT,),
    ElementType.BANK_ACCOUNT: (ItemType.TEXT,),
    ElementType.INTEGER: (ItemType.INTEGER, ItemType.NUMBER),
    ElementType.DECIMAL: (ItemType.NUMBER, ItemType.DOUBLE, ItemType.FLOAT),
    ElementType.MONEY_FEN: (ItemType.MONEY, ItemType.NUMBER, ItemType.INTEGER),
    ElementType.BOOLEAN: (ItemType.LOGICAL,),
    ElementType.DATE: (ItemType.DATE,),
    ElementType.DATETIME: (ItemType.DATETIME,),
    ElementType.CODE: (ItemType.TEXT,),
    ElementType.DIVISION: (ItemType.TEXT,),
    ElementType.ADDRESS: (ItemType.TEXT, ItemType.MEMO),
    ElementType.FILE: (ItemType.GENERAL,),
    ElementType.RECORD: (ItemType.GENERAL, ItemType.MEMO),
    ElementType.ID: (ItemType.TEXT,),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class NationalItem:
    """A 项 of the guide, the same everywhere: number of two digits and name."""

    code: str
    number: str
    name: Text


def _national(*rows: tuple[str, str, str]) -> Mapping[str, NationalItem]:
    return {
        code: NationalItem(code=code, number=f"{place:02d}", name=both(zh, en))
        for place, (code, zh, en) in enumerate(rows, 1)
    }


NATIONAL_ITEMS: Mapping[ClassKind, Mapping[str, NationalItem]] = {
    ClassKind.BASE: _national(
        ("population", "人口基础信息", "Population"),
        ("legal_entity", "法人单位基础信息", "Legal entities"),
        ("natural_resources_space", "自然资源和空间地理基础信息", "Natural resources and space"),
        ("credit", "社会信用基础信息", "Social credit"),
        ("e_licence", "电子证照基础信息", "Electronic licences"),
    ),
    ClassKind.THEME: _national(
        ("public_services", "公共服务", "Public services"),
        ("health", "健康保障", "Health"),
        ("social_security", "社会保障", "Social security"),
        ("food_and_drugs", "食品药品安全", "Safety of food and drugs"),
        ("work_safety", "安全生产", "Safety at work"),
        ("prices", "价格监管", "Supervision of prices"),
        ("energy", "能源安全", "Energy security"),
        ("credit_system", "信用体系", "Credit system"),
        ("construction", "城乡建设", "Urban and rural construction"),
        ("communities", "社区治理", "Community governance"),
        ("environment", "生态环保", "Ecology and environment"),
        ("emergency", "应急维稳", "Emergencies and stability"),
    ),
    ClassKind.DEPARTMENT: {},
}
CLASS_DIGITS: Mapping[ClassKind, str] = {ClassKind.BASE: "1", ClassKind.THEME: "2", ClassKind.DEPARTMENT: "3"}


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassGroup:
    """A 目: three digits and a name."""

    code: str
    name: Text
    line: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassItem:
    """A 项 as the pack divides it: ``item`` is the guide's code or, in the department class, the department's role."""

    item: str
    number: str
    groups: tuple[ClassGroup, ...]
    file: str = field(default="", compare=False)
    line: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassList:
    """A file ``resource_classes/KIND.yaml``."""

    code: str
    items: tuple[ClassItem, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ResourceClass:
    """Where a resource stands: 类, 项, 目, 细目, and its sequence within."""

    kind: ClassKind
    item: str
    group: str
    sequence: int
    detail: str = ""
    line: int = field(default=0, compare=False)

    def number(self, item_number: str) -> str:
        """Give the resource code of the guide (part 5): 类 项 目 细目, a stroke, six digits of sequence."""
        return f"{CLASS_DIGITS[self.kind]}{item_number}{self.group}{self.detail}/{self.sequence:06d}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider:
    """Who provides: a department (at a level, its highest when empty), an organisation by credit code, or a role."""

    department: str = ""
    level: str = ""
    organization: str = ""
    role: str = ""
    line: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    kind: FormatClass
    format: str
    line: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sharing:
    """Terms of sharing; ``methods`` is empty on an item, which passes as its resource does."""

    type: SharingType
    condition: Text | None = None
    legal_basis: tuple[LegalBasis, ...] = ()
    methods: tuple[SharingMethod, ...] = ()
    line: int = field(default=0, compare=False)
    lines: Mapping[str, int] = field(default_factory=dict, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenException:
    """Why something is not open: the reason, and the clause that says so."""

    reason: Text
    law: Text
    clause: Text
    line: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenTerms:
    type: Openness = Openness.OPEN
    condition: Text | None = None
    exceptions: tuple[OpenException, ...] = ()
    line: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class ResourceItem:
    """An information item (信息项) as written; what is None is taken from its element (see `reading.resolve`)."""

    code: str
    name: Text | None = None
    type: ItemType | None = None
    length: int | None = None
    elements: tuple[Ref, ...] = ()
    field: str = ""
    source: bool | None = None
    key: bool = False
    nullable: bool = True
    sensitive: bool | None = None
    sharing: Sharing | None = None
    openness: OpenTerms | None = None
    note: Text | None = None
    line: int = dataclasses.field(default=0, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class CollectionWindow:
    """The days of the year on which something yearly is asked for, as ``MM-DD``, both inclusive."""

    opens: str
    closes: str
    line: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class CollectionDuty:
    """Who collects which items from whom, how often and when, by which form, on what basis (采集权责).

    ``service`` is a service item whose form asks; ``form`` names a form or return of another kind. ``window`` belongs to what is
    asked yearly, ``due_days`` (after the end of the month, quarter or half year) to what is asked more often.
    """

    items: tuple[Ref, ...]
    collected_from: CollectedFrom
    cycle: Cycle
    service: Ref | None = None
    form: Text | None = None
    window: CollectionWindow | None = None
    due_days: int | None = None
    legal_basis: tuple[LegalBasis, ...] = ()
    note: Text | None = None
    line: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """One information resource with the guide's core metadata."""

    code: str
    name: Text
    summary: Text
    class_: ResourceClass
    number: Ref | None
    provider: Provider
    format: Format
    sharing: Sharing
    openness: OpenTerms
    cycle: Cycle
    cycle_note: Text | None
    published_on: date | None
    register: str
    related: tuple[Ref, ...]
    items: tuple[ResourceItem, ...]
    collection: tuple[CollectionDuty, ...]
    entry: Entry
    keywords: tuple[str, ...] = ()
    file: str = field(default="", compare=False)
    lines: Mapping[str, int] = field(default_factory=dict, compare=False)

    def line_of(self, key: str) -> int:
        """Give the line of a key of the file."""
        return self.lines.get(key, 1)
