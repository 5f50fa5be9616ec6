"""A resource from draft to review to force: who may do what, what is kept, and what a change would touch."""

from __future__ import annotations

from datetime import date

import pytest
from django.db import connection

from furong.domains.catalogue import commands, drafts, queries
from furong.domains.catalogue.errors import (
    ActImpossible,
    ChangedMeanwhile,
    DraftRefused,
    NothingChanged,
    ReasonNeeded,
    ResourceMissing,
)
from furong.domains.catalogue.states import Act, OnlineState, PublishState
from furong.domains.catalogue.views import Filter, ResourceView
from furong.foundation.access.errors import AccessRefused
from furong.foundation.access.values import Actor, PostRight
from furong.foundation.audit.commands import COMMANDS
from furong.foundation.packs import commands as packs
from furong.foundation.packs import queries as released
from furong.foundation.packs.errors import PackDrift
from tests.conftest import PACK
from tests.domains.catalogue.reading import NOW
from tests.domains.catalogue.test_queries import SYSTEM, officer, reviewer, staff

pytestmark = pytest.mark.usefixtures("platform")

CODE = "insured_persons"


def file(code: str = CODE) -> str:
    digest = queries.get_resource(actor=SYSTEM, code=code).digest
    return released.get_definition(digest=digest).content.decode()


def changed(old: str, new: str, code: str = CODE) -> bytes:
    text = file(code)
    assert text.count(old) == 1
    return text.replace(old, new).encode()


def save(content: bytes, actor: Actor, code: str = CODE) -> drafts.Draft:
    return commands.save_draft(code=code, content=content, actor=actor, now=NOW)


def view(actor: Actor = SYSTEM, code: str = CODE) -> ResourceView:
    return queries.get_resource(actor=actor, code=code)


def test_a_change_is_in_force_only_once_the_data_authority_approves_it() -> None:
    mine, authority = officer("medical_insurance"), reviewer()
    draft = save(changed("Place of insurance", "Area of insurance"), mine)
    assert [
        (d.what, d.item) for d in draft.change.differences
    ] == []  # the English name alone changes nothing for users
    draft = save(changed("zh: 参保地", "zh: 参保统筹区"), mine)
    assert draft.change is not None
    assert [(d.what, d.item, d.hurts) for d in draft.change.differences] == [("name", "area", False)]
    assert view().line.version == 1
    assert commands.submit_resource(code=CODE, actor=mine, now=NOW) is PublishState.CHANGE_AUDITING
    assert view().line.review_due_on == date(2026, 11, 25)  # two working days
    assert view(staff(PostRight(right="cases.handle", everywhere=True))).line.publish_state is PublishState.PUBLISHED
    assert queries.count_waiting(actor=authority) == 1
    assert queries.count_waiting(actor=mine) == 0
    assert "参保统筹区" not in repr(view(mine).items)
    assert commands.approve_resource(code=CODE, actor=authority, now=NOW) is PublishState.PUBLISHED
    found = view(mine)
    assert (found.line.version, found.pending_digest, found.line.review_due_on) == (2, "", None)
    assert "参保统筹区" in repr(found.items)
    assert found.is_live
    assert [r.version for r in released.list_releases(kind="resource", code=CODE)] == [2, 1]
    acts = [one.act for one in queries.list_history(actor=mine, code=CODE)]
    assert [act for act in acts if act != "import"] == ["approve", "submit", "draft", "draft"]
    with pytest.raises(PackDrift):
        packs.import_pack(path=PACK, actor=SYSTEM, now=NOW)


def test_a_rejected_change_keeps_what_is_in_force_and_says_why() -> None:
    mine, authority = officer("medical_insurance"), reviewer()
    save(changed("zh: 参保地", "zh: 参保统筹区"), mine)
    commands.submit_resource(code=CODE, actor=mine, now=NOW)
    with pytest.raises(ReasonNeeded):
        commands.reject_resource(code=CODE, reason=" ", actor=authority, now=NOW)
    state = commands.reject_resource(code=CODE, reason="名称与标准不一致", actor=authority, now=NOW)
    assert state is PublishState.CHANGE_REJECTED
    assert (view(mine).reason, view(mine).line.version, view(mine).is_live) == ("名称与标准不一致", 1, True)
    assert commands.submit_resource(code=CODE, actor=mine, now=NOW) is PublishState.CHANGE_AUDITING
    assert commands.call_back_resource(code=CODE, actor=mine, now=NOW) is PublishState.PUBLISHED
    assert view(mine).pending_digest


