"""The exchange's pages: the operator admits, compares, approves and shuts out; others get nowhere near."""

from __future__ import annotations

import json
import math
import re
import time
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import lxml.html
import pytest
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st
from tests.domains.exchange.nodes.test_cascade import joined_city, name_node, put
from tests.domains.exchange.setting import SYSTEM, Exchange, enrol, make
from tests.domains.exchange.test_api import report

from furong.domains.exchange import commands as exchange
from furong.domains.exchange import issuing, models
from furong.domains.exchange.nodes import carrying, tasks
from furong.domains.exchange.nodes.values import Abroad, Relation
from furong.domains.exchange.values import MemberState, MemberView, Monitor
from furong.foundation.access.values import Actor, ActorKind
from furong.foundation.events import dispatcher
from furong.foundation.identity import queries as identity
from furong.foundation.notices import queries as notices
from furong.foundation.organizations import queries as organizations
from furong.sites.workbench import drawing_exchange
from furong_link import nodes
from furong_link.enrolment import fingerprint
from furong_link.keys import SoftwareKey
from furong_link.nation import Nation, Twin
from furong_link.traffic import TrafficBook

pytestmark = pytest.mark.usefixtures("platform")
PAGES = (
    "/work/exchange",
    "/work/exchange/nodes",
    "/work/exchange/members/new",
    "/work/exchange/members/hunan",
    "/work/exchange/gateways/hospital-1",
)


def client(username: str) -> Client:
    from django.contrib.auth import get_user_model

    found = Client(SERVER_NAME="127.0.0.1")
    found.force_login(
        get_user_model().objects.get(username=username), backend="django.contrib.auth.backends.ModelBackend"
    )
    return found


def heard(username: str) -> list[str]:
    """The templates of what an account is told about requests, the newest first."""
    while dispatcher.dispatch_once():
        pass
    found = identity.find_staff_account(username=username, actor=SYSTEM)
    assert found is not None
    messages = notices.list_messages(actor=Actor(kind=ActorKind.STAFF, account_id=found.id), limit=50)
    return [one.template for one in messages if one.template.startswith("exchange.ask")]


@pytest.fixture
def made(platform: object, monkeypatch: pytest.MonkeyPatch) -> Exchange:
    monkeypatch.setattr(issuing, "PUSH_SECONDS", 0.01)
    return make()


def test_the_operator_reads_every_page_and_a_clerk_none(made: Exchange) -> None:
    operator, clerk = client("administrator"), client("police")
    for page in PAGES:
        assert operator.get(page).status_code == 200, page
        assert clerk.get(page).status_code == 403, page
    text = operator.get("/work/exchange").content.decode()
    assert "株洲市妇幼保健院" in text
    assert text.count('class="node') == 3
    assert operator.get("/work/exchange/members/nobody").status_code == 404
    assert operator.get("/work/exchange/gateways/nobody").status_code == 404


