"""The province below the nation's twin, and a city below the province: what flows down and up, and what a withdrawal does."""

from __future__ import annotations

import contextlib
import json
import threading
import time
from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from django.test import Client, override_settings

from furong.domains.catalogue.grants import requesting
from furong.domains.exchange import asking, compiling, issuing, models
from furong.domains.exchange import commands as exchange
from furong.domains.exchange import queries as monitoring
from furong.domains.exchange.errors import FingerprintDiffers, MemberNotFound
from furong.domains.exchange.nodes import carrying, commands, errors, keys, queries, requests, tasks
from furong.domains.exchange.nodes import models as tables
from furong.domains.exchange.nodes.values import AskState
from furong.foundation.access.errors import AccessRefused
from furong.foundation.access.values import Actor, ActorKind, Assurance
from furong.foundation.codes.ids import new_id
from furong.foundation.organizations import queries as organizations
from furong_link import enrolment, nodes
from furong_link.certificates import make_certificate
from furong_link.client import Link, Refused
from furong_link.configuration import read_configuration
from furong_link.errors import ConfigurationError
from furong_link.gateway import Gateway, Settings
from furong_link.handover import KeyName, hand_over
from furong_link.keys import SoftwareKey, verifier
from furong_link.message import PeerDoor
from furong_link.nation import GATEWAY, Nation, Twin, free_port
from tests.domains.exchange.setting import SYSTEM, Exchange, make
from tests.domains.exchange.test_api import ask, report
from tests.domains.exchange.test_commands import grants
from tests.link.running import Running

pytestmark = pytest.mark.usefixtures("platform")
ALL = ["is_registered", "state", "province", "registered_on"]
ASK = {"consumer": "hunan", "days": 30, "scenario": "核验外省婚姻登记", "legal_basis": "婚姻登记条例第十七条"}


@pytest.fixture
def made(platform: object, monkeypatch: pytest.MonkeyPatch) -> Exchange:
    monkeypatch.setattr(issuing, "PUSH_SECONDS", 0.01)
    monkeypatch.setattr(carrying, "TIMEOUT_SECONDS", 2.0)
    found = make()
    name_node()
    return found


@pytest.fixture
def nation(tmp_path: Path) -> Iterator[Twin]:
    twin = Twin(Nation(tmp_path / "nation"))
    twin.start()
    yield twin
    twin.stop()


def name_node(**changes: Any) -> None:
    given = {"code": "hunan", "level": "province", "zh": "湖南省", "en": "Hunan", "address": "http://127.0.0.1:1"}
    commands.name_node(**{**given, **changes}, actor=SYSTEM, now=datetime.now(UTC))


def now() -> datetime:
    return datetime.now(UTC)


class Province:
    """The province's own gateway, which its systems ask, with a certificate that the nation's gateway knows."""

    def __init__(self, made: Exchange, folder: Path, *, rows: int = 0) -> None:
        folder.mkdir()
        operator = KeyName("ed25519", issuing.operator_public())
        self.key, self.desk = made.keys["province-1"], made.keys["platform"]
        port, peer = free_port(), free_port()
        self.address = f"http://127.0.0.1:{port}"
        der = make_certificate(folder / "peer.pem", folder / "peer-tls.key", name="province-1")
        told = {"address": f"https://127.0.0.1:{peer}", "certificate": b64encode(der).decode()}
        assert report(self.key, peer=told).status_code == 204
        self.running = Running(
            lambda: Gateway(
                settings=Settings(
                    id="province-1",
                    authority="127.0.0.1:1",
                    folder=folder,
                    port=port,
                    upstreams={"marriages": f"http://127.0.0.1:{rows}"} if rows else {},
                    peers=PeerDoor(
                        host="127.0.0.1", port=peer, certificate=folder / "peer.pem", key=folder / "peer-tls.key"
                    ),
                ),
                signer=self.key,
                operator=operator,
            )
        )

    def refresh(self) -> None:
        issuing.issue(now=now())
        file = issuing.newest_file(beyond=0)
        assert file is not None
        self.running.do(lambda: self.running.gateway.take_configuration(file[1]))

    def link(self) -> Link:
        return Link(self.address, signer=self.desk, gateway_key=self.key.verifier(), authority="127.0.0.1:1")


