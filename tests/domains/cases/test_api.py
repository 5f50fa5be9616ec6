"""The room's routes: the same commands, the same refusals, and no more data than the pages show."""

from __future__ import annotations

import base64
from typing import Any
from uuid import UUID

import pytest
from django.utils import timezone
from ninja.testing import TestClient

from furong.domains.cases import models, queries
from furong.domains.cases.api import router
from furong.domains.cases.errors import CaseChanged, CaseNotFound, FormNotValid, SupplementEmpty
from furong.domains.cases.values import CaseState
from furong.domains.processes import commands as process_commands
from furong.domains.processes import queries as processes
from furong.foundation.access.errors import AccessRefused, PurposeMissing
from furong.foundation.storage.errors import NotWhatItSays
from tests.factories.newborn import World

ITEM = "vaccination_record"
PNG = b"\x89PNG\r\n\x1a\n" + bytes(64)
client = TestClient(router)


def _get(path: str, actor: Any) -> Any:
    answer = client.get(path, auth=actor)
    assert answer.status_code == 200, answer.content
    return answer.json()


def _post(path: str, actor: Any, body: dict[str, Any] | None = None, status: int = 200) -> Any:
    answer = client.post(path, json=body or {}, auth=actor)
    assert answer.status_code == status, answer.content
    return answer.json() if status != 204 else None


def _case(town: World) -> UUID:
    return town.case(town.submit(items=(ITEM,), event=""), ITEM)


def test_a_program_hands_in_a_draft_and_gets_the_same_answer_again(town: World) -> None:
    draft_id = town.draft(items=(ITEM,), event="")
    first = _post(f"/drafts/{draft_id}/submission", town.mother)
    again = _post(f"/drafts/{draft_id}/submission", town.mother)
    assert (first["repeated"], again["repeated"]) == (False, True)
    assert again["application_id"] == first["application_id"]
    assert first["number"] in {line["number"] for line in _get("/applications", town.mother)}
    seen = _get(f"/applications/{first['application_id']}", town.mother)
    assert [lane["item_code"] for lane in seen["lanes"]] == [ITEM]
    with pytest.raises(CaseNotFound):
        client.get(f"/applications/{first['application_id']}", auth=town.father)


def test_a_department_reads_only_its_own_fields_and_only_for_a_purpose(town: World) -> None:
    case_id = _case(town)
    seen = _get(f"/{case_id}?purpose=办理", town.vaccination)
    declared = set(models.Case.objects.get(id=case_id).visible_elements)
    assert {a["element"] for a in seen["answers"]} <= declared
    assert "benefit.account_number" not in str(seen)
    with pytest.raises(PurposeMissing):
        client.get(f"/{case_id}?purpose=%20", auth=town.vaccination)
    with pytest.raises(AccessRefused):
        client.get(f"/{case_id}?purpose=办理", auth=town.police)
    with pytest.raises(AccessRefused):
        client.get("/", auth=town.mother)
    found = _get(f"/?text={seen['lane']['number']}", town.vaccination)
    assert [line["case_id"] for line in found["lines"]] == [str(case_id)]
    assert _get(f"/?text={seen['lane']['number']}", town.police)["lines"] == []


def test_acts_are_the_rooms_commands(town: World) -> None:
    case_id = _case(town)
    version = models.Case.objects.get(id=case_id).version
    _post(f"/{case_id}/acts", town.vaccination, {"act": "accept", "version": version}, 204)
    with pytest.raises(CaseChanged):
        client.post(f"/{case_id}/acts", json={"act": "approve", "version": version}, auth=town.vaccination)
    _post(f"/{case_id}/acts", town.vaccination, {"act": "reject", "reason": "已建证"}, 204)
    assert models.Case.objects.get(id=case_id).state == CaseState.REJECTED


def test_a_supplement_notice_goes_through_with_what_is_missing(town: World) -> None:
    case_id = _case(town)
    with pytest.raises(SupplementEmpty):
        client.post(f"/{case_id}/acts", json={"act": "request_supplement", "reason": "缺"}, auth=town.vaccination)
    wanted = [{"element": "newborn.name", "what": {"zh": "姓名"}}]
    body = {"act": "request_supplement", "reason": "缺", "wanted": wanted}
    _post(f"/{case_id}/acts", town.vaccination, body, 204)
    assert models.Case.objects.get(id=case_id).state == CaseState.TO_SUPPLEMENT


