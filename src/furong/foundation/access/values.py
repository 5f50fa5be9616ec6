"""Who asks, on what basis, and the scope that a right covers: pure values, shared by every room."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import IntEnum, StrEnum
from typing import Any, Literal
from uuid import UUID


class ActorKind(StrEnum):
    ANONYMOUS = "anonymous"
    RESIDENT = "resident"
    STAFF = "staff"
    SYSTEM = "system"


class Assurance(IntEnum):
    """How surely an account is bound to a person; a higher level includes the lower ones."""

    NONE = 0
    REGISTERED = 1  # a telephone number answered
    VERIFIED = 2  # name and number matched the population register
    IN_PERSON = 3  # face or counter


@dataclass(frozen=True, slots=True, kw_only=True)
class Principal:
    """For whom an agent acts, by which recorded mandate."""

    kind: Literal["person", "enterprise"]
    id: UUID
    mandate_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """Who asks. ``label`` and ``organization_label`` name the post and its organisation, never the person.

    ``rights`` is for showing and hiding things; decisions read the post's rights anew (`queries.require`).
    """

    kind: ActorKind
    account_id: UUID | None = None
    person_id: UUID | None = None
    post_id: UUID | None = None
    organization_id: UUID | None = None
    division_code: str = ""
    rights: frozenset[str] = frozenset()
    assurance: Assurance = Assurance.NONE
    principal: Principal | None = None
    label: str = ""
    organization_label: str = ""
    request_id: str = ""

    @classmethod
    def system(cls, name: str) -> Actor:
        """Give the actor of work that no person asked for: a timer, a job, an import. ``name`` says which."""
        return cls(kind=ActorKind.SYSTEM, label=name, assurance=Assurance.IN_PERSON)

    @classmethod
    def anonymous(cls, *, request_id: str = "") -> Actor:
        """Give the actor of a request without a session."""
        return cls(kind=ActorKind.ANONYMOUS, request_id=request_id)

    @property
    def is_staff(self) -> bool:
        return self.kind is ActorKind.STAFF

    @property
    def is_system(self) -> bool:
        return self.kind is ActorKind.SYSTEM

    @property
    def is_resident(self) -> bool:
        return self.kind is ActorKind.RESIDENT

    def acting_for(self, principal: Principal | None) -> Actor:
        """Give the same actor acting for ``principal``, or for themself when None."""
        return replace(self, principal=principal)


@dataclass(frozen=True, slots=True, kw_only=True)
class Basis:
    """Why: the purpose in words, its legal basis, and the case, task and item it serves.

    ``about`` is the person whose affair it is: others who are read along learn which body read them, and not why. Under
    ``secrecy_order_id`` those who are read learn of it when that order ends (`audit.secrecy`).
    """

    purpose: str
    legal_basis: str = ""
    case_id: UUID | None = None
    task_id: UUID | None = None
    item_code: str = ""
    about: UUID | None = None
    secrecy_order_id: UUID | None = None

    @property
    def is_stated(self) -> bool:
        return bool(self.purpose.strip())


@dataclass(frozen=True, slots=True, kw_only=True)
class PostRight:
    """One right of a post, and over what.

    ``organization_id`` alone: rows that this organisation owns. ``division_prefix`` alone: rows of every division
    whose code begins with it. Both: rows of that organisation in those divisions. ``everywhere``: all rows. One of
    the three must be said, so that a forgotten argument gives nothing.
    """

    right: str
    organization_id: UUID | None = None
    division_prefix: str = ""
    everywhere: bool = False

    def __post_init__(self) -> None:
        narrowed = self.organization_id is not None or bool(self.division_prefix)
        if narrowed == self.everywhere:
            raise ValueError("A post's right covers an organisation, divisions, both of them, or everywhere.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """The rows that a right covers, for turning into SQL. Nothing given means no rows."""

    everything: bool = False
    organization_ids: frozenset[UUID] = frozenset()
    division_prefixes: tuple[str, ...] = ()
    narrowed: frozenset[tuple[UUID, str]] = frozenset()  # this organisation, only in divisions that begin so

    @classmethod
    def of(cls, rights: Iterable[PostRight]) -> Scope:
        """Join what several grants of one right cover."""
        grants = list(rights)
        if any(grant.everywhere for grant in grants):
            return cls(everything=True)
        prefixes = {g.division_prefix for g in grants if g.organization_id is None}
        shortest = tuple(
            sorted(p for p in prefixes if not any(p != other and p.startswith(other) for other in prefixes))
        )
        whole = frozenset(g.organization_id for g in grants if g.organization_id and not g.division_prefix)
        narrowed = frozenset(
            (g.organization_id, g.division_prefix)
            for g in grants
            if g.organization_id and g.division_prefix and g.organization_id not in whole
        )
        return cls(organization_ids=whole, division_prefixes=shortest, narrowed=narrowed)

    @property
    def is_empty(self) -> bool:
        return not (self.everything or self.organization_ids or self.division_prefixes or self.narrowed)

    def covers(self, *, organization_id: UUID | None = None, division_code: str = "") -> bool:
        """Say whether a row of this organisation and division is inside: the same answer as `sql` gives."""
        return (
            self.everything
            or organization_id in self.organization_ids
            or any(division_code.startswith(prefix) for prefix in self.division_prefixes)
            or any(o == organization_id and division_code.startswith(p) for o, p in self.narrowed)
        )

    def sql(self, *, organization_column: str, division_column: str) -> tuple[str, list[Any]]:
        """Give a WHERE condition and its parameters for psycopg: ``("(t.organization_id = ANY(%s) OR …)", [...])``.

        Column names are the caller's constants. Prefixes become ranges (``>= '4302' AND < '4303'``), which an index
        in collation C serves. A column that a table lacks is given as ``""``: grants over it then cover nothing.
        """
        if self.everything:
            return "TRUE", []
        parts: list[str] = []
        params: list[Any] = []
        if self.organization_ids and organization_column:
            parts.append(f"{organization_column} = ANY(%s::uuid[])")
            params.append(sorted(self.organization_ids))
        if division_column:
            for prefix in self.division_prefixes:
                parts.append(_range(division_column))
                params.extend((prefix, _after(prefix)))
            if organization_column:
                for organization_id, prefix in sorted(self.narrowed):
                    parts.append(f"({organization_column} = %s::uuid AND {_range(division_column)})")
                    params.extend((organization_id, prefix, _after(prefix)))
        return (f"({' OR '.join(parts)})", params) if parts else ("FALSE", [])


def _range(column: str) -> str:
    return f'({column} COLLATE "C" >= %s AND {column} COLLATE "C" < %s)'


def _after(prefix: str) -> str:
    """The smallest text after every text that begins with ``prefix``."""
    return prefix[:-1] + chr(ord(prefix[-1]) + 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """A yes, and its ground. There is no Decision that says no: a no is a refusal raised."""

    right: str
    ground: Literal["post", "self", "mandate", "related", "system"]
    scope: Scope


@dataclass(frozen=True, slots=True, kw_only=True)
class Right:
    """One thing that a post may allow, with its name for the administrator's page."""

    code: str
    zh: str
    en: str


