"""Binds the room to what it builds on: handlers and listeners of processes, prefill from the twins. The wiring calls it."""

from __future__ import annotations

from furong.domains.cases import (
    alerting,
    entity_handlers,
    following,
    handlers,
    payment_handlers,
    ports,
    staffing,
    travel_handlers,
)
from furong.domains.cases.planning import ServicesPlanner
from furong.domains.cases.prefilling import BirthRecordsSource, MarriageSource, MedicalInsuranceSource
from furong.domains.cases.queries.served import enterprise_cases
from furong.domains.cases.twins import ExitControlTwin, HospitalTwin, MarriageTwin
from furong.domains.catalogue.needs import figures
from furong.domains.processes import ports as processes
from furong.domains.services.values.prefill import PrefillSource, register_prefill_source

# By the name of the register in ``data_elements``.
SOURCES: dict[str, PrefillSource] = {
    "birth_records": BirthRecordsSource(),
    "marriage": MarriageSource(),
    "medical_insurance": MedicalInsuranceSource(),
}


def bind() -> None:
    """Register the handlers that diagrams name, follow processes, tell staff what is late, bind the twins."""
    if not ports.is_bound("services"):
        ports.bind(
            services=ServicesPlanner(),
            birth_records=HospitalTwin(),
            marriages=MarriageTwin(),
            exit_control=ExitControlTwin(),
        )
    wiring = processes.wiring()
    for name, (function, within_step) in {
        **handlers.HANDLERS,
        **entity_handlers.HANDLERS,
        **travel_handlers.HANDLERS,
        **payment_handlers.HANDLERS,
    }.items():
        if name not in wiring.handlers:
            processes.register_handler(name, function, within_step=within_step)
    if following.on_process_ended not in wiring.on_process_ended:
        processes.on_process_ended(following.on_process_ended)
    if following.on_task_completed not in wiring.on_task_completed:
        processes.on_task_completed(following.on_task_completed)
    if following.on_task_created not in wiring.on_task_created:
        processes.on_task_created(following.on_task_created)
    alerting.follow()
    payment_handlers.follow()
    figures.tell_enterprises_by(enterprise_cases)
    processes.resolve_assignments(staffing.assign)
    processes.check_membership(staffing.account_works_for)
    for name, source in SOURCES.items():
        register_prefill_source(name, source)