def test_a_question_to_the_nation_is_granted_carried_answered_recorded_on_both_sides_and_withdrawn(
    made: Exchange, nation: Twin, tmp_path: Path
) -> None:
    with pytest.raises(errors.EnrolmentRefused):
        commands.join_upper(address=nation.nation.address, code="AAAA-BBBB-CCCC-DDDD", actor=SYSTEM, now=now())
    code = nation.nation.state["code"]
    assert commands.join_upper(address=nation.nation.address, code=code, actor=SYSTEM, now=now()) == "nation"
    with pytest.raises(errors.NodeKnown):
        commands.join_upper(address=nation.nation.address, code=code, actor=SYSTEM, now=now())
    province = Province(made, tmp_path / "province")
    assert tasks.keep(now=now())  # the catalogue came down, and who our members are went up
    shown = queries.get_cascade(actor=SYSTEM, now=now())
    assert shown.upper is not None
    assert [one.code for one in shown.entries] == ["national_marriage", "national_residence"]
    with pytest.raises(errors.EntryNotFound):
        requests.ask_node(resource="national_marriage", items=["salary"], **ASK, actor=SYSTEM, now=now())
    with pytest.raises(MemberNotFound):
        requests.ask_node(resource="national_marriage", items=ALL, **{**ASK, "consumer": "no"}, actor=SYSTEM, now=now())
    grant = str(requests.ask_node(resource="national_marriage", items=ALL[:3], **ASK, actor=SYSTEM, now=now()))
    tasks.keep(now=now())
    assert tasks.keep(now=now())  # the state and the grant come back
    (asked,) = queries.get_cascade(actor=SYSTEM, now=now()).asks
    assert (asked.state, asked.number[:2]) == (AskState.GRANTED, "GJ")
    made.keys["platform"].write(tmp_path / "platform.key")

    with override_settings(EXCHANGE_KEY=tmp_path / "platform.key"):
        (way,) = asking.ways_to("national_marriage")
    assert (way.grant, way.provider) == (grant, "mca")

    assert (queries.get_node(node="nation", actor=SYSTEM, now=now()).certificate_days or 0) > 800

    province.running.start()
    try:
        province.refresh()
        with province.link() as link:
            answer = link.get("/national-marriage/one/4c9e", grant=grant)
            (row,) = answer.json()["rows"]
            assert set(row) == {"is_registered", "state", "province"}  # the field that was not asked for stays away
            here = link.receipt(answer).record
            assert (here["peer"], here["consumer"], here["grant"]) == (GATEWAY, "hunan", grant)
            log = nation.gateway.log
            there = json.loads(log.record_text(here["peer_index"]))
            assert (there["kind"], there["consumer"], there["key"]) == ("answered", "hunan", "province-1/gateway/1")
            assert log.tree.leaf(here["peer_index"]).hex() == here["peer_leaf"]

            nation.nation.withdraw(grant)
            nation.refresh()
            assert nation.nation.tell() == ["hunan"]  # nobody listens where the province said: it is listed
            with pytest.raises(Refused) as refused:
                link.get("/national-marriage/one/4c9e", grant=grant)
            assert refused.value.problem.code == "grant_unknown"
            # The pushed document, as it would have arrived.
            _, file = nation.nation.document("hunan")
            put = Client(SERVER_NAME="127.0.0.1").put(nodes.DOCUMENT, data=file, content_type="application/json")
            assert put.status_code == 200
            assert set(put.json()["unreached"]) == {
                "hospital-1",
                "housing-1",
                "province-1",
            }  # none listens in this test
            province.refresh()
            assert province.running.gateway.configuration.grants.get(grant) is None
    finally:
        province.running.stop()
    assert queries.get_cascade(actor=SYSTEM, now=now()).asks[0].state is AskState.REFUSED
    # Left behind, the nation is out of the next configuration.
    commands.revoke_node(node="nation", actor=SYSTEM, now=now())
    file = issuing.newest_file(beyond=0)
    assert file is not None
    operator = verifier(algorithm="ed25519", public=issuing.operator_public())
    assert "mca" not in read_configuration(file[1], operator=operator).members


