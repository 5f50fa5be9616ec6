"""Service tasks that write to the register of legal entities. The same effect, asked for again after a crash, is done once."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from furong.domains.cases.errors import HandlerMisconfiguredError
from furong.domains.cases.handlers import Result, case_of, id_of
from furong.domains.processes.errors import BpmnError
from furong.domains.processes.ports import ServiceCall
from furong.foundation.codes.checks import is_reserved_division
from furong.foundation.codes.errors import Refusal
from furong.registries.legal_entities import commands as entities
from furong.registries.legal_entities.errors import NameRefused
from furong.registries.legal_entities.values import KINDS, EntityKind, NewEntity, Officer, RoleKind


def reserve_name(call: ServiceCall) -> Result:
    """Keep the first of several trade names that may be borne, for the founder, for two months.

    Takes ``{kind, area, trade_names, industry, division_code, person_id}``; the form's declaration accepts mere likeness. The
    BPMN error ``legal_entities.name_refused`` says that none may be borne, and why not the last.
    """
    given = call.variables
    _, actor, basis = case_of(call)
    names = given.get("trade_names")
    refused: Refusal | None = None
    for trade_name in names if isinstance(names, list | tuple) else ():
        try:
            kept = entities.reserve_name(
                kind=_kind(given),
                trade_name=str(trade_name),
                industry=str(given.get("industry") or ""),
                area=str(given.get("area") or "city"),
                division_code=str(given.get("division_code") or ""),
                person_id=id_of(call, "person_id"),
                accept_similar=True,
                effect_id=call.effect_id,
                actor=actor,
                basis=basis,
                now=call.now,
            )
        except NameRefused as refusal:
            refused = refusal
            continue
        except Refusal as refusal:
            raise BpmnError(NameRefused.code, refusal.code) from refusal
        return {"reservation_id": str(kept.id), "name": kept.name, "until": kept.until.isoformat()}
    if refused is None:
        raise HandlerMisconfiguredError(f"{call.element_id} gives no trade_names.")
    raise BpmnError(refused.code) from refused


def register_entity(call: ServiceCall) -> Result:
    """Register an enterprise whose founder heads it and holds all of it, once for each effect.

    Takes ``{kind, reservation_id, address, scope, capital_fen, person_id, name, id_number, division_code}``: the founder as the
    application holds them. An invented founder's enterprise is numbered as an invented one. A refusal of the register is the BPMN
    error ``legal_entities.refused``.
    """
    given = call.variables
    case, actor, basis = case_of(call)
    kind = _kind(given)
    person_id = id_of(call, "person_id")
    name = str(given.get("name") or "")
    capital = given.get("capital_fen")
    capital_fen = (
        int(str(capital)) if capital not in (None, "") and kind is not EntityKind.INDIVIDUAL_BUSINESS else None
    )
    officers = [Officer(kind=RoleKind.HEAD, name=name, person_id=person_id)]
    if KINDS[kind].has_holders:
        officers += [
            Officer(
                kind=RoleKind.HOLDER,
                name=name,
                person_id=person_id,
                subscribed_fen=capital_fen,
                contribution="货币",
            )
        ]
    try:
        done = entities.register(
            effect_id=call.effect_id,
            entity=NewEntity(
                kind=kind,
                address=str(given.get("address") or ""),
                scope=str(given.get("scope") or ""),
                capital_fen=capital_fen,
                officers=tuple(officers),
            ),
            reservation_id=id_of(call, "reservation_id"),
            registrar_organization_id=case.organization_id,
            division_code=str(given.get("division_code") or case.division_code),
            invented=is_reserved_division(str(given.get("id_number") or "")[:6]),
            actor=actor,
            basis=basis,
            now=call.now,
        )
    except Refusal as refusal:
        raise BpmnError("legal_entities.refused", refusal.code) from refusal
    return {
        "entity_id": str(done.entity_id),
        "credit_code": done.credit_code,
        "name": done.name,
        "kind": KINDS[done.kind].name.pick("zh"),
        "established_on": done.established_on.isoformat(),
    }


HANDLERS: Mapping[str, tuple[Callable[[ServiceCall], Result], bool]] = {
    "legal_entities.reserve_name": (reserve_name, False),
    "legal_entities.register": (register_entity, False),
}


def _kind(given: Mapping[str, object]) -> EntityKind:
    try:
        return EntityKind(str(given.get("kind") or ""))
    except ValueError as error:
        raise HandlerMisconfiguredError("legal_entities needs a kind.") from error