def test_the_map_shows_members_of_every_node_in_its_box_and_a_flow_for_each_pair_that_exchanged(made: Exchange) -> None:
    name_node()
    city = joined_city()
    more = {"id": "zz-archive", "name": {"zh": "株洲市档案馆"}}
    assert put(city.document(members=[city.member, more])).status_code == 200
    book, at = TrafficBook(), time.time()
    for consumer, outcome, count in (("hunan", "ok", 3), ("zz-school", "ok", 2), ("zz-school", "provider_timeout", 1)):
        for _ in range(count):
            book.note(at=at, consumer=consumer, service="births", grant="g", outcome=outcome, seconds=0.004)
    book.note(at=at, consumer="", service="", grant="", outcome="signature_missing", seconds=0.001)
    assert report(made.keys["hospital-1"], traffic=book.take()).status_code == 204
    page = lxml.html.fromstring(client("administrator").get("/work/exchange").content)
    (chart,) = page.xpath("//*[local-name()='svg'][contains(@class, 'map')]")
    places = {
        one.get("data-member"): tuple(int(circle.get(name)) for name in ("cx", "cy", "r"))
        for one in chart.xpath(".//*[@data-member]")
        for circle in one.xpath("./*[local-name()='circle']")
    }
    assert set(places) == {"hunan", "zz-fuyou", "zz-housing", "zz-school", "zz-archive"}
    boxes = {
        one.get("data-node"): tuple(int(rect.get(name)) for name in ("x", "y", "width", "height"))
        for one in chart.xpath(".//*[@data-node]")
        for rect in one.xpath("./*[local-name()='rect']")
    }
    assert set(boxes) == {"zhuzhou"}
    x, y, width, height = boxes["zhuzhou"]
    within = {code for code, (cx, cy, _) in places.items() if x < cx < x + width and y < cy < y + height}
    assert within == {"zz-school", "zz-archive"}
    flows = {}
    for one in chart.xpath(".//*[@data-flow]"):
        consumer, provider = one.get("data-flow").split()
        numbers = [float(number) for number in re.findall(r"[\d.]+", one.get("d"))]
        ends = ((numbers[0], numbers[1]), (numbers[-2], numbers[-1]))
        for (ex, ey), code in zip(ends, (consumer, provider), strict=True):
            cx, cy, r = places[code]
            assert abs(math.hypot(ex - cx, ey - cy) - r) < 11, "a flow ends at the rim of whoever it is of"
        flows[consumer, provider] = "over" in one.get("class")
    assert flows == {("hunan", "zz-fuyou"): False, ("zz-school", "zz-fuyou"): True}
    figures = sorted(one.text_content().split(" · ")[0] for one in chart.xpath(".//*[@class='figure']"))
    assert figures == ["3", "3"]
    rows = [[cell.text_content() for cell in row] for row in page.xpath("//section[.//*[@id='map']]//tbody/tr")]
    assert [row[:5] for row in rows] == [
        ["湖南省数据局", "株洲市妇幼保健院", "births", "3", "0"],
        ["株洲市教育局", "株洲市妇幼保健院", "births", "3", "1"],
    ]


@given(st.lists(st.tuples(st.sampled_from(Relation), st.integers(1, 12)), max_size=9), st.integers(0, 12))
def test_whatever_the_nodes_the_map_holds_them_all_and_no_box_lies_on_another(
    abroad: list[tuple[Relation, int]], own: int
) -> None:
    found = drawing_exchange.draw_map(monitor_of(abroad, own))
    for box in found.boxes:
        assert box.x >= 0
        assert box.x + box.width <= found.width
        assert box.y >= 0
        assert box.y + box.height <= found.height
        others = [one for one in found.boxes if one is not box and one.y == box.y]
        assert all(one.x + one.width <= box.x or box.x + box.width <= one.x for one in others)
    assert all(0 < node.x < found.width and 0 < node.y < found.height for node in found.nodes)
    drawn = sum(1 for node in found.nodes if node.of)
    assert drawn + sum(box.more for box in found.boxes) == sum(count for _, count in abroad)
    assert len(found.nodes) - drawn == own


def monitor_of(abroad: list[tuple[Relation, int]], own: int) -> Monitor:
    """A quiet hour with so many members here and at other nodes."""
    members = tuple(
        MemberView(
            code=f"m{n}",
            organization_id=UUID(int=n),
            division_code="430000",
            name={"zh": "x"},
            state=MemberState.ACTIVE,
            admitted_at=datetime.now(UTC),
            code_until=None,
        )
        for n in range(own)
    )
    nodes_ = tuple(
        Abroad(
            node=f"n{n}",
            name={"zh": "x"},
            relation=relation,
            warnings=(),
            members=tuple((f"n{n}-{one}", {"zh": "x"}, False) for one in range(count)),
        )
        for n, (relation, count) in enumerate(abroad)
    )
    return Monitor(
        members=members,
        gateways=(),
        flows=(),
        messages=0,
        per_minute=(),
        causes={},
        outcomes=(),
        p50_ms=None,
        p95_ms=None,
        p99_ms=None,
        serial=1,
        issued_at=None,
        unreached=(),
        abroad=nodes_,
    )