def test_a_draft_of_the_pack_is_published_and_put_online_by_review() -> None:
    mine, authority = officer("disease_control"), reviewer()
    everybody = staff(PostRight(right="cases.handle", everywhere=True))
    assert commands.submit_resource(code="vaccine_stock", actor=mine, now=NOW) is PublishState.PUB_AUDITING
    with pytest.raises(ActImpossible):
        commands.move_online(code="vaccine_stock", act=Act.PUT_ONLINE, actor=authority, now=NOW)
    commands.approve_resource(code="vaccine_stock", actor=authority, now=NOW)
    with pytest.raises(ResourceMissing):
        view(everybody, "vaccine_stock")
    state = commands.move_online(code="vaccine_stock", act=Act.ASK_ONLINE, actor=mine, now=NOW)
    assert state is OnlineState.UP_AUDITING
    with pytest.raises(ReasonNeeded):
        commands.move_online(code="vaccine_stock", act=Act.KEEP, actor=authority, now=NOW)
    state = commands.move_online(code="vaccine_stock", act=Act.PUT_ONLINE, actor=authority, now=NOW)
    assert state is OnlineState.ONLINE
    assert view(everybody, "vaccine_stock").is_live
    assert queries.list_resources(actor=everybody, filter=Filter(text="疫苗库存")).total == 1


def test_a_new_resource_of_the_workbench_goes_the_same_way() -> None:
    mine, authority = officer("medical_insurance"), reviewer()
    text = file("designated_institutions").replace("code: designated_institutions", "code: insurance_outlets")
    text = text.replace("sequence: 1", "sequence: 9").replace("zh: 医保定点机构名录", "zh: 医保经办窗口")
    draft = commands.save_draft(code="insurance_outlets", content=text.encode(), actor=mine, now=NOW)
    assert draft.change is None
    found = view(mine, "insurance_outlets")
    assert (found.line.version, found.line.publish_state) == (0, PublishState.UNPUBLISHED)
    with pytest.raises(ResourceMissing):
        view(officer("police"), "insurance_outlets")
    commands.submit_resource(code="insurance_outlets", actor=mine, now=NOW)
    commands.approve_resource(code="insurance_outlets", actor=authority, now=NOW, put_online=True)
    assert view(Actor.anonymous(), "insurance_outlets").line.version == 1
    release = released.list_releases(kind="resource", code="insurance_outlets")[0]
    assert release.path == "resources/medical_insurance/insurance_outlets.yaml"


def test_a_draft_that_breaks_a_rule_is_refused_with_its_findings() -> None:
    mine = officer("medical_insurance")
    with pytest.raises(DraftRefused) as refused:
        save(changed("methods: [interface]", "methods: [file]"), mine)
    assert [one.rule for one in refused.value.findings] == ["resource.method"]
    assert not view().pending_digest


def test_what_another_department_provides_is_not_ones_own() -> None:
    police = officer("police")
    with pytest.raises(AccessRefused):
        save(changed("zh: 参保地", "zh: 参保统筹区"), police)
    with pytest.raises(AccessRefused):
        commands.submit_resource(code=CODE, actor=police, now=NOW)
    with pytest.raises(ResourceMissing):
        commands.submit_resource(code="adoptions", actor=police, now=NOW)
    mine = officer("medical_insurance")
    with pytest.raises(AccessRefused):
        commands.approve_resource(code=CODE, actor=mine, now=NOW)
    with pytest.raises(AccessRefused):
        commands.move_online(code=CODE, act=Act.TAKE_OFFLINE, actor=mine, now=NOW, reason="x")
    # nobody can hand a resource of their own to another department
    text = changed("provider: {department: medical_insurance", "provider: {department: human_resources").decode()
    given = text.replace("item: medical_insurance, group", "item: human_resources, group").replace(
        "sequence: 1", "sequence: 8"
    )
    with pytest.raises((AccessRefused, DraftRefused)):
        save(given.encode(), mine)
    assert not view().pending_digest