class City:
    """A city's node as the protocol knows it, below this platform."""

    def __init__(self) -> None:
        self.key = SoftwareKey.generate(key_id=nodes.key_id_of("zhuzhou"))
        self.desk = SoftwareKey.generate(key_id="zz-school/desk/1")
        self.serial = 0
        self.member: dict[str, Any] = {"id": "zz-school", "name": {"zh": "株洲市教育局"}}

    def joining(self, code: str) -> dict[str, Any]:
        asked = nodes.Joining(
            node="zhuzhou",
            level="city",
            zh="株洲市",
            en="Zhuzhou",
            address="http://127.0.0.1:1",
            algorithm=self.key.algorithm,
            public=self.key.public,
        )
        asked = replace(asked, number=self.key.key_id.rpartition("/")[2])
        return nodes.seal_joining(asked, code=code, signer=self.key)

    def document(
        self,
        *,
        signer: SoftwareKey | None = None,
        recipient: str = "hunan",
        handovers: Sequence[Mapping[str, Any]] = (),
        **more: Any,
    ) -> bytes:
        self.serial += 1
        parts = {
            "members": [self.member],
            "keys": [
                {
                    "id": self.desk.key_id,
                    "member": "zz-school",
                    "algorithm": self.desk.algorithm,
                    "public": self.desk.public,
                    "valid_from": "2020-01-01T00:00:00+00:00",
                    "valid_until": "2100-01-01T00:00:00+00:00",
                }
            ],
            "nodes": [{"code": "zhuzhou", "level": "city", "name": {"zh": "株洲市"}}],
            **more,
        }
        return nodes.sign_document(
            parts,
            sender="zhuzhou",
            recipient=recipient,
            serial=self.serial,
            issued_at=now(),
            signer=signer or self.key,
            handovers=handovers,
        )


def put(file: bytes) -> Any:
    return Client(SERVER_NAME="127.0.0.1").put(nodes.DOCUMENT, data=file, content_type="application/json")


def joined_city() -> City:
    city = City()
    code = commands.admit_node(code="zhuzhou", level="city", zh="株洲市", en="Zhuzhou", actor=SYSTEM, now=now())
    post = {"path": nodes.JOININGS, "content_type": "application/json"}
    client = Client(SERVER_NAME="127.0.0.1")
    assert client.post(data=json.dumps({**city.joining(code), "seal": "0" * 64}), **post).status_code == 403
    assert client.post(data="[]", **post).status_code == 403
    answer = client.post(data=json.dumps(city.joining(code)), **post)
    assert answer.status_code == 201
    assert enrolment.read_answer(answer.json(), code=code)["public"] == issuing.operator_public()
    assert put(city.document()).status_code == 403  # nobody compared its fingerprint yet
    with pytest.raises(FingerprintDiffers):
        commands.approve_node(node="zhuzhou", fingerprint="0000 0000", actor=SYSTEM, now=now())
    said = enrolment.fingerprint(algorithm=city.key.algorithm, public=city.key.public)[:9]
    commands.approve_node(node="zhuzhou", fingerprint=said, actor=SYSTEM, now=now())
    return city


