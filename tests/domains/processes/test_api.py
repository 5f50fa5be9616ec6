"""The API of processes over HTTP: who may, what is refused, what a repetition does, and that pages join up."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest
from django.test import Client

from furong.domains.processes import commands, definitions, ports
from furong.domains.processes.ports import ServiceCall
from furong.foundation.codes.ids import new_id
from furong.foundation.organizations import queries as places
from tests.domains.processes.diagrams import SEQUENCE, bpmn
from tests.sites.workbench.staff import SYSTEM, account_id, entries, here, make_staff, now, police_station, staff

API = "/api/processes"
WAITING = bpmn(
    '<startEvent id="s"/>\n<receiveTask id="wait" messageRef="m"/>\n<endEvent id="e"/>',
    "s -> wait\nwait -> e",
    more='<message id="m" name="answer"/>',
)
SERVED = bpmn(
    '<startEvent id="s"/>\n<serviceTask id="work" furong:handler="test.work" furong:retries="0"/>\n<endEvent id="e"/>',
    "s -> work\nwork -> e",
)


@pytest.fixture(autouse=True)
def wiring(platform: Any) -> Iterator[ports.Wiring]:
    """The platform's own wiring with a handler of the test's; no definitions of another test in memory."""
    found = ports.wiring()
    definitions.forget()
    yield found
    found.handlers.pop("test.work", None)
    definitions.forget()


class Program:
    """A member of staff who speaks JSON."""

    def __init__(self, username: str) -> None:
        self.client: Client = staff(username)

    def get(self, path: str, **query: object) -> Any:
        return self.client.get(f"{API}{path}", query)

    def post(self, path: str, body: object = None, **headers: str) -> Any:
        return self.client.post(
            f"{API}{path}", json.dumps(body or {}), content_type="application/json", headers=headers or None
        )


@pytest.fixture
def admin(platform: Any) -> Program:
    """An administrator of the police station's processes, and of nobody else's."""
    make_staff(
        "keeper",
        police_station().id,
        here("processes.administer"),
        here("definitions.publish"),
        here("cases.handle"),
        here("cases.supervise"),
    )
    return Program("keeper")


@pytest.fixture
def other(platform: Any) -> Program:
    """An administrator of another organization."""
    elsewhere = places.get_responsible(department="medical_insurance", division_code="430202")
    make_staff("stranger", elsewhere.id, here("processes.administer"), here("cases.handle"))
    return Program("stranger")


def publish(xml: bytes, code: str = "test") -> str:
    return commands.publish_definition(xml=xml, file="t.bpmn", code=code, actor=SYSTEM, now=now())


def begin(code: str = "test", key: str = "k", **more: Any) -> UUID:
    station = police_station()
    return commands.start_process(
        code=code,
        business_key=key,
        variables=more,
        organization_id=station.id,
        division_code=station.division_code,
        actor=SYSTEM,
        now=now(),
    )


def start_body(**more: Any) -> dict[str, Any]:
    station = police_station()
    return {
        "code": "test",
        "business_key": "case-7",
        "organization_id": str(station.id),
        "division_code": station.division_code,
        **more,
    }


def fail(wiring: ports.Wiring) -> None:
    def work(call: ServiceCall) -> None:
        raise ValueError("out of order")

    wiring.handlers["test.work"] = (work, False)


def problem(answer: Any, status: int, code: str) -> dict[str, Any]:
    assert answer.status_code == status, answer.content.decode()[:500]
    assert answer["Content-Type"].startswith("application/problem+json")
    told: dict[str, Any] = answer.json()
    assert told["code"] == code
    return told


# --- definitions ----------------------------------------------------------------------------------------------------------------


def test_a_definition_is_published_once_and_given_back_as_it_came(admin: Program) -> None:
    body = {"code": "published", "xml": SEQUENCE.decode(), "file": "p.bpmn"}
    first, again = admin.post("/definitions", body), admin.post("/definitions", body)
    assert (first.status_code, again.json()) == (201, first.json())
    digest = first.json()["digest"]
    told = admin.get(f"/definitions/{digest}").json()
    assert (told["code"], told["version"], told["file"]) == ("published", 1, "p.bpmn")
    assert {"id": "a", "name": "受理", "tag": "userTask"} in told["elements"]
    xml = admin.get(f"/definitions/{digest}/xml")
    assert xml.content == SEQUENCE
    assert xml["Content-Type"].startswith("application/xml")


def test_a_definition_that_cannot_run_is_refused_with_every_finding(admin: Program) -> None:
    bad = SEQUENCE.replace(b"cases.handle", b"cases.handel").decode()
    told = problem(admin.post("/definitions", {"code": "bad", "xml": bad}), 422, "processes.definition_refused")
    assert [(one["line"], one["rule"]) for one in told["findings"]] == [(4, "furong.attribute_value")]
    assert told["findings"][0]["mend"]["zh"]


def test_definitions_are_listed_page_by_page_without_a_gap(admin: Program) -> None:
    wanted = {publish(SEQUENCE.replace(b"<process ", f"<!-- {n} --><process ".encode()), f"c{n % 3}") for n in range(7)}
    seen: list[str] = []
    after = ""
    for _ in range(20):
        page = admin.get("/definitions", limit=2, after=after).json()
        seen += [one["digest"] for one in page["definitions"]]
        after = page["after"]
        if not after:
            break
    assert len(seen) == len(set(seen))
    assert wanted <= set(seen)
    versions = [one["version"] for one in admin.get("/definitions", code="c0").json()["definitions"]]
    assert versions == [3, 2, 1]


def test_definitions_are_not_for_those_without_a_right_and_not_published_by_them() -> None:
    digest = publish(SEQUENCE)
    clerk = Program("vaccination")
    for path in ("/definitions", f"/definitions/{digest}", f"/definitions/{digest}/xml"):
        problem(clerk.get(path), 403, "access.refused")
    problem(clerk.post("/definitions", {"code": "x", "xml": SEQUENCE.decode()}), 403, "access.refused")


@pytest.mark.parametrize("after", ["nothing", "@", "x@y", "x@-1", "x@99999999999999"])
def test_a_page_of_definitions_that_nobody_gave_is_refused(admin: Program, after: str) -> None:
    problem(admin.get("/definitions", after=after), 422, "processes.page_key_not_valid")


# --- instances ------------------------------------------------------------------------------------------------------------------


def test_an_instance_is_started_once_under_its_key_however_often_it_is_asked_for(admin: Program) -> None:
    publish(SEQUENCE)
    key = {"Idempotency-Key": str(new_id())}
    first = admin.post("/instances", start_body(variables={"n": 1}), **key)
    assert first.status_code == 201
    assert first["Location"] == f"{API}/instances/{first.json()['id']}"
    again = admin.post("/instances", start_body(variables={"n": 1}), **key)
    assert (again.status_code, again.json()) == (200, {"id": first.json()["id"], "repeated": True})
    problem(admin.post("/instances", start_body(variables={"n": 2}), **key), 409, "processes.request_key_taken")
    assert entries("SELECT count(*) FROM processes_instance WHERE business_key = 'case-7'") == [(1,)]
    other_key = admin.post("/instances", start_body(variables={"n": 1}), **{"Idempotency-Key": str(new_id())})
    assert other_key.json()["id"] != first.json()["id"]


def test_a_start_that_was_refused_does_not_use_up_its_key(admin: Program) -> None:
    key = {"Idempotency-Key": "one"}
    problem(admin.post("/instances", start_body(code="none"), **key), 404, "processes.definition_unknown")
    publish(SEQUENCE)
    assert admin.post("/instances", start_body(), **key).status_code == 201


def test_instances_are_started_only_for_organizations_that_one_administers(admin: Program, other: Program) -> None:
    publish(SEQUENCE)
    problem(other.post("/instances", start_body()), 403, "access.refused")
    problem(admin.post("/instances", start_body(organization_id=str(new_id()))), 403, "access.refused")
    problem(Program("vaccination").post("/instances", start_body()), 403, "access.refused")
    assert entries("SELECT count(*) FROM processes_instance WHERE business_key = 'case-7'") == [(0,)]


@pytest.mark.parametrize(
    "body",
    [
        {"business_key": ""},
        {"business_key": "k" * 300},
        {"organization_id": "nobody"},
        {"variables": "none"},
        {"variables": None},
    ],
)
def test_a_start_that_does_not_fit_is_refused_with_the_part(admin: Program, body: dict[str, Any]) -> None:
    told = problem(admin.post("/instances", start_body(**body)), 422, "web.not_valid")
    assert next(iter(body)) in told["errors"][0]["part"]


@pytest.mark.parametrize("key", ["k" * 201, "a\u0007b"])
def test_a_key_that_is_no_key_is_refused(admin: Program, key: str) -> None:
    publish(SEQUENCE)
    problem(admin.post("/instances", start_body(), **{"Idempotency-Key": key}), 422, "processes.request_key_not_valid")


def test_variables_that_no_row_takes_are_refused(admin: Program) -> None:
    publish(SEQUENCE)
    told = admin.post("/instances", start_body(variables={"a": "x" * 300_000}))
    problem(told, 422, "processes.variables_refused")


def test_an_instance_is_seen_with_where_it_stands_by_who_administers_or_supervises_it(
    admin: Program, other: Program
) -> None:
    publish(SEQUENCE)
    instance = begin(secret="private")
    told = admin.get(f"/instances/{instance}").json()
    assert (told["state"], told["definition_code"], told["definition_version"]) == ("running", "test", 1)
    assert [(one["element_id"], one["task_id"] is not None) for one in told["tokens"]] == [("a", True)]
    assert "private" not in json.dumps(told)
    assert Program("supervisor").get(f"/instances/{instance}").status_code == 200
    for stranger in (other, Program("vaccination")):
        problem(stranger.get(f"/instances/{instance}"), 403, "access.refused")
        problem(stranger.get(f"/instances/{instance}/log"), 403, "access.refused")
    problem(admin.get(f"/instances/{new_id()}"), 404, "processes.instance_unknown")


def test_variables_are_for_who_administers_and_each_read_is_on_record(admin: Program, other: Program) -> None:
    publish(SEQUENCE)
    instance = begin(secret="private")
    assert admin.get(f"/instances/{instance}/variables").json() == {"variables": {"secret": "private"}}
    found = entries("SELECT object_id FROM audit_entry WHERE name = 'processes.variables_of'")
    assert [str(row[0]) for row in found] == [str(instance)]
    problem(Program("supervisor").get(f"/instances/{instance}/variables"), 403, "access.refused")
    problem(other.get(f"/instances/{instance}/variables"), 403, "access.refused")


def test_the_log_of_an_instance_is_read_page_by_page(admin: Program) -> None:
    publish(SEQUENCE)
    instance = begin()
    kinds: list[tuple[str, str]] = []
    after = ""
    for _ in range(10):
        page = admin.get(f"/instances/{instance}/log", limit=2, **({"after": after} if after else {})).json()
        kinds += [(one["kind"], one["element_id"]) for one in page["lines"]]
        after = page["after"]
        if not after:
            break
    assert kinds[1:] == [("passed", "s"), ("entered", "a")]
    assert kinds[0][0] == "started"


def test_instances_are_listed_by_state_and_page_within_ones_scope(admin: Program, other: Program) -> None:
    publish(SEQUENCE)
    keys = {f"k{n}" for n in range(5)}
    started = {key: begin(key=key) for key in keys}
    commands.cancel_process(instance_id=started["k0"], reason="test", actor=SYSTEM, now=now())
    seen: list[str] = []
    after = ""
    for _ in range(10):
        page = admin.get("/instances", code="test", limit=2, after=after).json()
        seen += [one["business_key"] for one in page["instances"]]
        after = page["after"]
        if not after:
            break
    assert sorted(seen) == ["k1", "k2", "k3", "k4"]
    assert page["instances"][0]["waits_at"] == ["a"]
    over = admin.get("/instances", code="test", state="cancelled").json()["instances"]
    assert [(one["business_key"], one["state"]) for one in over] == [("k0", "cancelled")]
    assert [one["business_key"] for one in admin.get("/instances", business_key="k3").json()["instances"]] == ["k3"]
    assert other.get("/instances", code="test").json() == {"instances": [], "after": ""}
    problem(Program("vaccination").get("/instances"), 403, "access.refused")


def test_lists_of_instances_refuse_what_they_cannot_find(admin: Program) -> None:
    problem(admin.get("/instances", state="completed"), 422, "processes.process_missing")
    problem(admin.get("/instances", state="odd"), 422, "web.not_valid")
    problem(admin.get("/instances", code="none"), 404, "processes.definition_unknown")
    problem(admin.get("/instances", after="x"), 422, "processes.page_key_not_valid")


def test_an_instance_is_cancelled_with_a_reason_by_who_administers_it(admin: Program, other: Program) -> None:
    publish(SEQUENCE)
    instance = begin()
    path = f"/instances/{instance}/cancellation"
    problem(other.post(path, {"reason": "x"}), 403, "access.refused")
    problem(Program("supervisor").post(path, {"reason": "x"}), 403, "access.refused")
    problem(admin.post(path, {"reason": "  "}), 422, "processes.reason_missing")
    assert admin.post(path, {"reason": "entered twice"}).status_code == 204
    told = admin.get(f"/instances/{instance}").json()
    assert (told["state"], told["reason"], told["tokens"]) == ("cancelled", "entered twice", [])
    problem(admin.post(path, {"reason": "again"}), 404, "processes.instance_unknown")


def test_an_instance_is_suspended_resumed_and_moved_by_who_administers_it(admin: Program, other: Program) -> None:
    publish(SEQUENCE)
    instance = begin()
    path = f"/instances/{instance}"
    move = {"token": 1, "element": "b", "reason": "x"}
    for stranger in (other, Program("supervisor")):
        for act in ("suspension", "resumption"):
            problem(stranger.post(f"{path}/{act}", {"reason": "x"}), 403, "access.refused")
        problem(stranger.post(f"{path}/moves", move), 403, "access.refused")
    problem(admin.post(f"{path}/suspension", {"reason": ""}), 422, "processes.reason_missing")
    assert admin.post(f"{path}/suspension", {"reason": "looked into"}).status_code == 204
    assert admin.get(path).json()["state"] == "suspended"
    assert [one["id"] for one in admin.get("/instances", state="suspended", code="test").json()["instances"]] == [
        str(instance)
    ]
    assert admin.post(f"{path}/resumption", {"reason": "clear"}).status_code == 204
    problem(admin.post(f"{path}/moves", {**move, "element": "nowhere"}), 422, "processes.move_refused")
    assert admin.post(f"{path}/moves", move).status_code == 204
    assert [one["element_id"] for one in admin.get(path).json()["tokens"]] == ["b"]


def test_instances_are_taken_to_another_version_after_a_dry_run(admin: Program, other: Program) -> None:
    old = publish(SEQUENCE)
    instance = begin()
    new = publish(SEQUENCE.replace(b'id="a"', b'id="a2"').replace(b'"a"', b'"a2"'))
    path, body = f"/definitions/{old}/migrations", {"to_digest": new}
    problem(Program("supervisor").post(path, body), 403, "access.refused")
    dry = admin.post(path, body).json()
    assert (dry["dry_run"], dry["instances"], dry["stuck"]) == (True, [], 1)
    assert dry["hindrances"][0]["element_id"] == "a"
    earnest = {**body, "dry_run": False, "reason": "new rules"}
    problem(admin.post(path, earnest), 422, "processes.migration_refused")
    mapped = {"nodes": {"a": "a2"}}
    assert other.post(path, {**earnest, **mapped}).json()["instances"] == []
    assert admin.post(path, {**earnest, **mapped}).json()["instances"] == [str(instance)]
    assert admin.get(f"/instances/{instance}").json()["definition_digest"] == new


# --- tasks ----------------------------------------------------------------------------------------------------------------------


def test_a_task_is_claimed_released_handed_over_and_completed(admin: Program, other: Program) -> None:
    publish(SEQUENCE)
    begin()
    (task,) = [one for one in admin.get("/tasks").json()["tasks"] if one["business_key"] == "k"]
    path = f"/tasks/{task['id']}"
    for refused in (other.get(path), other.post(f"{path}/claim"), other.post(f"{path}/complete")):
        problem(refused, 403, "access.refused")
    assert admin.post(f"{path}/claim").status_code == 204
    assert admin.post(f"{path}/claim").status_code == 204
    assert admin.post(f"{path}/release").status_code == 204
    problem(admin.post(f"{path}/release"), 409, "processes.task_not_claimed")
    outsider = {"to_account_id": str(account_id("stranger")), "reason": "ill"}
    problem(admin.post(f"{path}/hand-over", outsider), 422, "processes.hand_over_refused")
    colleague = {"to_account_id": str(account_id("keeper")), "reason": ""}
    problem(admin.post(f"{path}/hand-over", colleague), 422, "processes.reason_missing")
    assert admin.post(f"{path}/hand-over", {**colleague, "reason": "mine"}).status_code == 204
    assert admin.post(f"{path}/complete").status_code == 204
    problem(admin.post(f"{path}/complete"), 409, "processes.task_already_done")
    problem(admin.get(f"/tasks/{new_id()}"), 404, "processes.task_unknown")
    (decision,) = [one for one in admin.get("/tasks").json()["tasks"] if one["business_key"] == "k"]
    wrong = admin.post(f"/tasks/{decision['id']}/complete", {"outcome": "maybe"})
    problem(wrong, 422, "processes.outcome_unknown")


# --- messages -------------------------------------------------------------------------------------------------------------------


def test_a_message_is_delivered_once_under_its_key(admin: Program) -> None:
    publish(WAITING)
    one, two = begin(), begin()
    key = {"Idempotency-Key": "answer-1"}
    body = {"name": "answer", "correlation": "k", "payload": {"yes": True}}
    first = admin.post("/messages", body, **key)
    assert (first.status_code, first.json()) == (200, {"instance_id": str(one), "repeated": False})
    assert admin.post("/messages", body, **key).json() == {"instance_id": str(one), "repeated": True}
    assert admin.get(f"/instances/{two}").json()["state"] == "running"
    assert admin.post("/messages", body).json()["instance_id"] == str(two)
    problem(admin.post("/messages", body), 409, "processes.message_unexpected")


def test_a_message_for_anothers_process_finds_nobody_and_changes_nothing(admin: Program, other: Program) -> None:
    publish(WAITING)
    instance = begin()
    body = {"name": "answer", "correlation": "k"}
    problem(other.post("/messages", body), 409, "processes.message_unexpected")
    problem(Program("vaccination").post("/messages", body), 403, "access.refused")
    assert admin.get(f"/instances/{instance}").json()["state"] == "running"
    problem(admin.post("/messages", {"name": "answer"}), 422, "web.not_valid")


# --- incidents ------------------------------------------------------------------------------------------------------------------


def test_an_incident_is_listed_retried_and_skipped_by_who_administers_it(
    admin: Program, other: Program, wiring: ports.Wiring
) -> None:
    fail(wiring)
    publish(SERVED)
    one, two = begin(key="one"), begin(key="two")
    commands.run_due_jobs(now=now())
    found = admin.get("/incidents").json()["incidents"]
    assert [(i["instance_id"], i["element_id"], i["reason"]) for i in found] == [
        (str(one), "work", "handler_failed"),
        (str(two), "work", "handler_failed"),
    ]
    assert "out of order" not in json.dumps(found)
    page = admin.get("/incidents", limit=1).json()
    rest = admin.get("/incidents", limit=1, after=page["after"]).json()
    assert [page["incidents"][0]["id"], rest["incidents"][0]["id"], rest["after"]] == [
        found[0]["id"],
        found[1]["id"],
        "",
    ]
    (cause,) = admin.get("/incident-causes").json()
    assert (cause["n"], cause["instances"], cause["element_id"]) == (2, 2, "work")
    assert admin.get(f"/instances/{one}").json()["state"] == "stuck"
    assert len(admin.get("/instances", state="stuck", code="test").json()["instances"]) == 2
    path = f"/incidents/{found[0]['id']}"
    assert admin.get(path).json() == found[0]
    assert other.get("/incidents").json()["incidents"] == []
    problem(other.get(path), 404, "processes.incident_unknown")
    problem(other.post(f"{path}/retry", {"reason": "x"}), 403, "access.refused")
    problem(Program("supervisor").get("/incidents"), 403, "access.refused")
    problem(admin.post(f"{path}/retry", {"reason": " "}), 422, "processes.reason_missing")
    wiring.handlers["test.work"] = (lambda call: {"done": True}, False)
    assert admin.post(f"{path}/retry", {"reason": "mended"}).status_code == 204
    commands.run_due_jobs(now=now())
    assert admin.get(f"/instances/{one}").json()["state"] == "completed"
    skip = admin.post(f"/incidents/{found[1]['id']}/skip", {"reason": "done by hand", "variables": {"done": False}})
    assert skip.status_code == 204
    assert admin.get(f"/instances/{two}").json()["state"] == "completed"
    assert admin.get(f"/instances/{two}/variables").json()["variables"] == {"done": False}
    problem(admin.post(f"{path}/retry", {"reason": "again"}), 404, "processes.incident_unknown")


def test_nothing_of_the_api_is_open_to_a_stranger_or_a_resident() -> None:
    publish(SEQUENCE)
    instance = begin()
    paths = ["/definitions", "/instances", f"/instances/{instance}", "/incidents", "/incident-causes", "/tasks"]
    resident = Program("mother")
    for path in paths:
        assert Client(HTTP_HOST="localhost").get(f"{API}{path}").status_code == 401, path
        answer = resident.get(path)
        assert answer.status_code == 403 or answer.json().get("tasks") == [], path
