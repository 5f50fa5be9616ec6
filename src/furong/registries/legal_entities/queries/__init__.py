"""Reads of the register: checking a name, what anybody may know, and what staff with a stated purpose may."""

from .names import check_name, industries, list_reservations
from .reading import (
    find_public,
    find_represented,
    get_entity,
    get_public,
    held_by,
    list_of_person,
    search_entities,
    state_on,
)

__all__ = [
    "check_name",
    "find_public",
    "find_represented",
    "get_entity",
    "get_public",
    "held_by",
    "industries",
    "list_of_person",
    "list_reservations",
    "search_entities",
    "state_on",
]