RIGHTS: dict[str, Right] = {}


def register_right(code: str, *, zh: str, en: str) -> str:
    """Register the right ``code`` (``room.verb``) with its names, and give the code back. Repeating it with the same
    names is fine.
    """
    right = Right(code=code, zh=zh, en=en)
    if RIGHTS.setdefault(code, right) != right:
        raise ValueError(f"The right {code!r} is registered twice, with different names.")
    return code


for _code, _zh, _en in (
    ("cases.handle", "办理案件", "Handle cases"),
    ("cases.decide", "作出决定", "Decide cases"),
    ("cases.supervise", "督办案件", "Supervise cases and deadlines"),
    ("population.read", "查看人口信息", "Read a person's record for a task"),
    ("population.search", "检索人口信息", "Search the population register"),
    ("population.register", "办理人口登记", "Register births, moves and changes"),
    ("licences.read", "查看证照", "Read licences"),
    ("licences.issue", "签发证照", "Issue licences"),
    ("licences.revoke", "吊销证照", "Revoke licences"),
    ("organizations.manage", "管理机构与岗位", "Manage organisations and posts"),
    ("accounts.manage", "管理账号", "Manage accounts"),
    ("audit.view", "查看审计", "View the audit log"),
    ("definitions.publish", "发布事项与流程", "Publish items, forms and processes"),
    ("processes.administer", "管理流程实例", "Administer running processes"),
):
    register_right(_code, zh=_zh, en=_en)
