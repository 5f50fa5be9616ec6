"""The city centres: one database each, the only writer of its people. PostgreSQL's own logical replication carries their rows
into the province's parts, and the directory says which part speaks for a person.

`shaping` makes the tables of a centre and of the province, `replication` joins them, `directory` finds where somebody is,
`watching` says how far each centre is. Where no centres are named in the settings nothing of this is used.
"""

from .directory import aliases, bind, codes, homes_of, is_divided
from .shaping import shape_centre, shape_province
from .values import Centre, CentreStatus, Conflict

__all__ = [
    "Centre",
    "CentreStatus",
    "Conflict",
    "aliases",
    "bind",
    "codes",
    "homes_of",
    "is_divided",
    "shape_centre",
    "shape_province",
]
