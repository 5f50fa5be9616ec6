"""Processes as the workbench shows them: figures within the reader's scope, instances, incidents, and what administrators do."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest
from django.urls import reverse
from tests.domains.processes.diagrams import SEQUENCE, bpmn
from tests.sites.workbench.staff import (
    SYSTEM,
    entries,
    here,
    links,
    make_staff,
    now,
    police_station,
    staff,
    tree,
    words,
)

from furong.domains.processes import commands, definitions, measuring, ports
from furong.domains.processes.ports import ServiceCall
from furong.foundation.codes.ids import new_id
from furong.foundation.organizations import queries as places
from furong.sites.workbench import urls_processes

pytestmark = pytest.mark.usefixtures("platform")
REVIEWED = bpmn(
    """
    <startEvent id="s"/>
    <userTask id="review" name="审核" furong:department="police" furong:result="review" furong:outcomes="passed failed"/>
    <exclusiveGateway id="good" default="good-supplement"/>
    <userTask id="supplement" name="补正" furong:department="police"/>
    <endEvent id="e"/>
    """,
    """
    s -> review
    review -> good
    good -> e if review = "passed"
    good -> supplement
    supplement -> review
    """,
)
SERVED = bpmn(
    '<startEvent id="s"/>\n<endEvent id="e"/>\n'
    '<serviceTask id="work" name="制证" furong:handler="test.work" furong:retries="0"/>',
    "s -> work\nwork -> e",
)


@pytest.fixture(autouse=True)
def wiring() -> Iterator[ports.Wiring]:
    """The platform's own wiring, where a test may put a handler; no definitions of another test in memory."""
    definitions.forget()
    found = ports.wiring()
    yield found
    found.handlers.pop("test.work", None)
    definitions.forget()


@pytest.fixture
def keeper(platform: Any) -> Any:
    """An administrator of the police station's processes alone."""
    make_staff("keeper", police_station().id, here("processes.administer"))
    return staff("keeper")


def publish(xml: bytes, code: str = "test") -> str:
    return commands.publish_definition(xml=xml, file="t.bpmn", code=code, actor=SYSTEM, now=now())


def begin(code: str = "test", **more: Any) -> UUID:
    station = police_station()
    return commands.start_process(
        code=code,
        business_key=str(new_id()),
        variables=more,
        organization_id=station.id,
        division_code=station.division_code,
        actor=SYSTEM,
        now=now(),
    )


def finish(instance: UUID, element: str, outcome: str = "") -> None:
    ((task,),) = entries(
        "SELECT id FROM processes_task WHERE instance_id = %s AND element_id = %s", [instance, element]
    )
    commands.complete_task(task_id=task, outcome=outcome, actor=SYSTEM, now=now())


def fail(wiring: ports.Wiring, times: int) -> list[UUID]:
    """Make instances whose work fails; give them."""

    def work(call: ServiceCall) -> None:
        raise ValueError("张三 out of order")

    wiring.handlers["test.work"] = (work, False)
    publish(SERVED)
    made = [begin() for _ in range(times)]
    commands.run_due_jobs(now=now())
    return made


def message(client: Any, address: str) -> str:
    return words(client.get(address).content)


# --- figures --------------------------------------------------------------------------------------------------------------------


def test_a_process_shows_counts_durations_rework_and_where_time_passes() -> None:
    digest = publish(REVIEWED)
    around, waits = begin(), begin()
    finish(around, "review", "failed")
    finish(around, "supplement")
    finish(around, "review", "passed")
    assert waits
    measuring.measure(now=now(), again=True)
    shown = words(staff("administrator").get(f"/work/processes/{digest}").content)
    for told in ("出现次数", "审核", "补正", "回退路径", "又做了 1 次", "100.0%", "时间花在哪里", "按状态和周", "公安"):
        assert told in shown, told
    told = staff("administrator").get(f"/work/processes/{digest}/diagram", {"show": "counts"}).json()
    assert told["heat"]["review"] == {"level": 5, "badge": "2"}
    assert told["heat"]["supplement"]["badge"] == "1"
    assert told["flows"]["review-good"] == "2"
    here_now = staff("administrator").get(f"/work/processes/{digest}/diagram", {"show": "now"}).json()
    assert here_now["heat"] == {"review": {"level": 5, "badge": "1"}}
    assert here_now["flows"] == {}
    assert (
        staff("administrator").get(f"/work/processes/{digest}", {"show": "durations", "days": "7"}).status_code == 200
    )


