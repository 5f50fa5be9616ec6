"""Clusters: by what people look for services, beside the stages of a life. A service lies in at least one."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from furong.foundation.packs.values import CODE, Int, ListOf, MapOf, OneOf, Str, Text, Texts, optional, record, required


class ClusterAudience(StrEnum):
    """Whom a cluster is for: the three doors of the portal."""

    PERSON = "person"
    ENTERPRISE = "enterprise"
    OFFICIAL = "official"


# Institutions and associations come in by the door of enterprises.
AUDIENCE_OF = {
    "person": ClusterAudience.PERSON,
    "enterprise": ClusterAudience.ENTERPRISE,
    "institution": ClusterAudience.ENTERPRISE,
    "official": ClusterAudience.OFFICIAL,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Cluster:
    """A file ``clusters/CODE.yaml``. ``owner`` is the role of the department that answers for it; ``sign`` one character."""

    code: str
    name: Text
    summary: Text
    owner: str
    audiences: tuple[ClusterAudience, ...]
    sign: str
    order: int = 100
    line: int = field(default=0, compare=False)
    lines: dict[str, int] = field(default_factory=dict, compare=False)


CLUSTER = MapOf(
    {
        "code": required(CODE),
        "name": required(Texts(max_length=40)),
        "summary": required(Texts(max_length=300)),
        "owner": required(CODE),
        "audiences": required(ListOf(OneOf(values=tuple(ClusterAudience)), minimum=1, unique="")),
        "sign": required(Str(max_length=1)),
        "order": optional(Int(0, 10_000), 100),
    },
    build=record(Cluster),
)