def test_an_applicant_answers_a_supplement_with_a_value_words_and_a_file_and_reads_it_again(town: World) -> None:
    case_id = _case(town)
    wanted = [
        {"element": "newborn.name", "what": {"zh": "姓名"}},
        {"what": {"zh": "照片"}},
    ]
    _post(f"/{case_id}/acts", town.vaccination, {"act": "request_supplement", "reason": "缺", "wanted": wanted}, 204)
    assert _get(f"/{case_id}/supplement", town.mother)["lines"][1]["file"] is None
    photo = {"name": "照片.png", "media_type": "image/png", "content": base64.b64encode(PNG).decode()}
    answer = {"answers": {"newborn.name": "周念莲"}, "files": {"#2/file": photo}, "note": "已更正"}
    for stranger in (town.father, town.police):
        with pytest.raises(CaseNotFound):
            client.post(f"/{case_id}/supplement", json=answer, auth=stranger)
    with pytest.raises(FormNotValid) as refused:
        client.post(f"/{case_id}/supplement", json={**answer, "answers": {"newborn.name": "x"}}, auth=town.mother)
    assert refused.value.params["fields"] == ["newborn.name"]
    wrong = {**photo, "content": base64.b64encode(b"MZ\x90" * 40).decode()}
    with pytest.raises(NotWhatItSays):
        client.post(f"/{case_id}/supplement", json={**answer, "files": {"#2/file": wrong}}, auth=town.mother)
    assert models.Case.objects.get(id=case_id).state == CaseState.TO_SUPPLEMENT
    _post(f"/{case_id}/supplement", town.mother, answer, 204)
    assert models.Case.objects.get(id=case_id).state == CaseState.SUBMITTED
    seen = _get(f"/{case_id}/supplement", town.mother)
    assert (seen["lines"][0]["value"], seen["note"]) == ("周念莲", "已更正")
    digest = seen["lines"][1]["file"]["digest"]
    found = queries.open_own_file(case_id=case_id, digest=digest, actor=town.mother, now=town.now)
    assert (found.media_type, found.size) == ("image/png", len(PNG))
    with pytest.raises(CaseNotFound):
        queries.open_own_file(case_id=case_id, digest=digest, actor=town.father, now=town.now)


def test_a_pause_needs_a_procedure_in_law(town: World) -> None:
    from furong.domains.cases.errors import LegalBasisMissing

    case_id = _case(town)
    _post(f"/{case_id}/acts", town.vaccination, {"act": "accept"}, 204)
    with pytest.raises(LegalBasisMissing):
        client.post(f"/{case_id}/acts", json={"act": "pause", "legal_basis": "某条"}, auth=town.vaccination)
    body = {"act": "pause", "procedure": "inspection", "legal_basis": "疫苗管理法第四十七条"}
    _post(f"/{case_id}/acts", town.vaccination, body, 204)
    assert models.Case.objects.get(id=case_id).state == CaseState.PAUSED
    _post(f"/{case_id}/acts", town.vaccination, {"act": "resume"}, 204)


def test_a_task_finished_by_the_engines_own_door_is_the_act_all_the_same(town: World) -> None:
    from furong.domains.cases.errors import ActNotAllowed, ReasonMissing

    case_id = _case(town)
    (task,) = processes.list_tasks_of(business_key=str(case_id), only_open=True)
    process_commands.complete_task(task_id=task.id, outcome="accepted", actor=town.vaccination, now=town.now)
    case = models.Case.objects.get(id=case_id)
    assert case.state == CaseState.IN_PROGRESS
    assert case.accepted_on is not None
    (decision,) = processes.list_tasks_of(business_key=str(case_id), only_open=True)
    with pytest.raises(ReasonMissing):
        process_commands.complete_task(task_id=decision.id, outcome="rejected", actor=town.vaccination, now=town.now)
    _post(
        f"/{case_id}/acts",
        town.vaccination,
        {"act": "pause", "procedure": "inspection", "legal_basis": "疫苗管理法第四十七条"},
        204,
    )
    with pytest.raises(ActNotAllowed):
        process_commands.complete_task(task_id=decision.id, outcome="approved", actor=town.vaccination, now=town.now)
    _post(f"/{case_id}/acts", town.vaccination, {"act": "resume"}, 204)
    town.now = timezone.now()  # the routes have their own clock
    process_commands.complete_task(task_id=decision.id, outcome="approved", actor=town.vaccination, now=town.now)
    town.run_jobs()
    case.refresh_from_db()
    assert case.state == CaseState.COMPLETED
    assert case.decided_by_account_id == town.vaccination.account_id