def test_what_the_heat_map_shows_stands_in_the_table_and_in_the_legend_without_script() -> None:
    digest = publish(SEQUENCE)
    finish(begin(), "a")
    measuring.measure(now=now(), again=True)
    page = tree(staff("administrator").get(f"/work/processes/{digest}").content)
    table = page.xpath("//table[caption='步骤']")[0]
    rows = {
        row.xpath("string(th)"): [cell.text_content().strip() for cell in row.xpath("td")]
        for row in table.xpath(".//tbody/tr")
    }
    assert rows["受理"][3] == "1"
    assert rows["决定"][1] == "1"
    assert page.xpath("//*[contains(@class, 'heat-legend')]//li")
    assert not page.xpath("//script[not(@src)]")
    assert not page.xpath("//main//*[@style]")


def test_figures_are_those_of_the_readers_scope() -> None:
    elsewhere = places.get_responsible(department="medical_insurance", division_code="430202")
    make_staff("other", elsewhere.id, here("cases.supervise"))
    digest = publish(SEQUENCE)
    for _ in range(3):
        begin()
    measuring.measure(now=now(), again=True)
    client = staff("other")
    assert client.get(f"/work/processes/{digest}/diagram", {"show": "now"}).json()["heat"] == {}
    assert "没有处于此状态的实例" in words(client.get(f"/work/processes/{digest}/instances").content)
    assert "没有等待办理的任务" in words(client.get("/work/processes/waiting").content)
    mine = staff("supervisor").get(f"/work/processes/{digest}/diagram", {"show": "now"}).json()["heat"]
    assert mine["a"]["badge"] == "3"


def test_all_processes_are_listed_with_what_is_open_and_those_that_have_not_run(wiring: ports.Wiring) -> None:
    fail(wiring, 2)
    page = staff("administrator").get("/work/processes")
    shown = words(page.content)
    assert "尚未运行" in shown
    assert "/work/items/household_registration#process" in links(page.content, "/work/items/")
    row = next(r for r in tree(page.content).xpath("//tbody/tr") if "test" in r.text_content())
    assert [cell.text_content().strip() for cell in row.xpath("td")][:4] == ["1", "2", "0", "2"]


def test_what_waits_is_shown_by_department_and_organisation() -> None:
    publish(SEQUENCE)
    begin()
    shown = words(staff("supervisor").get("/work/processes/waiting").content)
    assert "公安" in shown
    assert places.labels_of_organizations(organization_ids={police_station().id})[police_station().id].zh in shown or (
        "荷塘" in shown
    )


@pytest.mark.parametrize("query", ["days=x", "show=odd&days=-1", "versions=none", "days=9999999999999999999"])
def test_a_filter_that_nobody_offered_falls_back(query: str) -> None:
    digest = publish(SEQUENCE)
    client = staff("administrator")
    for path in (f"/work/processes/{digest}", f"/work/processes/{digest}/instances", "/work/processes"):
        assert client.get(f"{path}?{query}&state=odd&after=x").status_code == 200


# --- instances ------------------------------------------------------------------------------------------------------------------


def test_instances_are_listed_by_state_and_page() -> None:
    digest = publish(SEQUENCE)
    made = [begin() for _ in range(52)]
    over = begin()
    commands.cancel_process(instance_id=over, reason="重复申请", actor=SYSTEM, now=now())
    client = staff("administrator")
    first = client.get(f"/work/processes/{digest}/instances")
    shown = links(first.content, "/work/processes/instances/")
    assert len(shown) == 50
    (following,) = [a.get("href") for a in tree(first.content).xpath("//a[@rel='next']")]
    rest = links(client.get(f"/work/processes/{digest}/instances{following}").content, "/work/processes/instances/")
    assert {str(one) for one in made} == {link.rpartition("/")[2] for link in (*shown, *rest)}
    assert "重复申请" in message(client, f"/work/processes/{digest}/instances?state=cancelled")