def test_a_city_joins_by_a_code_and_a_fingerprint_and_its_document_is_taken_only_from_its_own_key(
    made: Exchange,
) -> None:
    city = joined_city()
    assert put(city.document(signer=made.keys["rental"])).status_code == 403
    assert put(city.document(recipient="hubei")).status_code == 403
    old = city.document()
    assert put(city.document()).status_code == 200
    assert put(old).status_code == 403  # older than what is held
    assert put(b"{").status_code == 403
    # What it says under a name of ours is left out, and so is what hangs on it.
    city.member = {"id": "zz-school", "suspended": True}
    stolen = SoftwareKey.generate(key_id="zz-housing/rental/9")
    more = {"members": [{"id": "zz-housing"}, city.member]}
    shown = [
        {
            "id": stolen.key_id,
            "member": "zz-housing",
            "algorithm": stolen.algorithm,
            "public": stolen.public,
            "valid_from": "2020-01-01T00:00:00+00:00",
            "valid_until": "2100-01-01T00:00:00+00:00",
        }
    ]
    assert put(city.document(**more, keys=shown)).status_code == 200
    file = issuing.newest_file(beyond=0)
    assert file is not None
    found = read_configuration(file[1], operator=verifier(algorithm="ed25519", public=issuing.operator_public()))
    assert stolen.key_id not in found.keys
    assert found.suspended == {"zz-school"}
    assert queries.get_node(node="zhuzhou", actor=SYSTEM, now=now()).left_out == (f"keys/{stolen.key_id}",)
    # When its document is over, so is what it said: nothing of it is in the next configuration.
    later = now() + timedelta(days=2)
    issuing.issue(now=later)
    file = issuing.newest_file(beyond=found.serial)
    assert file is not None
    late = read_configuration(file[1], operator=verifier(algorithm="ed25519", public=issuing.operator_public()))
    assert "zz-school" not in late.members


def test_a_citys_member_that_the_province_knows_asks_the_catalogue_and_gets_what_was_granted(made: Exchange) -> None:
    city = joined_city()
    body = organizations.get_responsible(department="housing", division_code="430200")
    models.Gateway.objects.filter(member_id="zz-housing").update(state="revoked")
    models.Key.objects.filter(member_id="zz-housing").delete()
    models.Gateway.objects.filter(member_id="zz-housing").delete()
    models.Member.objects.filter(code="zz-housing").delete()  # it is the city's member from here on
    city.member = {"id": "zz-school", "organization": body.code, "name": {"zh": "株洲市住房和城乡建设局"}}
    requests = [
        {"id": "0193c000-0000-7000-8000-000000000001", "resource": "marriages", "consumer": "zz-school"},
        {"id": "0193c000-0000-7000-8000-000000000002", "resource": "marriages", "consumer": "somebody"},
        {"id": "nonsense"},
    ]
    for one in requests[:2]:
        one |= {"items": ["registered_on"], "days": 30, "scenario": "x", "legal_basis": "y"}  # type: ignore[dict-item]
    assert put(city.document(requests=requests)).status_code == 200
    (asked,) = queries.get_cascade(actor=SYSTEM, now=now()).asks
    assert asked.origin == "zhuzhou"
    assert asked.state is AskState.OPEN
    # The grants that the catalogue holds for this organisation go down with the document.
    found = ask(city.key, "GET", nodes.DOCUMENT)
    assert found.status_code == 200
    operator = verifier(algorithm="ed25519", public=issuing.operator_public())
    document = nodes.read_document(found.content, key=operator, sender="hunan", recipient="zhuzhou")
    assert {one["consumer"] for one in document.payload["grants"]} == {"zz-school"}
    assert {one["id"] for one in document.payload["grants"]} == {one["id"] for one in grants("marriages", "zz-school")}
    assert [one["state"] for one in document.payload["answers"]] == ["open"]
    assert [one["code"] for one in document.payload["catalogue"]] == ["birth_records", "marriages"]
    row = tables.Ask.objects.get()
    assert row.request_id is not None
    requesting.refuse_request(request_id=row.request_id, reason="依据不足", actor=SYSTEM, now=now())
    tasks.keep(now=now())
    answered = nodes.read_document(
        ask(city.key, "GET", nodes.DOCUMENT).content, key=operator, sender="hunan", recipient="zhuzhou"
    )
    (told,) = answered.payload["answers"]
    assert (told["id"], told["state"], told["note"]) == (str(asked.id), "refused", "依据不足")
    assert told["number"].startswith("GX")
    found = ask(city.key, "GET", nodes.DOCUMENT)
    serial = json.loads(found["ETag"])
    assert ask(city.key, "GET", nodes.DOCUMENT, **{"If-None-Match": f'"{serial}"'}).status_code == 304
    stranger = SoftwareKey.generate(key_id=city.key.key_id)
    assert ask(stranger, "GET", nodes.DOCUMENT).status_code == 403
    assert ask(city.key, "GET", nodes.DOCUMENT, at=time.time() - 200).status_code == 403


