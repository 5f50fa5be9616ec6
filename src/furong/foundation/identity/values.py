"""Frozen values of accounts, sessions and mandates, and the rules that need no database."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Literal
from uuid import UUID

from furong.foundation.access.values import Assurance, Principal

MAJORITY_YEARS = 18


class AccountKind(StrEnum):
    """Residents and staff have separate accounts, also when they are the same person."""

    RESIDENT = "resident"
    STAFF = "staff"


class MandateBasis(StrEnum):
    """What a mandate rests on."""

    PARENTHOOD = "parenthood"  # Civil Code, article 27: parents are the guardians of their minor children
    GUARDIANSHIP = "guardianship"
    POWER_OF_ATTORNEY = "power_of_attorney"  # Civil Code, articles 161 to 165
    LEGAL_REPRESENTATIVE = "legal_representative"  # Civil Code, article 61
    ENTERPRISE_AGENT = "enterprise_agent"  # Civil Code, article 170


class Power(StrEnum):
    """What an agent may do for a principal."""

    APPLY = "services.apply"
    VIEW = "services.view"
    LICENCES = "licences.view"
    GRANT = "mandates.grant"


POWER_NAMES: Mapping[Power, tuple[str, str]] = {
    Power.APPLY: ("代为申请办事", "Apply for services"),
    Power.VIEW: ("查看办件进度", "See applications"),
    Power.LICENCES: ("查看电子证照", "See certificates"),
    Power.GRANT: ("委托他人", "Appoint agents"),
}
ORDINARY_POWERS = (Power.APPLY, Power.VIEW, Power.LICENCES)


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """An account as other rooms see it. ``display_name`` is personal: for pages, never for logs."""

    id: UUID
    username: str
    kind: AccountKind
    display_name: str
    person_id: UUID | None
    assurance: Assurance
    is_active: bool
    must_change_password: bool
    created_at: datetime
    language: str = ""
    last_login: datetime | None = None
    has_second_factor: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedIn:
    """What one read gives of a request's session: the account, the post it acts in, or the principal it acts for."""

    session_id: UUID
    account_id: UUID
    kind: AccountKind
    display_name: str
    person_id: UUID | None
    assurance: Assurance
    must_change_password: bool
    post_id: UUID | None = None
    post_title: str = ""
    organization_id: UUID | None = None
    organization_label: str = ""
    division_code: str = ""
    principal: Principal | None = None
    principal_label: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """A signed-in browser as its owner sees it."""

    id: UUID
    label: str
    created_at: datetime
    last_seen_at: datetime
    is_this: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Mandate:
    """Leave to act for a principal. ``until_on`` is exclusive."""

    id: UUID
    principal_kind: Literal["person", "enterprise"]
    principal_id: UUID
    principal_label: str
    agent_id: UUID
    agent_label: str
    powers: tuple[Power, ...]
    basis: MandateBasis
    from_on: date
    until_on: date | None
    granted_at: datetime
    granted_by: UUID | None
    revoked_at: datetime | None

    def is_in_force(self, on: date) -> bool:
        """Whether the mandate holds on the local day ``on``."""
        return self.revoked_at is None and self.from_on <= on and (self.until_on is None or on < self.until_on)

    @property
    def principal(self) -> Principal:
        """The principal as the decision point takes it."""
        return Principal(kind=self.principal_kind, id=self.principal_id, mandate_id=self.id)


@dataclass(frozen=True, slots=True, kw_only=True)
class Child:
    """A child as the population register's port tells it to a parent's account."""

    person_id: UUID
    name: str
    born_on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Enterprise:
    """An enterprise as the register of legal entities tells it. ``representative_id`` is its legal representative."""

    id: UUID
    credit_code: str
    name: str
    representative_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstAdministrator:
    """Where the first administrator sits: the organisation's name and the kind of post."""

    account_id: UUID
    organization: str
    post: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """How many failures in how long, and for how long the next try then waits."""

    failures: int
    window: timedelta
    block: timedelta


# Keys of attempts. An office shares one network address, so its limit is wide; an account's is narrow and short, so that nobody
# can lock somebody else out for long.
LIMITS: Mapping[str, Limit] = {
    "sign_in.account": Limit(failures=5, window=timedelta(minutes=15), block=timedelta(minutes=5)),
    "sign_in.address": Limit(failures=60, window=timedelta(minutes=15), block=timedelta(minutes=10)),
    "second_factor.account": Limit(failures=5, window=timedelta(minutes=15), block=timedelta(minutes=10)),
    "real_name.account": Limit(failures=5, window=timedelta(hours=24), block=timedelta(hours=2)),
    "real_name.address": Limit(failures=30, window=timedelta(hours=1), block=timedelta(minutes=30)),
    "kept.address": Limit(failures=60, window=timedelta(minutes=30), block=timedelta(minutes=10)),
    # Not failures but checks of licences by strangers: a service hall checks many from one address.
    "licence_check.address": Limit(failures=120, window=timedelta(minutes=5), block=timedelta(minutes=2)),
    "sign_up.address": Limit(failures=30, window=timedelta(hours=1), block=timedelta(minutes=30)),
}


def clean_username(text: str) -> str:
    """Give a username as it is kept: NFKC, trimmed, lower case."""
    return unicodedata.normalize("NFKC", text).strip().lower()


USERNAME_PATTERN = re.compile(r"[a-z0-9\u4e00-\u9fff][a-z0-9\u4e00-\u9fff._-]{2,63}")


def is_username(text: str) -> bool:
    """Whether a cleaned username may be taken: 3 to 64 letters, digits or characters; not the form of an identity number."""
    return bool(USERNAME_PATTERN.fullmatch(text)) and not re.fullmatch(r"\d{15}|\d{17}[\dx]|1\d{10}", text)


def digest_of_key(key: str) -> str:
    """Give the SHA-256 of a session's key, under which its row is kept."""
    return hashlib.sha256(key.encode()).hexdigest()


def years_after(day: date, years: int) -> date:
    """Give the same day ``years`` later, 1 March for 29 February of a common year (Civil Code, article 17: full years)."""
    try:
        return day.replace(year=day.year + years)
    except ValueError:
        return date(day.year + years, 3, 1)


_BROWSERS = (
    ("Edg", "Edge"),
    ("OPR", "Opera"),
    ("MicroMessenger", "微信"),
    ("Firefox", "Firefox"),
    ("Chrome", "Chrome"),
    ("Safari", "Safari"),
)
_SYSTEMS = (
    ("OpenHarmony", "HarmonyOS"),
    ("HarmonyOS", "HarmonyOS"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("Mac OS", "macOS"),
    ("Linux", "Linux"),
)


def device_label(user_agent: str) -> str:
    """Give a short name of the browser and system that ``user_agent`` names; empty when it names none known."""
    found = [next((name for mark, name in names if mark in user_agent), "") for names in (_BROWSERS, _SYSTEMS)]
    return " · ".join(name for name in found if name)
