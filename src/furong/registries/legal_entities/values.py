"""Frozen values of the register: kinds of entities, states, roles, facts, and what readers are shown. No I/O, no clock."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from furong.foundation.codes.checks import CREDIT_ALPHABET, credit_check, is_reserved_division, organisation_check
from furong.foundation.packs.values import Text, both


class EntityKind(StrEnum):
    """What an entity is; `KINDS` says who registers it and how it is named in its credit code (GB 32100, table 1)."""

    LIMITED_COMPANY = "limited_company"
    JOINT_STOCK_COMPANY = "joint_stock_company"
    SOLE_PROPRIETORSHIP = "sole_proprietorship"
    PARTNERSHIP = "partnership"
    COOPERATIVE = "cooperative"
    INDIVIDUAL_BUSINESS = "individual_business"
    BRANCH = "branch"
    ORGAN = "organ"
    INSTITUTION = "institution"
    MASS_ORGANISATION = "mass_organisation"
    LAW_FIRM = "law_firm"
    ASSOCIATION = "association"
    PRIVATE_NONPROFIT = "private_nonprofit"
    FOUNDATION = "foundation"
    TRADE_UNION = "trade_union"
    RURAL_COLLECTIVE = "rural_collective"


@dataclass(frozen=True, slots=True, kw_only=True)
class KindFacts:
    """What follows from a kind. ``head`` names who leads and represents it; ``needs_notice``: before a simple deregistration."""

    name: Text
    registrar: str
    mark: str
    department: str
    head: Text
    has_capital: bool = False
    has_holders: bool = False
    needs_notice: bool = True

    @property
    def is_market(self) -> bool:
        """Whether the market regulator registers it."""
        return self.registrar == "9"


_REPRESENTATIVE = both("法定代表人", "Legal representative")
_PERSON_IN_CHARGE = both("负责人", "Person in charge")

KINDS: Mapping[EntityKind, KindFacts] = {
    EntityKind.LIMITED_COMPANY: KindFacts(
        name=both("有限责任公司", "Limited company"), registrar="9", mark="1", department="market_regulation",
        head=_REPRESENTATIVE, has_capital=True, has_holders=True,
    ),
    EntityKind.JOINT_STOCK_COMPANY: KindFacts(
        name=both("股份有限公司", "Company limited by shares"), registrar="9", mark="1", department="market_regulation",
        head=_REPRESENTATIVE, has_capital=True, has_holders=True,
    ),
    EntityKind.SOLE_PROPRIETORSHIP: KindFacts(
        name=both("个人独资企业", "Sole proprietorship"), registrar="9", mark="1", department="market_regulation",
        head=both("投资人", "Investor"), has_capital=True,
    ),
    EntityKind.PARTNERSHIP: KindFacts(
        name=both("合伙企业", "Partnership"), registrar="9", mark="1", department="market_regulation",
        head=both("执行事务合伙人", "Managing partner"), has_capital=True, has_holders=True,
    ),
    EntityKind.COOPERATIVE: KindFacts(
        name=both("农民专业合作社", "Farmers’ cooperative"), registrar="9", mark="3", department="market_regulation",
        head=_REPRESENTATIVE, has_capital=True, has_holders=True,
    ),
    EntityKind.INDIVIDUAL_BUSINESS: KindFacts(
        name=both("个体工商户", "Individual business"), registrar="9", mark="2", department="market_regulation",
        head=both("经营者", "Owner"), needs_notice=False,
    ),
    EntityKind.BRANCH: KindFacts(
        name=both("分支机构", "Branch"), registrar="9", mark="1", department="market_regulation",
        head=_PERSON_IN_CHARGE, needs_notice=False,
    ),
    EntityKind.ORGAN: KindFacts(
        name=both("机关", "State organ"), registrar="1", mark="1", department="establishment", head=_PERSON_IN_CHARGE
    ),
    EntityKind.INSTITUTION: KindFacts(
        name=both("事业单位", "Public institution"), registrar="1", mark="2", department="establishment",
        head=_REPRESENTATIVE, has_capital=True,
    ),
    EntityKind.MASS_ORGANISATION: KindFacts(
        name=both("群众团体", "Mass organisation"), registrar="1", mark="3", department="establishment",
        head=_REPRESENTATIVE,
    ),
    EntityKind.LAW_FIRM: KindFacts(
        name=both("律师事务所", "Law firm"), registrar="3", mark="1", department="justice", head=_PERSON_IN_CHARGE
    ),
    EntityKind.ASSOCIATION: KindFacts(
        name=both("社会团体", "Association"), registrar="5", mark="1", department="civil_affairs", head=_REPRESENTATIVE
    ),
    EntityKind.PRIVATE_NONPROFIT: KindFacts(
        name=both("社会服务机构", "Private non-profit unit"), registrar="5", mark="2", department="civil_affairs",
        head=_REPRESENTATIVE, has_capital=True,
    ),
    EntityKind.FOUNDATION: KindFacts(
        name=both("基金会", "Foundation"), registrar="5", mark="3", department="civil_affairs",
        head=_REPRESENTATIVE, has_capital=True,
    ),
    EntityKind.TRADE_UNION: KindFacts(
        name=both("工会组织", "Trade union"), registrar="8", mark="1", department="establishment", head=_REPRESENTATIVE
    ),
    EntityKind.RURAL_COLLECTIVE: KindFacts(
        name=both("农村集体经济组织", "Rural collective"), registrar="N", mark="2", department="agriculture",
        head=_REPRESENTATIVE,
    ),
}  # fmt: skip


class EntityState(StrEnum):
    """How an entity stands (Order 746). ``REVOKED``: its licence was taken by a penalty, and it has still to be wound up."""

    ACTIVE = "active"
    DORMANT = "dormant"  # 歇业, art. 30
    REVOKED = "revoked"  # 吊销未注销
    DEREGISTERED = "deregistered"  # 注销
    ANNULLED = "annulled"  # 撤销登记, art. 40

    @property
    def is_registered(self) -> bool:
        """Whether it is still in the register as an entity."""
        return self not in {EntityState.DEREGISTERED, EntityState.ANNULLED}


STATES: Mapping[EntityState, Text] = {
    EntityState.ACTIVE: both("存续（在营、开业、在册）", "Active"),
    EntityState.DORMANT: both("歇业", "Dormant"),
    EntityState.REVOKED: both("吊销，未注销", "Licence revoked, not wound up"),
    EntityState.DEREGISTERED: both("注销", "Deregistered"),
    EntityState.ANNULLED: both("撤销登记", "Registration annulled"),
}


class RoleKind(StrEnum):
    """An office or a share in an entity."""

    HEAD = "head"  # legal representative, investor, owner, managing partner, person in charge
    DIRECTOR = "director"
    SUPERVISOR = "supervisor"
    MANAGER = "manager"
    FINANCE = "finance"
    HOLDER = "holder"  # shareholder, partner, member


ROLES: Mapping[RoleKind, Text] = {
    RoleKind.HEAD: _REPRESENTATIVE,
    RoleKind.DIRECTOR: both("董事", "Director"),
    RoleKind.SUPERVISOR: both("监事", "Supervisor"),
    RoleKind.MANAGER: both("经理", "Manager"),
    RoleKind.FINANCE: both("财务负责人", "Head of finance"),
    RoleKind.HOLDER: both("股东（出资人）", "Holder"),
}


class ActKind(StrEnum):
    """What the register did with an entity."""

    REGISTERED = "registered"
    CHANGED = "changed"
    DORMANT = "dormant"
    RESUMED = "resumed"
    NOTICE = "notice"
    OBJECTED = "objected"
    REVOKED = "revoked"
    ANNULLED = "annulled"
    DEREGISTERED = "deregistered"


ACTS: Mapping[ActKind, Text] = {
    ActKind.REGISTERED: both("设立登记", "Registered"),
    ActKind.CHANGED: both("变更登记", "Changed"),
    ActKind.DORMANT: both("歇业备案", "Declared dormant"),
    ActKind.RESUMED: both("恢复营业", "Resumed"),
    ActKind.NOTICE: both("简易注销公告", "Notice of simple deregistration"),
    ActKind.OBJECTED: both("简易注销异议", "Objection to deregistration"),
    ActKind.REVOKED: both("吊销营业执照", "Licence revoked"),
    ActKind.ANNULLED: both("撤销登记", "Registration annulled"),
    ActKind.DEREGISTERED: both("注销登记", "Deregistered"),
}

# The registration items that have a history, and what they are called (Order 746, art. 8 and 9).
FACTS: Mapping[str, Text] = {
    "name": both("名称", "Name"),
    "capital_fen": both("注册资本（出资额）", "Registered capital"),
    "address": both("住所（主要经营场所）", "Registered office"),
    "scope": both("经营范围", "Scope of business"),
    "term_until": both("营业期限", "Term"),
    "state": both("登记状态", "State"),
    "head": _REPRESENTATIVE,
}

# Four characters may follow the registrar's prefix of four: 31⁴ entities a county and prefix.
_SUBJECT_DIGITS = 4
SUBJECTS = len(CREDIT_ALPHABET) ** _SUBJECT_DIGITS


def credit_code(*, kind: EntityKind, county: str, prefix: str, running: int) -> str:
    """Return the credit code of the ``running``-th entity (from 0) of a county under a registrar's prefix.

    The subject number is the prefix (four characters, ``MA4A``) and the running number in the alphabet of GB 32100, with its
    own check character (GB 11714), then the code's. Raises ValueError past 923,520 or for a prefix that is none.
    """
    if not 0 <= running < SUBJECTS or len(prefix) != 4 or any(char not in CREDIT_ALPHABET for char in prefix):
        raise ValueError("The subject number has no room for it.")
    digits = ""
    for _ in range(_SUBJECT_DIGITS):
        running, digit = divmod(running, len(CREDIT_ALPHABET))
        digits = CREDIT_ALPHABET[digit] + digits
    subject = prefix + digits
    facts = KINDS[kind]
    body = f"{facts.registrar}{facts.mark}{county}{subject}{organisation_check(subject)}"
    return body + credit_check(body)


def county_of_code(*, division_code: str, invented: bool) -> str:
    """Return the six digits that stand in the code: the division's, or the city's invented county."""
    county = division_code[:6].ljust(6, "0")
    if invented and not is_reserved_division(county):
        return f"{county[:4]}90"
    return county


@dataclass(frozen=True, slots=True, kw_only=True)
class Officer:
    """Somebody in an office, or with a share: a person by identifier, or an entity by credit code.

    ``name`` is what they are registered under. Contributions are integer fen, due and paid by a day.
    """

    kind: RoleKind
    name: str = field(repr=False)
    person_id: UUID | None = None
    holder_code: str = ""
    title: str = ""
    subscribed_fen: int | None = None
    paid_fen: int | None = None
    contribution: str = ""  # 货币, 实物, 知识产权 …
    due_on: date | None = None

    def as_json(self) -> dict[str, object]:
        """Return plain values, for digests and drafts."""
        return {
            "kind": self.kind.value,
            "name": self.name,
            "person_id": str(self.person_id or ""),
            "holder_code": self.holder_code,
            "title": self.title,
            "subscribed_fen": self.subscribed_fen,
            "paid_fen": self.paid_fen,
            "contribution": self.contribution,
            "due_on": self.due_on.isoformat() if self.due_on else None,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class NewEntity:
    """What is registered when an entity is set up (Order 746, art. 8 and 9)."""

    kind: EntityKind
    address: str
    scope: str
    capital_fen: int | None = None
    term_until: date | None = None
    officers: tuple[Officer, ...] = ()
    parent_code: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Registered:
    """The result of a registration; a repeat of its effect gives an equal one."""

    entity_id: UUID
    credit_code: str
    name: str
    kind: EntityKind
    established_on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Reservation:
    """A name that is kept for somebody until the day ``until`` (exclusive)."""

    id: UUID
    name: str
    until: date
    registered: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicEntity:
    """What anybody may know of an entity (《企业信息公示暂行条例》, art. 6)."""

    credit_code: str
    name: str
    kind: EntityKind
    state: EntityState
    head: str
    head_label: Text
    capital_fen: int | None
    established_on: date
    ended_on: date | None
    address: str
    scope: str
    term_until: date | None
    registrar: Text
    division_code: str
    parent_code: str = ""
    parent_name: str = ""
    branches: tuple[tuple[str, str], ...] = ()
    changes: tuple[PublicChange, ...] = ()
    notice: Notice | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicChange:
    """One item of a change, as it was and as it became. Of people the name alone."""

    on: date
    item: str
    before: str = field(repr=False)
    after: str = field(repr=False)

    @property
    def label(self) -> Text:
        """What the item is called."""
        if self.item in FACTS:
            return FACTS[self.item]
        return ROLES[RoleKind(self.item)] if self.item in set(RoleKind) else both(self.item, self.item)


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """A notice of simple deregistration: objections until ``ends_on``, application until ``apply_by`` (both inclusive)."""

    published_on: date
    ends_on: date
    apply_by: date
    state: str  # open | objected | done | withdrawn
    objections: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleRecord:
    """An office as the register holds it, with the days over which it was held (``until`` exclusive)."""

    kind: RoleKind
    name: str = field(repr=False)
    person_id: UUID | None
    holder_code: str
    title: str
    subscribed_fen: int | None
    paid_fen: int | None
    contribution: str
    due_on: date | None
    since: date
    until: date | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ActRecord:
    """One act on an entity: what, when, by which body and on what basis."""

    kind: ActKind
    recorded_at: datetime
    effective_on: date
    organization: Text | None
    legal_basis: str
    reason: str
    case_id: UUID | None
    changes: tuple[PublicChange, ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class EntityRecord:
    """An entity as staff with a stated purpose see it."""

    id: UUID
    public: PublicEntity
    roles: tuple[RoleRecord, ...] = field(repr=False)
    acts: tuple[ActRecord, ...] = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class EntityLine:
    """An entity in a list; nobody in it is named."""

    id: UUID
    credit_code: str
    name: str
    kind: EntityKind
    state: EntityState
    division_code: str
    established_on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Represented:
    """Who represents an entity: for acting in its name."""

    entity_id: UUID
    credit_code: str
    name: str
    person_id: UUID