@contextlib.contextmanager
def rows_served(row: Mapping[str, Any] | None = None) -> Iterator[int]:
    """A register behind a gateway, which has one row; gives its port."""
    found = row or {"registered_on": "2020-05-20", "place": "y"}

    class Rows(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            data = json.dumps({"rows": [found]}).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Rows)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield server.server_port
    server.shutdown()
    server.server_close()
    thread.join()


def test_the_nation_asks_the_province_is_answered_by_it_and_follows_when_the_province_changes_its_key(
    made: Exchange, tmp_path: Path
) -> None:
    body = organizations.get_responsible(department="housing", division_code="430200")
    models.Key.objects.filter(member_id="zz-housing").delete()
    models.Gateway.objects.filter(member_id="zz-housing").delete()
    models.Member.objects.filter(code="zz-housing").delete()  # the nation speaks for this organisation here
    twin = Twin(Nation(tmp_path / "nation", organization=body.code))
    nation = twin.nation
    twin.start()
    with contextlib.ExitStack() as stack:
        stack.callback(twin.stop)
        commands.join_upper(address=nation.address, code=nation.state["code"], actor=SYSTEM, now=now())
        province = Province(made, tmp_path / "province", rows=stack.enter_context(rows_served()))
        tasks.keep(now=now())  # who we are and what we offer went up
        assert [one["code"] for one in nation.state["nodes"]["hunan"]["taken"]["catalogue"]] == [
            "birth_records",
            "marriages",
        ]
        wanted = nation.ask("marriages", ["registered_on"], scenario="核验婚姻登记", legal_basis="婚姻登记条例")
        tasks.keep(now=now())  # the request came down, and who asks
        asked = tables.Ask.objects.get()
        assert (str(asked.id), asked.origin, asked.consumer, asked.state) == (wanted, "nation", "mca", "open")
        tasks.keep(now=now())  # the answer and the grant go up
        assert nation.state["asked"][wanted]["state"] == "open"
        grant = next(one for one in nation.payload()["grants"] if one["service"] == "marriages")
        assert grant["consumer"] == "mca"
        assert tables.Node.objects.get().taken["grants"] == []  # what we give does not come back
        province.running.start()
        stack.callback(province.running.stop)
        province.refresh()
        twin.refresh()
        place = f"127.0.0.1:{nation.state['ports']['gateway']}"
        link = stack.enter_context(
            Link(f"http://{place}", signer=nation.desk, gateway_key=nation.gateway_key.verifier(), authority=place)
        )
        answer = link.get("/marriages/one/4c9e", grant=grant["id"])
        assert set(answer.json()["rows"][0]) <= set(grant["fields"])
        there = link.receipt(answer).record
        assert (there["peer"], there["consumer"]) == ("province-1", "mca")
        log = province.running.gateway.log
        here = json.loads(log.record_text(there["peer_index"]))
        assert (here["kind"], here["consumer"], here["key"]) == ("answered", "mca", nation.gateway_key.key_id)

        # The operator's key hands over: the gateway and the node above go on, restarted ones too; nobody joined anew.
        name, old = compiling.exchange_name(), issuing.OperatorKey()
        with pytest.raises(errors.GraceNotValid):
            keys.rotate_operator_key(grace_days=31, actor=SYSTEM, now=now())
        assert keys.rotate_operator_key(grace_days=7, actor=SYSTEM, now=now()) == 2
        assert issuing.OperatorKey().public != old.public
        assert nation.state["nodes"]["hunan"]["trust"]["number"] == 2  # it was pushed
        province.refresh()
        assert compiling.exchange_name() == name
        province.running.stop()
        province.running.start()
        province.refresh()
        assert province.running.gateway.configuration.exchange == name
        assert tasks.keep(now=now()) is False  # our question is signed by the new key, and answered
        assert link.get("/marriages/one/4c9e", grant=grant["id"]).status == 200
        shown = queries.get_own()
        assert shown is not None
        assert (shown.key_number, shown.old_until is not None) == (2, True)
        # Lost: nothing is handed over. The node above takes the old key away and gives a code; grants stay.
        assert keys.rotate_operator_key(grace_days=0, is_lost=True, actor=SYSTEM, now=now()) == 3
        with pytest.raises(ConfigurationError, match="not signed"):
            province.refresh()
        assert nation.state["nodes"]["hunan"]["trust"]["number"] == 2
        keys.rejoin_upper(code=nation.take_key_away("hunan"), actor=SYSTEM, now=now())
        tasks.keep(now=now())
        assert nation.state["nodes"]["hunan"]["trust"]["number"] == 3
        assert any(one["service"] == "marriages" for one in nation.payload()["grants"])
        # What is withdrawn here is refused there with the next message.
        exchange.withdraw_service(code="marriages", actor=SYSTEM, now=now())
        with pytest.raises(Refused) as refused:
            link.get("/marriages/one/4c9e", grant=grant["id"])
        assert refused.value.problem.code == "grant_unknown"
    # Long after, no file hands over from the first key any more, and its private half is destroyed.
    with pytest.raises(errors.NodeNotFound):
        keys.destroy_operator_key(number=3, actor=SYSTEM, now=now())  # the one in force
    assert keys.retire(now=now() + timedelta(days=98)) == 2
    assert keys.retire(now=now() + timedelta(days=98)) == 0


