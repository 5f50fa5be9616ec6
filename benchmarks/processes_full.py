"""The same case by its two doors: the engine alone, and the commands that other rooms call.

A command looks up the rights of the clerk's post (anew each second, as in production), writes an audit entry, puts events into
the outbox and calls the listeners that the wiring registers, all in one transaction with the step. The case belongs to an
organization and a division and its key is a UUID, so that listeners and the resolver of assignments ask the database what they
ask in production. The engine alone runs as in the comparison with SpiffWorkflow: without an owner, without any of these.
"""

from __future__ import annotations

import time
from datetime import datetime
from typing import Any
from uuid import UUID

from benchmarks.processes_ground import NOW, STEPS_PER_CASE, Meter, our_case

DIVISION = "430202"
OFFICE = UUID("01900000-0000-7000-a000-000000000001")


def make_clerk() -> Any:
    """Give a post the right to handle the cases of a city, and return who acts from it."""
    from django.db import transaction
    from django.utils import timezone

    from furong.foundation.access.commands import set_post_rights
    from furong.foundation.access.values import Actor, ActorKind, Assurance, PostRight
    from furong.foundation.codes.ids import new_id

    post = new_id()
    with transaction.atomic():
        set_post_rights(
            post_id=post,
            rights=[PostRight(right="cases.handle", division_prefix=DIVISION[:4])],
            now=timezone.now(),
        )
    return Actor(
        kind=ActorKind.STAFF,
        account_id=new_id(),
        post_id=post,
        organization_id=OFFICE,
        division_code=DIVISION,
        assurance=Assurance.IN_PERSON,
        label="office clerk",
        organization_label="office",
        request_id="bench",
    )


def waiting_of(instance: UUID) -> list[tuple[UUID, str]]:
    """Return the open tasks of an instance, and the elements that they stand at."""
    from furong.domains.processes.store import execute

    found = execute("SELECT id, element_id FROM processes_task WHERE instance_id = %s ORDER BY id", [instance])
    return [(row[0], row[1]) for row in found.fetchall()]


def full_case(definition: Any, actor: Any, *, now: datetime = NOW) -> tuple[list[float], list[float]]:
    """Run one case through the commands; it returns the milliseconds of the start and of each completion.

    What a work list would do, finding out which tasks are open, is not counted.
    """
    from furong.domains.processes import commands
    from furong.foundation.codes.ids import new_id

    began = time.perf_counter()
    instance = commands.start_process(
        definition_digest=definition.digest,
        business_key=str(new_id()),
        variables={"number": 1},
        organization_id=OFFICE,
        division_code=DIVISION,
        item_code="bench",
        label="bench",
        actor=actor,
        now=now,
    )
    starts, completions = [(time.perf_counter() - began) * 1000], []
    while waiting := waiting_of(instance):
        for task_id, element in waiting:
            given: dict[str, object] = {"score": 80} if element == "decide" else {element: True}
            began = time.perf_counter()
            commands.complete_task(task_id=task_id, variables=given, actor=actor, now=now)
            completions.append((time.perf_counter() - began) * 1000)
    if len(starts) + len(completions) != STEPS_PER_CASE:
        raise RuntimeError("the case did not take its steps")
    return starts, completions


def compare_doors(definition: Any, *, rounds: int, cases: int) -> tuple[Meter, Meter]:
    """Run cases by either door in turns; it returns (the engine alone, the commands)."""
    actor = make_clerk()
    alone, full = Meter(), Meter()
    numbers = iter(range(10**9, 2 * 10**9))
    for _ in range(8):
        our_case(definition, next(numbers))
        full_case(definition, actor)

    def by_engine() -> None:
        with alone.running(cases * STEPS_PER_CASE):
            for _ in range(cases):
                our_case(definition, next(numbers))

    def by_commands() -> None:
        cpu, milliseconds = time.process_time(), 0.0
        for _ in range(cases):
            starts, completions = full_case(definition, actor)
            milliseconds += sum(starts) + sum(completions)
        full.add(milliseconds / 1000, time.process_time() - cpu, cases * STEPS_PER_CASE)

    for turn in range(rounds):
        for run in (by_engine, by_commands) if turn % 2 else (by_commands, by_engine):
            run()
    return alone, full
