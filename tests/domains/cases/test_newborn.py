"""One newborn, one application, five departments: from the mother's draft to the child in the register."""

from __future__ import annotations

from furong.domains.cases.values import ApplicationState, CaseState
from furong.registries.licences import queries as licences
from furong.registries.population import queries as population
from tests.factories.newborn import OFFICER, WHY, World


def test_a_mother_applies_five_departments_decide_and_the_child_is_registered(world: World) -> None:
    application_id = world.submit()
    assert world.lane(application_id, "birth_certificate").state is CaseState.SUBMITTED
    assert world.lane(application_id, "household_registration").waiting_for

    world.work(application_id, "birth_certificate")
    assert world.lane(application_id, "birth_certificate").state is CaseState.COMPLETED
    assert world.lane(application_id, "household_registration").waiting_for_consent

    world.consent(application_id)
    for item in OFFICER:
        if item != "birth_certificate":
            world.work(application_id, item)
    view = world.view(application_id)
    assert {lane.item_code: lane.state for lane in view.lanes} == dict.fromkeys(OFFICER, CaseState.COMPLETED)
    assert view.state is ApplicationState.COMPLETED

    children = population.list_children(
        person_id=world.mother.person_id,
        fields=("name", "number", "household_number"),
        actor=world.mother,
        basis=WHY,
        now=world.now,
    )
    assert [c.text("name") for c in children] == ["周念荷"]
    folder = licences.list_of_person(person_id=world.mother.person_id, actor=world.mother, basis=WHY, now=world.now)
    assert {one.type_code for one in folder} == {
        "birth_certificate",
        "household_page",
        "medical_insurance_certificate",
        "social_security_card",
        "vaccination_certificate",
        "benefit_decision",
    }
