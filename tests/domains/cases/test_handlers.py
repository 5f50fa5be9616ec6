"""What handlers do is done once and says the same, also when the answer was lost and it is asked again on another day."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import date

from furong.domains.cases import models
from furong.domains.cases.values import CaseState
from furong.domains.processes import overseeing, ports
from furong.domains.processes import tasks as process_tasks
from furong.foundation.access.values import Scope
from furong.registries.licences.models import Licence
from furong.registries.population.models import BirthRegistration
from tests.factories.newborn import World

LATE_EVENING, NEXT_MORNING = date(2026, 11, 24), date(2026, 11, 25)


@contextmanager
def _answer_lost_once(name: str, element: str) -> Iterator[list[Mapping[str, object] | None]]:
    """Let a handler do its work at one element and its worker die before anybody hears of it, the first time."""
    handlers = ports.wiring().handlers
    before = handlers[name]
    answers: list[Mapping[str, object] | None] = []

    def dying(call: ports.ServiceCall) -> Mapping[str, object] | None:
        answer = before[0](call)
        if call.element_id != element:
            return answer
        answers.append(answer)
        if len(answers) == 1:
            raise ConnectionResetError
        return answer

    handlers[name] = (dying, before[1])
    try:
        yield answers
    finally:
        handlers[name] = before


def test_a_benefit_paid_out_before_midnight_is_the_same_when_asked_again_after_midnight(world: World) -> None:
    application_id = world.submit(items=("maternity_benefit",), event="")
    world.on(LATE_EVENING, 23)
    with _answer_lost_once("licences.issue", "issue") as answers:
        world.work(application_id, "maternity_benefit")
        assert len(answers) == 1
        world.on(NEXT_MORNING, 1)
        for _ in range(3):
            process_tasks.run_due(now=world.later(0))
            world.run_jobs()
    assert len(answers) == 2
    assert answers[0] == answers[1]
    (licence,) = Licence.objects.filter(case_id=world.case(application_id, "maternity_benefit"))
    assert licence.data["decided_on"] == LATE_EVENING.isoformat()
    assert overseeing.list_incidents(scope=Scope(everything=True)).incidents == ()
    assert world.lane(application_id, "maternity_benefit").state is CaseState.COMPLETED


def test_a_birth_registered_before_midnight_bears_its_day_when_asked_again_after_midnight(world: World) -> None:
    application_id = world.submit()
    world.work(application_id, "birth_certificate")
    world.consent(application_id)
    world.on(LATE_EVENING, 23)
    with _answer_lost_once("population.register_birth", "register") as answers:
        world.work(application_id, "household_registration")
        world.on(NEXT_MORNING, 1)
        for _ in range(3):
            process_tasks.run_due(now=world.later(0))
            world.run_jobs()
    assert len(answers) == 2
    assert answers[0] == answers[1]
    assert answers[1] is not None
    assert answers[1]["registered_on"] == LATE_EVENING.isoformat()
    assert BirthRegistration.objects.count() == 1
    case_id = models.Case.objects.get(application_id=application_id, item_code="household_registration").id
    card = Licence.objects.get(case_id=case_id)
    assert card.data["registered_on"] == LATE_EVENING.isoformat()