def test_an_instance_shows_where_it_stands_and_its_variables_only_by_right_on_record(keeper: Any) -> None:
    publish(SEQUENCE)
    instance = begin(secret="内情")
    address = f"/work/processes/instances/{instance}"
    shown = message(keeper, address)
    for told in ("受理", "到达", "办理中", "显示会留下记录"):
        assert told in shown, told
    assert "内情" not in shown
    assert "内情" in message(keeper, f"{address}?variables=1")
    assert [
        str(row[0]) for row in entries("SELECT object_id FROM audit_entry WHERE name = 'processes.variables_of'")
    ] == [str(instance)]
    supervisor = message(staff("supervisor"), f"{address}?variables=1")
    assert "内情" not in supervisor
    assert "管理员操作" not in supervisor
    assert keeper.get(f"{address}/diagram").json()["states"]["a"] == "running"
    assert keeper.get(f"/work/processes/instances/{new_id()}").status_code == 404


def test_anothers_instance_is_closed_to_an_administrator_of_elsewhere() -> None:
    elsewhere = places.get_responsible(department="medical_insurance", division_code="430202")
    make_staff("other", elsewhere.id, here("processes.administer"))
    publish(SEQUENCE)
    instance = begin()
    client = staff("other")
    for path in ("", "/diagram", "/acts/cancel", "/acts/suspend"):
        assert client.get(f"/work/processes/instances/{instance}{path}").status_code == 403, path
    for verb in ("cancel", "suspend", "move", "migrate"):
        address = f"/work/processes/instances/{instance}/acts/{verb}"
        assert client.post(address, {"reason": "x"}).status_code == 403, verb
    assert entries("SELECT state FROM processes_instance WHERE id = %s", [instance]) == [("running",)]


def test_an_administrator_suspends_resumes_moves_and_ends_an_instance_with_a_reason(keeper: Any) -> None:
    publish(SEQUENCE)
    instance = begin()
    home = f"/work/processes/instances/{instance}"

    def act(verb: str, **body: str) -> str:
        answer = keeper.post(f"{home}/acts/{verb}", body)
        assert answer.status_code == 302, words(answer.content)
        return message(keeper, home)

    empty = keeper.post(f"{home}/acts/suspend", {})
    assert "请简单写明理由" in words(empty.content)
    assert "暂停" in act("suspend", reason="核查")
    assert keeper.get(f"{home}/acts/move").status_code == 302
    assert "办理中" in act("resume", reason="核查完毕")
    moved = act("move", token="1", element="b", reason="已在窗口受理")
    assert "决定" in moved
    assert entries("SELECT element_id FROM processes_task WHERE instance_id = %s", [instance]) == [("b",)]
    assert "提前结束" in act("cancel", reason="重复申请")
    names = [row[0] for row in entries("SELECT name FROM audit_entry WHERE name LIKE 'processes.%%' ORDER BY seq")]
    for name in (
        "processes.suspend_process",
        "processes.resume_process",
        "processes.move_token",
        "processes.cancel_process",
    ):
        assert name in names


def test_instances_are_taken_to_another_version_after_a_look(keeper: Any) -> None:
    old = publish(SEQUENCE)
    instance = begin()
    new = publish(SEQUENCE.replace('name="受理"'.encode(), 'name="受理登记"'.encode()))
    address = f"/work/processes/{old}/migration"
    look = keeper.post(address, {"to_digest": new, "do": "look"})
    assert "可以转到新版本" in words(look.content)
    assert entries("SELECT definition_id FROM processes_instance WHERE id = %s", [instance]) != []
    without = keeper.post(address, {"to_digest": new, "do": "migrate"})
    assert "需要填写理由" in words(without.content)
    assert "受理登记" not in message(keeper, f"/work/processes/instances/{instance}")
    done = keeper.post(address, {"to_digest": new, "do": "migrate", "reason": "新规定施行"})
    assert done.status_code == 302
    assert "受理登记" in message(keeper, f"/work/processes/instances/{instance}")
    wrong = keeper.post(address, {"to_digest": new, "nodes": "a b", "do": "look"})
    assert "这一行不是" in words(wrong.content)


# --- incidents ------------------------------------------------------------------------------------------------------------------