def test_a_change_is_refused_when_another_version_came_into_force_meanwhile() -> None:
    mine, authority = officer("medical_insurance"), reviewer()
    save(changed("zh: 参保地", "zh: 参保统筹区"), mine)
    commands.submit_resource(code=CODE, actor=mine, now=NOW)
    packs.publish_definition(
        kind="resource",
        code=CODE,
        content=changed("zh: 参保状态", "zh: 参保缴费状态"),
        in_force_from=NOW.date(),
        actor=SYSTEM,
        now=NOW,
    )
    with pytest.raises(ChangedMeanwhile):
        commands.approve_resource(code=CODE, actor=authority, now=NOW)
    assert "参保缴费状态" in repr(view().items)
    assert view().line.publish_state is PublishState.CHANGE_AUDITING


def test_nothing_is_submitted_without_a_draft() -> None:
    mine = officer("medical_insurance")
    with pytest.raises(NothingChanged):
        commands.submit_resource(code=CODE, actor=mine, now=NOW)
    save(file().encode(), mine)
    with pytest.raises(NothingChanged):
        commands.submit_resource(code=CODE, actor=mine, now=NOW)


def test_removing_an_item_shows_the_forms_services_and_resources_it_touches() -> None:
    content = changed("  - {code: contribution_base_fen}\n", "")
    draft, _whole = drafts.check_resource(code=CODE, content=content)
    assert draft.change is not None
    assert [(d.what, d.item, d.hurts) for d in draft.change.differences] == [("removed", "contribution_base_fen", True)]
    assert draft.change.elements == {"mother.contribution_base_fen"}
    touched = {(one.kind, one.code) for one in draft.change.affected}
    assert {("item", "maternity_benefit"), ("life_event", "newborn")} <= touched
    # terms that become narrower touch everything that the resource is the source of
    narrower = changed("type: conditional", "type: none")
    draft, _whole = drafts.check_resource(code=CODE, content=narrower)
    assert draft.change is not None
    assert {"mother.insured_kind", "mother.contribution_base_fen"} <= draft.change.elements
    assert ("resource", "maternity_benefits") in {(one.kind, one.code) for one in draft.change.affected}


def test_an_update_is_due_in_ten_working_days_and_extended_once_by_five() -> None:
    mine, authority = officer("medical_insurance"), reviewer()
    with pytest.raises(AccessRefused):
        commands.require_update(code=CODE, reason="职责调整", actor=mine, now=NOW)
    commands.require_update(code=CODE, reason="职责调整", actor=authority, now=NOW)
    assert view(mine).update_due_on == date(2026, 12, 7)
    commands.extend_update(code=CODE, reason="涉及多部门", actor=authority, now=NOW)
    assert view(mine).update_due_on == date(2026, 12, 14)
    with pytest.raises(ActImpossible):
        commands.extend_update(code=CODE, reason="涉及多部门", actor=authority, now=NOW)
    save(changed("zh: 参保地", "zh: 参保统筹区"), mine)
    commands.submit_resource(code=CODE, actor=mine, now=NOW)
    commands.approve_resource(code=CODE, actor=authority, now=NOW)
    assert view(mine).update_due_on is None


def test_every_act_is_audited_with_its_effect() -> None:
    mine, authority = officer("medical_insurance"), reviewer()
    with connection.cursor() as cursor:  # after the entries of the demo's grants
        cursor.execute("SELECT max(seq) FROM audit_entry")
        before = cursor.fetchone()[0]
    save(changed("zh: 参保地", "zh: 参保统筹区"), mine)
    commands.submit_resource(code=CODE, actor=mine, now=NOW)
    commands.approve_resource(code=CODE, actor=authority, now=NOW)
    commands.move_online(code=CODE, act=Act.TAKE_OFFLINE, actor=authority, now=NOW, reason="系统升级")
    with pytest.raises(ActImpossible):
        commands.move_online(code=CODE, act=Act.TAKE_OFFLINE, actor=authority, now=NOW, reason="系统升级")
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT name, outcome FROM audit_entry WHERE name LIKE 'catalogue.%%' AND seq > %s ORDER BY seq", [before]
        )
        rows = cursor.fetchall()
    assert rows == [
        ("catalogue.save_draft", "done"),
        ("catalogue.submit_resource", "done"),
        ("catalogue.approve_resource", "done"),
        ("catalogue.move_online", "done"),
        ("catalogue.move_online", "refused"),
    ]
    assert {name for name in COMMANDS if name.startswith("catalogue.")} >= {name for name, _ in rows}