def test_a_member_is_admitted_its_gateway_compared_and_approved_on_pages_alone(made: Exchange) -> None:
    operator, now = client("administrator"), datetime.now(UTC)
    body = organizations.get_responsible(department="police", division_code="430202")
    found = operator.get("/work/exchange/members/new", {"text": body.name.zh}).content.decode()
    assert str(body.id) in found
    shown = operator.post("/work/exchange/members/new", {"organization": str(body.id), "code": "ht-police"})
    code = re.search(r"[A-Z2-9]{4}(?:-[A-Z2-9]{4}){3}", shown.content.decode())
    assert code is not None
    assert code[0] not in operator.get("/work/exchange/members/ht-police").content.decode()  # shown once
    key, _ = enrol("ht-police-1", code[0], now=now)
    page = "/work/exchange/gateways/ht-police-1"
    assert "ht-police-1" in operator.get("/work/exchange").content.decode()
    wrong = operator.post(page, {"act": "approve", "fingerprint": "0000 0000"})
    assert wrong.status_code == 422
    said = fingerprint(algorithm=key.algorithm, public=key.public)[:9]
    assert operator.post(page, {"act": "approve", "fingerprint": said}).status_code == 302
    assert models.Gateway.objects.get(code="ht-police-1").state == "live"
    assert operator.post(page, {"act": "revoke"}).status_code == 302
    assert models.Gateway.objects.get(code="ht-police-1").state == "revoked"


def test_keys_services_and_suspension_are_one_button_away_and_refusals_change_nothing(made: Exchange) -> None:
    operator, page = client("administrator"), "/work/exchange/members/hunan"
    assert operator.post(page, {"act": "key", "key-system": "x", "key-key": "nonsense"}).status_code == 422
    assert operator.post(page, {"act": "revoke_key", "key_id": "hunan/platform/1"}).status_code == 422  # no reason
    revoked = operator.post(page, {"act": "revoke_key", "key_id": "hunan/platform/1", "revoke-reason": "遗失"})
    assert revoked.status_code == 302
    new = {"service-code": "places", "service-resource_code": "divisions", "service-gateway": "province-1"}
    assert operator.post(page, {"act": "service", **new, "service-is_platforms": "on"}).status_code == 302
    assert models.Service.objects.get(code="places").is_platforms
    assert operator.post(page, {"act": "withdraw", "service": "places"}).status_code == 302
    assert operator.post(page, {"act": "suspend"}).status_code == 302
    assert models.Member.objects.get(code="hunan").state == "suspended"
    unreached = operator.get("/work/exchange").content.decode()
    assert unreached.count("最近一次收紧未能送达") == 3
    assert operator.post(page, {"act": "resume"}).status_code == 302
    assert operator.post(page, {"act": "nothing"}).status_code == 200


def test_prometheus_is_told_of_gateways(made: Exchange) -> None:
    text = Client(SERVER_NAME="127.0.0.1").get("/metrics").content.decode()
    assert 'furong_exchange_held_serial{gateway="hospital-1"}' in text
    assert re.search(r"^furong_exchange_serial [1-9]", text, re.MULTILINE)