def test_incidents_are_shown_by_cause_and_never_with_what_an_error_said(keeper: Any, wiring: ports.Wiring) -> None:
    made = fail(wiring, 3)
    shown = message(keeper, "/work/supervision/incidents")
    for told in ("多次重试后仍未办成", "制证", "3 件", "builtins.ValueError"):
        assert told in shown, told
    assert "张三" not in shown
    found = links(keeper.get("/work/supervision/incidents").content, "/work/processes/instances/")
    assert {link.rpartition("/")[2] for link in found} == {str(one) for one in made}
    assert "没有异常" not in message(keeper, "/work/supervision/incidents")


def test_all_incidents_of_a_cause_are_tried_again_with_one_reason(keeper: Any, wiring: ports.Wiring) -> None:
    made = fail(wiring, 3)
    page = tree(keeper.get("/work/supervision/incidents").content)
    (address,) = [f.get("action") for f in page.xpath("//main//form")]
    assert re.fullmatch(r"/work/supervision/causes/[0-9a-f]{24}/retry", address)
    keeper.post(address, {"reason": " "})
    assert entries("SELECT count(*) FROM processes_job WHERE state = 'incident'") == [(3,)]
    wiring.handlers["test.work"] = (lambda call: None, False)
    keeper.post(address, {"reason": "制证机已修好"})
    commands.run_due_jobs(now=now())
    assert entries("SELECT count(*) FROM processes_instance_ended WHERE id = ANY (%s)", [made]) == [(3,)]
    told = entries("SELECT count(*) FROM audit_entry WHERE name = 'processes.retry_incident' AND outcome <> 'refused'")
    assert told == [(3,)]
    assert keeper.post(address, {"reason": "再来"}).status_code == 302


def test_a_cause_is_passed_over_with_a_reason_and_only_by_who_administers_it(wiring: ports.Wiring) -> None:
    elsewhere = places.get_responsible(department="medical_insurance", division_code="430202")
    make_staff("other", elsewhere.id, here("processes.administer"))
    fail(wiring, 2)
    client, other = staff("administrator"), staff("other")
    page = tree(client.get("/work/supervision/incidents").content)
    (address,) = [b.get("formaction") for b in page.xpath("//main//button[@formaction]")]
    other.post(address, {"reason": "x"})
    assert entries("SELECT count(*) FROM processes_job WHERE state = 'incident'") == [(2,)]
    client.post(address, {"reason": "已在窗口办妥"})
    assert entries("SELECT count(*) FROM processes_job WHERE state = 'incident'") == [(0,)]


def test_one_incident_is_tried_again_from_its_instance_and_leads_back_there(keeper: Any, wiring: ports.Wiring) -> None:
    (instance,) = fail(wiring, 1)
    home = f"/work/processes/instances/{instance}"
    page = tree(keeper.get(home).content)
    (form,) = [f for f in page.xpath("//main//form") if "incidents" in f.get("action")]
    answer = keeper.post(form.get("action"), {"reason": "修好了", "back": home})
    assert answer["Location"] == home
    away = keeper.post(form.get("action"), {"reason": "x", "back": "//evil.example/"})
    assert away["Location"] == "/work/supervision/incidents"


# --- rights ---------------------------------------------------------------------------------------------------------------------


def routes() -> Iterator[tuple[str, str]]:
    sample = {"uuid": UUID(int=1), "slug": "nothing"}
    for pattern in urls_processes.urlpatterns:
        kinds = re.findall(r"<(\w+):(\w+)>", str(pattern.pattern))
        yield (
            str(pattern.name),
            reverse(f"workbench:{pattern.name}", kwargs={name: sample[kind] for kind, name in kinds}),
        )


ACTS = {"incident_act", "cause_act"}


@pytest.mark.parametrize("who", ["vaccination", "auditor", "mother"])
def test_who_has_no_right_over_processes_opens_none_of_their_pages(who: str) -> None:
    client = staff(who)
    for name, address in routes():
        answer = client.post(address) if name in ACTS else client.get(address)
        assert answer.status_code == 403, name


def test_a_supervisor_looks_and_changes_nothing() -> None:
    client = staff("supervisor")
    closed = {"process_instance_act", "process_migration", "incidents", *ACTS}
    for name, address in routes():
        answer = client.post(address) if name in ACTS else client.get(address)
        assert answer.status_code == (403 if name in closed else 200 if name in {"processes", "waiting"} else 404), name
