"""Service tasks of travel documents: who may not leave, and which document a person holds."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from furong.domains.cases import ports
from furong.domains.cases.handlers import Result, case_of, id_of
from furong.domains.processes.ports import ServiceCall
from furong.foundation.audit.commands import record_read
from furong.foundation.calendar import queries as calendars
from furong.registries.licences import queries as licences
from furong.registries.licences.values import LicenceState

HOLDER = "holder"


def check_exit(call: ServiceCall) -> Result:
    """Ask whether a person may leave the country: ``{person_id}`` (Passport Law art. 13).

    The person sees the read. A register that is silent is a fault and asked again.
    """
    _, actor, basis = case_of(call)
    person_id = id_of(call, "person_id")
    bar = ports.exit_control().find_bar(person_id=person_id, on=calendars.current().local_date(call.now))
    record_read(
        actor=actor,
        basis=basis,
        what="exit_control.find_bar",
        subjects=[person_id],
        fields=["exit_bar"],
        database="default",
        now=call.now,
    )
    if bar is None:
        return {"barred": False, "ground": None, "authority": None, "until_on": None}
    return {
        "barred": True,
        "ground": bar.ground,
        "authority": bar.authority.get("zh", ""),
        "until_on": bar.until_on.isoformat() if bar.until_on is not None else None,
    }


def find_valid_licence(call: ServiceCall) -> Result:
    """Look for the newest valid licence of a type that a person holds: ``{type, holder_person_id}``.

    ``days_left`` counts natural days to its end, null when it has none.
    """
    _, actor, basis = case_of(call)
    type_code = str(call.variables.get("type") or "")
    found = [
        record
        for record in licences.list_of_person(
            person_id=id_of(call, "holder_person_id"), actor=actor, basis=basis, now=call.now
        )
        if record.type_code == type_code and record.role == HOLDER and record.state is LicenceState.VALID
    ]
    if not found:
        return {"valid": False, "id": None, "number": None, "valid_until": None, "days_left": None}
    newest = max(found, key=lambda record: record.issued_at)
    on = calendars.current().local_date(call.now)
    return {
        "valid": True,
        "id": str(newest.id),
        "number": newest.number,
        "valid_until": newest.valid_until.isoformat() if newest.valid_until is not None else None,
        "days_left": (newest.valid_until - on).days if newest.valid_until is not None else None,
    }


HANDLERS: Mapping[str, tuple[Callable[[ServiceCall], Result], bool]] = {
    "exit_entry.check_exit": (check_exit, False),
    "licences.find_valid": (find_valid_licence, False),
}