def test_nodes_are_named_admitted_compared_asked_and_left_on_one_page(
    made: Exchange, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(carrying, "TIMEOUT_SECONDS", 1.0)
    operator, page = client("administrator"), "/work/exchange/nodes"
    name = {"act": "name", "code": "hunan", "level": "province", "zh": "湖南省", "address": "http://127.0.0.1:1"}
    assert operator.post(page, {**name, "address": "nowhere"}).status_code == 422
    assert operator.post(page, name).status_code == 302
    admit = {"act": "admit", "admit-code": "zhuzhou", "admit-level": "city", "admit-zh": "株洲市"}
    assert operator.post(page, {**admit, "admit-level": "province"}).status_code == 422  # not below
    shown = operator.post(page, admit).content.decode()
    code = re.search(r"[A-Z2-9]{4}(?:-[A-Z2-9]{4}){3}", shown)
    assert code is not None
    key = SoftwareKey.generate(key_id=nodes.key_id_of("zhuzhou"))
    joining = nodes.Joining(
        node="zhuzhou",
        level="city",
        zh="株洲市",
        en="",
        address="http://127.0.0.1:1",
        algorithm=key.algorithm,
        public=key.public,
    )
    sent = json.dumps(nodes.seal_joining(joining, code=code[0], signer=key))
    assert operator.post(nodes.JOININGS, data=sent, content_type="application/json").status_code == 201
    assert "等待批准" in operator.get(page).content.decode()
    approve = {"act": "approve", "node": "zhuzhou", "approve-fingerprint": "0000 0000"}
    assert operator.post(page, approve).status_code == 422
    said = fingerprint(algorithm=key.algorithm, public=key.public)[:9]
    assert operator.post(page, {**approve, "approve-fingerprint": said}).status_code == 302
    join = {"act": "join", "join-address": "http://127.0.0.1:1", "join-code": code[0]}
    assert operator.post(page, join).status_code == 422  # nobody answers there
    twin = Twin(Nation(tmp_path / "nation"))
    twin.start()
    try:
        join |= {"join-address": twin.nation.address, "join-code": twin.nation.state["code"]}
        assert operator.post(page, join).status_code == 302
        tasks.keep(now=datetime.now(UTC))
        ask = {"act": "ask", "ask-resource": "national_residence", "ask-consumer": "hunan", "ask-days": "30"}
        assert operator.post(page, ask).status_code == 422
        ask |= {"ask-items": "province", "ask-scenario": "入学核验", "ask-legal_basis": "条例第二十一条"}
        assert operator.post(page, ask).status_code == 302
        for _ in range(2):
            tasks.keep(now=datetime.now(UTC))
        # A department's steward asks, the operator lets it go or says why not.
        steward, offered = client("steward"), "/work/exchange/offered"
        assert "尚未接入数据交换" in steward.get(offered).content.decode()
        body = organizations.get_responsible(department="police", division_code="430000")
        exchange.admit_member(code="gat", organization_id=body.id, actor=SYSTEM, now=datetime.now(UTC))
        given = {"act": "propose", "ask-resource": "national_residence", "ask-days": "30", "ask-scenario": "迁入核验"}
        assert steward.post(offered, given).status_code == 422
        given |= {"ask-items": "province", "ask-legal_basis": "户口登记条例第十条"}
        assert steward.post(offered, given).status_code == 302
        assert steward.post(offered, given).status_code == 422  # one at a time
        assert "迁入核验" in steward.get(offered).content.decode()
        ask_id = re.search(r'name="ask" value="([0-9a-f-]{36})"', operator.get(page).content.decode())
        assert ask_id is not None
        assert steward.post(page, {"act": "carry", "ask": ask_id[1]}).status_code == 403
        assert operator.post(page, {"act": "decline", "decline-ask": ask_id[1]}).status_code == 422
        told = {"act": "decline", "decline-ask": ask_id[1], "decline-reason": "请先核对本省登记"}
        assert operator.post(page, told).status_code == 302
        assert "请先核对本省登记" in steward.get(offered).content.decode()
        assert steward.post(offered, given).status_code == 302
        ask_id = re.search(r'name="ask" value="([0-9a-f-]{36})"', steward.get(offered).content.decode())
        assert ask_id is not None
        assert steward.post(offered, {"act": "withdraw", "ask": ask_id[1]}).status_code == 302
        assert operator.post(page, {"act": "carry", "ask": ask_id[1]}).status_code == 422
        # The operator hears that one waits, the department's stewards what became of it.
        assert heard("administrator") == ["exchange.ask_proposed"] * 2
        assert heard("steward") == ["exchange.ask_declined"]
        # The key of this node hands over; the city's is lost and waits for a new one.
        assert operator.post(page, {"act": "rotate", "rotate-grace_days": "31"}).status_code == 422
        assert operator.post(page, {"act": "rotate", "rotate-grace_days": "7"}).status_code == 302
        assert twin.nation.state["nodes"]["hunan"]["trust"]["number"] == 2
        assert operator.post(page, {"act": "lost"}).status_code == 422
        assert operator.post(page, {"act": "rejoin", "rejoin-code": "AAAA-BBBB-CCCC-DDDD"}).status_code == 422
        rekey = {"act": "rekey", "node": "zhuzhou", "rekey-why": "lost"}
        assert operator.post(page, {**rekey, "rekey-why": "x"}).status_code == 422
        assert re.search(r"[A-Z2-9]{4}(?:-[A-Z2-9]{4}){3}", operator.post(page, rekey).content.decode())
        assert "等待新密钥" in operator.get(page).content.decode()
        assert "其密钥已停用" in operator.get("/work/exchange").content.decode()  # where the operator looks first
    finally:
        twin.stop()
    assert re.search(r'furong_exchange_node_age_seconds{node="nation"', operator.get("/metrics").content.decode())
    assert (
        'furong_exchange_node_warning{kind="node_rekeying",node="zhuzhou"' in operator.get("/metrics").content.decode()
    )
    text = operator.get(page).content.decode()
    assert "已准予" in text
    assert "入学核验" in text
    for node in ("nation", "zhuzhou"):
        assert operator.post(page, {"act": "revoke", "node": node}).status_code == 302
    assert "国家数据交换节点" not in operator.get(page).content.decode()
    assert operator.post(page, {"act": "revoke", "node": "nation"}).status_code == 422