def test_a_citys_key_hands_over_and_a_stolen_one_is_taken_away_and_replaced_by_a_code(made: Exchange) -> None:
    city = joined_city()
    assert put(city.document()).status_code == 200
    old, new = city.key, SoftwareKey.generate(key_id=nodes.key_id_of("zhuzhou", 2))
    names = KeyName("ed25519", old.public), KeyName("ed25519", new.public)
    given = hand_over(number=2, old=old, new=new, names=names, at=now(), until=now() + timedelta(days=1))
    assert put(city.document(signer=new)).status_code == 403  # nothing was handed over
    assert put(city.document(signer=new, handovers=[{**given, "old": given["new"]}])).status_code == 403
    assert put(city.document(signer=new, handovers=[given])).status_code == 200
    for key in (old, new):  # both within the grace
        assert put(city.document(signer=key)).status_code == 200
        assert ask(key, "GET", nodes.DOCUMENT).status_code == 200
    rival = SoftwareKey.generate(key_id=nodes.key_id_of("zhuzhou", 2))
    again = hand_over(
        number=2, old=old, new=rival, names=(names[0], KeyName("ed25519", rival.public)), at=now(), until=now()
    )
    assert put(city.document(signer=rival, handovers=[again])).status_code == 403  # a key hands over once
    tables.Node.objects.update(before_until=now())
    assert put(city.document(signer=old)).status_code == 403
    assert ask(old, "GET", nodes.DOCUMENT).status_code == 403
    # Stolen: nothing of it counts, at once; what the node asked for and its members' names stay known here.
    code = keys.revoke_node_key(node="zhuzhou", is_stolen=True, actor=SYSTEM, now=now())
    assert put(city.document(signer=new)).status_code == 403
    assert ask(new, "GET", nodes.DOCUMENT).status_code == 403
    assert "zz-school" not in {one["id"] for one in compiling.compile_configuration(now=now()).payload["members"]}
    (troubled,) = queries.list_troubled(now=now())
    assert troubled.warnings == ("node_rekeying",)
    client, post = Client(SERVER_NAME="127.0.0.1"), {"path": nodes.JOININGS, "content_type": "application/json"}
    city.key = new
    assert client.post(data=json.dumps(city.joining(code)), **post).status_code == 403  # the key that was taken away
    with pytest.raises(errors.NodeNotFound):
        commands.approve_node(node="zhuzhou", fingerprint="0000 0000", actor=SYSTEM, now=now())
    city.key = SoftwareKey.generate(key_id=nodes.key_id_of("zhuzhou", 3))
    assert client.post(data=json.dumps(city.joining(code)), **post).status_code == 201
    assert put(city.document()).status_code == 403  # nobody compared it yet
    said = enrolment.fingerprint(algorithm=city.key.algorithm, public=city.key.public)[:9]
    commands.approve_node(node="zhuzhou", fingerprint=said, actor=SYSTEM, now=now())
    assert put(city.document()).status_code == 200
    assert ask(city.key, "GET", nodes.DOCUMENT).status_code == 200
    assert {code for one in queries.list_troubled(now=now()) for code in one.warnings} <= {"node_unreached"}
    # Five minutes later its document is older than due, and the operator is told so where the operator looks.
    later = now() + timedelta(minutes=6)
    (troubled,) = queries.list_troubled(now=later)
    assert (troubled.code, troubled.warnings[0]) == ("zhuzhou", "node_late")
    assert [one.code for one in monitoring.get_monitor(actor=SYSTEM, now=later).nodes] == ["zhuzhou"]


