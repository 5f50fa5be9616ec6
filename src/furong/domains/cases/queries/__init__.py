"""Reads of the room: they return values, and say who may see what."""

from furong.domains.cases.queries.applying import (
    application_view,
    find_application_of_draft,
    get_consent,
    get_draft,
    list_applications,
    list_consents_asked_of,
    list_drafts,
    open_own_file,
    own_supplement,
)
from furong.domains.cases.queries.handling import (
    acts_offered,
    case_view,
    export_cases,
    facts_of_tasks,
    items_in_scope,
    open_file,
    search_cases,
    visible_answers,
    visible_outputs,
)
from furong.domains.cases.queries.listing import labels_of_cases
from furong.domains.cases.queries.supervising import (
    list_call_backs,
    list_late_cases,
    service_figures,
    supervision,
)

__all__ = [
    "acts_offered",
    "application_view",
    "case_view",
    "export_cases",
    "facts_of_tasks",
    "find_application_of_draft",
    "get_consent",
    "get_draft",
    "items_in_scope",
    "labels_of_cases",
    "list_applications",
    "list_call_backs",
    "list_consents_asked_of",
    "list_drafts",
    "list_late_cases",
    "open_file",
    "open_own_file",
    "own_supplement",
    "search_cases",
    "service_figures",
    "supervision",
    "visible_answers",
    "visible_outputs",
]
