"""Values that pages show. Content texts are mappings ``{"zh": …, "en": …}``."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from django.utils.translation import gettext_noop

from furong.sites.portal.river import River

# A text of content: a mapping by language, or a text of a pack or a name with ``pick``.
Text = Any


class Audience(StrEnum):
    """Who is served: three doors of one house."""

    PERSON = "person"
    ENTERPRISE = "enterprise"
    OFFICIAL = "official"


AUDIENCES: dict[Audience, str] = {
    Audience.PERSON: gettext_noop("For you"),
    Audience.ENTERPRISE: gettext_noop("For businesses"),
    Audience.OFFICIAL: gettext_noop("For officials"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """A stage of a life (国办发〔2025〕24号 names those of persons and of enterprises) and the sign on its station."""

    code: str
    sign: str
    name: Text


@dataclass(frozen=True, slots=True, kw_only=True)
class Station:
    """A stage on the home page: how many life events wait there."""

    stage: Stage
    events: int
    is_current: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class EventCard:
    """A life event in a list."""

    code: str
    name: Text
    summary: Text
    items: tuple[Text, ...]
    departments: int
    working_days: int | None
    fully_online: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class AskedOnce:
    """How little a life event's form asks: facts the person fills in, and facts that departments supply."""

    asked: int
    supplied: int


@dataclass(frozen=True, slots=True, kw_only=True)
class EventItemRow:
    """A service of a life event: who does it, how long it takes, what it waits for."""

    code: str
    name: Text
    summary: Text
    department: Text
    days: int | None
    natural_days: bool
    needs: tuple[Text, ...]
    result: Text
    required: bool
    charged: bool
    visits: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterCard:
    """A cluster in a list: its sign, what it is about, who answers for it, how many services it has."""

    code: str
    sign: str
    name: Text
    summary: Text
    owner: Text
    services: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterPage:
    """A cluster with its services by department, and the life events that they are part of."""

    card: ClusterCard
    audiences: tuple[Audience, ...]
    audience: Audience | None
    groups: tuple[tuple[Text, tuple[EventItemRow, ...]], ...]
    events: tuple[EventCard, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class EventPage:
    """What one needs for a life event, on one page."""

    card: EventCard
    rows: tuple[EventItemRow, ...]
    asked: tuple[Text, ...]
    to_bring: tuple[Text, ...]
    fetched: tuple[tuple[Text, Text], ...]
    counted: AskedOnce | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """A fact of an application with where it comes from; ``element`` where the reader can object to it, else empty."""

    element: str
    term: Text
    value: str
    source: Text
    is_own: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """Computed from cases. ``None`` says that nothing has been counted yet, which is shown as such and never as zero per cent."""

    on_time_share: float | None = None
    mean_working_days: float | None = None
    faster_share: float | None = None
    finished: int = 0
    rated: int = 0
    satisfied_share: float | None = None
    items: int = 0
    organizations: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Home:
    """What the home page shows."""

    audience: Audience
    stations: tuple[Station, ...]
    river: River
    stage: Stage
    events: tuple[EventCard, ...]
    single: tuple[EventItemRow, ...]
    popular: tuple[EventCard, ...]
    asked: AskedOnce | None
    figures: Figures
    clusters: tuple[ClusterCard, ...] = ()


STAGES: dict[Audience, tuple[Stage, ...]] = {
    Audience.PERSON: (
        Stage(code="birth", sign="生", name={"zh": "出生", "en": "Birth"}),
        Stage(code="education", sign="学", name={"zh": "教育", "en": "Education"}),
        Stage(code="employment", sign="业", name={"zh": "就业", "en": "Work"}),
        Stage(code="life", sign="家", name={"zh": "生活", "en": "Family"}),
        Stage(code="housing", sign="居", name={"zh": "置业", "en": "Housing"}),
        Stage(code="travel", sign="行", name={"zh": "出行", "en": "Travel"}),
        Stage(code="health", sign="医", name={"zh": "就医", "en": "Health"}),
        Stage(code="assistance", sign="助", name={"zh": "救助", "en": "Support"}),
        Stage(code="old_age", sign="养", name={"zh": "养老", "en": "Later life"}),
        Stage(code="death", sign="终", name={"zh": "身后", "en": "Farewell"}),
    ),
    Audience.ENTERPRISE: (
        Stage(code="market_entry", sign="立", name={"zh": "准入准营", "en": "Starting"}),
        Stage(code="staffing", sign="工", name={"zh": "用工", "en": "Staff"}),
        Stage(code="taxation", sign="税", name={"zh": "纳税", "en": "Tax"}),
        Stage(code="operation", sign="营", name={"zh": "经营", "en": "Running"}),
        Stage(code="construction", sign="建", name={"zh": "工程", "en": "Building"}),
        Stage(code="deregistration", sign="销", name={"zh": "注销", "en": "Closing"}),
    ),
    Audience.OFFICIAL: (),
}
