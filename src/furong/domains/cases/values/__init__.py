"""Frozen values and pure rules of the room: states and their transitions, the clock, the rules, what queries return."""

from furong.domains.cases.values.clock import Clock, DayCalendar, DayUnit, Light, Segment
from furong.domains.cases.values.states import (
    ENDED,
    FAILED,
    OPEN,
    TRANSITIONS,
    WITHDRAWABLE,
    Act,
    ApplicationState,
    CaseState,
    EndReason,
    application_state,
    next_state,
)

__all__ = [
    "ENDED",
    "FAILED",
    "OPEN",
    "TRANSITIONS",
    "WITHDRAWABLE",
    "Act",
    "ApplicationState",
    "CaseState",
    "Clock",
    "DayCalendar",
    "DayUnit",
    "EndReason",
    "Light",
    "Segment",
    "application_state",
    "next_state",
]