def test_a_departments_request_waits_for_the_operator_who_lets_it_go_or_says_why_not(made: Exchange) -> None:
    city = joined_city()
    entry = {"code": "schools", "node": "zhuzhou", "name": {"zh": "学校名录"}, "provider": {}, "sharing": "conditional"}
    offers = [{**entry, "items": [{"code": "name"}]}]
    assert put(city.document(catalogue=offers)).status_code == 200
    body = organizations.get_responsible(department="housing", division_code="430200")
    steward = Actor(kind=ActorKind.SYSTEM, organization_id=body.id, assurance=Assurance.IN_PERSON, label="steward")
    other = organizations.get_responsible(department="police", division_code="430200")
    words: dict[str, Any] = {"resource": "schools", "days": 30, "scenario": "招生核验", "legal_basis": "条例"}
    with pytest.raises(errors.NoMember):
        requests.propose_ask(**words, items=["name"], actor=replace(steward, organization_id=other.id), now=now())
    clerk = replace(steward, kind=ActorKind.STAFF, account_id=new_id(), post_id=new_id())
    with pytest.raises(AccessRefused):
        requests.propose_ask(**words, items=["name"], actor=clerk, now=now())
    with pytest.raises(errors.EntryNotFound):
        requests.propose_ask(**words, items=["salary"], actor=steward, now=now())

    def sent() -> list[str]:
        tasks.keep(now=now())
        file = bytes(tables.Node.objects.get().given)
        operator = verifier(algorithm="ed25519", public=issuing.operator_public())
        found = nodes.read_document(file, key=operator, sender="hunan", recipient="zhuzhou")
        assert {one["member"] for one in found.payload["keys"]} <= {"zz-housing"}  # nobody who did not ask
        return [one["consumer"] for one in found.payload["requests"]]

    first = requests.propose_ask(**words, items=["name"], actor=steward, now=now())
    with pytest.raises(errors.AskRefused):
        requests.propose_ask(**words, items=["name"], actor=steward, now=now())  # one at a time
    assert sent() == []
    with pytest.raises(AccessRefused):
        requests.carry_ask(ask=first, actor=replace(steward, kind=ActorKind.STAFF, post_id=new_id()), now=now())
    with pytest.raises(errors.AskNotFound):
        requests.withdraw_ask(ask=first, actor=replace(steward, organization_id=other.id), now=now())
    requests.decline_ask(ask=first, reason="请先向市教育局申请", actor=SYSTEM, now=now())
    assert sent() == []
    second = requests.propose_ask(**words, items=["name"], actor=steward, now=now())
    requests.carry_ask(ask=second, actor=SYSTEM, now=now())
    assert sent() == ["zz-housing"]
    with pytest.raises(errors.AskNotFound):
        requests.withdraw_ask(ask=second, actor=steward, now=now())
    answers = [{"id": str(second), "state": "granted", "number": "ZZ-1", "note": ""}]
    assert put(city.document(answers=answers, catalogue=offers)).status_code == 200
    found = queries.get_offered(actor=steward)
    assert (found.member, [one.code for one in found.entries]) == ("zz-housing", ["schools"])
    assert [(one.state, one.number, one.note) for one in found.asks] == [
        (AskState.GRANTED, "ZZ-1", ""),
        (AskState.DECLINED, "", "请先向市教育局申请"),
    ]
