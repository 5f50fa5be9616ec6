"""The demo's enterprises, as a pack's ``demo/enterprises.yaml`` names them. Refused in production."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID, uuid5

from django.conf import settings

from furong.foundation.access.values import Actor, Basis
from furong.foundation.audit.commands import command, current
from furong.foundation.codes.credit_codes import make_credit_code
from furong.foundation.organizations import queries as organizations

from ..errors import DemoRefusedError
from ..models import Entity
from ..values import KINDS, EntityKind, NewEntity, Officer, RoleKind
from .changing import change, declare_dormant
from .ending import publish_notice, revoke
from .naming import reserve_name
from .registering import register

_ENTERPRISES = UUID("0f0c5b0e-5f6e-4a55-8a9c-3f3d6a2f9b11")
_BASIS = Basis(purpose="演示数据 Demo data", legal_basis="《中华人民共和国市场主体登记管理条例》")

People = Mapping[str, tuple[UUID, str]]


@command("legal_entities.load_enterprises")
def load_enterprises(*, spec: Mapping[str, Any], people: People, actor: Actor, now: datetime) -> Sequence[str]:
    """Register the enterprises of ``demo/enterprises.yaml`` and return their credit codes. Repeatable.

    Their codes are of the division that no county has. ``people`` gives the person and name of each key named there; one whose
    head it lacks is left out. Raises ``DemoRefusedError`` in production.
    """
    if settings.PRODUCTION:
        raise DemoRefusedError("Enterprises of the demo are invented; production has its own.")
    codes: list[str] = []
    reserved = str(spec["where"]["reserved"])
    for given in spec["enterprises"]:
        kind = EntityKind(given["kind"])
        code = make_credit_code("9", KINDS[kind].mark, reserved, int(given["serial"]))
        if str(given["head"]) not in people:
            continue
        codes.append(code)
        if not Entity.objects.filter(credit_code=code).exists():
            _set_up({**spec["where"], **given}, kind, code, people, actor=actor, now=now)
    current().detail(enterprises=codes)
    return codes


def _set_up(
    given: Mapping[str, Any], kind: EntityKind, code: str, people: People, *, actor: Actor, now: datetime
) -> None:
    division = str(given["division"])
    registrar = organizations.find_responsible(department=KINDS[kind].department, division_code=division)
    head_id, head_name = people[str(given["head"])]
    reservation = None
    if "trade_name" in given:
        reservation = reserve_name(
            kind=kind,
            trade_name=str(given["trade_name"]),
            industry=str(given.get("industry", "")),
            industry_words=str(given.get("words", "")),
            form=str(given.get("form", "")),
            area=str(given.get("area", "city")),
            division_code=division,
            person_id=head_id,
            accept_similar=True,
            actor=actor,
            basis=_BASIS,
            now=now,
        ).id
    capital = int(given["capital_yuan"]) * 100 if "capital_yuan" in given else None
    holders = given.get("holders") or ({str(given["head"]): given["capital_yuan"]} if KINDS[kind].has_holders else {})
    officers = [
        Officer(kind=RoleKind.HEAD, name=head_name, person_id=head_id),
        *(
            Officer(
                kind=RoleKind.HOLDER,
                name=people[key][1],
                person_id=people[key][0],
                subscribed_fen=int(yuan) * 100,
                contribution="货币",
            )
            for key, yuan in holders.items()
        ),
        *(
            Officer(kind=RoleKind(role), name=people[key][1], person_id=people[key][0])
            for role, key in (given.get("officers") or {}).items()
        ),
    ]
    done = register(
        effect_id=None,
        entity_id=uuid5(_ENTERPRISES, code),
        entity=NewEntity(
            kind=kind,
            address=str(given["address"]),
            scope=str(given.get("scope", "")),
            capital_fen=capital,
            officers=tuple(officers),
            parent_code=make_credit_code("9", "1", str(given["reserved"]), int(given["parent"]))
            if "parent" in given
            else "",
        ),
        reservation_id=reservation,
        name=str(given.get("name", "")),
        given_code=code,
        established_on=given["established_on"] if isinstance(given.get("established_on"), date) else None,
        registrar_organization_id=registrar.id if registrar is not None else None,
        division_code=division,
        actor=actor,
        basis=_BASIS,
        now=now,
    )
    why: dict[str, Any] = {"entity_id": done.entity_id, "actor": actor, "basis": _BASIS, "now": now}
    for items in given.get("changes", ()):
        change(items={k: v for k, v in items.items() if k != "since"}, since=items["since"], **why)
    match given.get("then"):
        case "dormant":
            declare_dormant(reason="市场原因暂停经营", **why)
        case "notice":
            publish_notice(promise=True, **why)
        case "revoked":
            revoke(reason="成立后无正当理由连续六个月未营业", **why)
