"""Reads of the population register. Each wants who asks, why and when; names the fields; and leaves a trace for every person.

A resident reads their own record, their minor children's and, in part, their spouse's and their household's without further
right; staff need a right over the person's division; the system's own work needs a purpose like everybody else.
"""

from __future__ import annotations

from ..values import FIELDS
from .addresses import list_at_address
from .households import list_children, list_household
from .lives import get_birth_registration, get_person_as_of, list_history, list_residences
from .people import find_by_number, get_by_number, get_person, list_persons, person_exists
from .reading import DATABASE
from .searching import count_people, search_people

__all__ = [
    "DATABASE",
    "FIELDS",
    "count_people",
    "find_by_number",
    "get_birth_registration",
    "get_by_number",
    "get_person",
    "get_person_as_of",
    "list_at_address",
    "list_children",
    "list_history",
    "list_household",
    "list_persons",
    "list_residences",
    "person_exists",
    "search_people",
]
