"""Gathers what a page shows from the domains' queries. Reads only, returns values."""

from __future__ import annotations

import datetime as dt

from furong.sites.portal.river import river
from furong.sites.portal.values import STAGES, Audience, EventCard, Figures, Hit, Home, Station


def _life_events(*, audience: Audience, now: dt.datetime) -> dict[str, tuple[EventCard, ...]]:
    """Life events in force by stage code; empty until `domains.services` is there."""
    return {}


def home_content(*, audience: Audience, stage_code: str, now: dt.datetime) -> Home:
    """Gather the home page for one audience with the stage ``stage_code`` open (the first with events when unknown)."""
    by_stage = _life_events(audience=audience, now=now)
    stages = STAGES[audience] or STAGES[Audience.PERSON]
    current = next((s for s in stages if s.code == stage_code), None)
    current = current or next((s for s in stages if by_stage.get(s.code)), stages[0])
    return Home(
        audience=audience,
        stations=tuple(
            Station(stage=s, events=len(by_stage.get(s.code, ())), is_current=s.code == current.code) for s in stages
        ),
        river=river(len(stages)),
        stage=current,
        events=by_stage.get(current.code, ()),
        popular=tuple(e for events in by_stage.values() for e in events)[:5],
        asked=None,
        figures=Figures(),
    )


def find_services(*, words: str, now: dt.datetime) -> list[Hit]:
    """Find what is published by words, pinyin or initials; life events before single services; empty for no words."""
    return []
