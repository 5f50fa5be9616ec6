"""Who sees what of the catalogue: every query, as every kind of reader. What is hidden leaks from none of them."""

from __future__ import annotations

from uuid import UUID

import pytest
from django.db import connection

from furong.domains.catalogue import lookup, queries
from furong.domains.catalogue.commands import move_online
from furong.domains.catalogue.errors import ResourceMissing
from furong.domains.catalogue.states import Act
from furong.domains.catalogue.views import Filter, Found, ResourceLine
from furong.foundation.access.commands import set_post_rights
from furong.foundation.access.values import Actor, ActorKind, PostRight
from furong.foundation.codes.ids import new_id
from furong.foundation.organizations import queries as organizations
from tests.domains.catalogue.reading import NOW

pytestmark = pytest.mark.usefixtures("platform")

SYSTEM = Actor.system("test")
STRANGER = Actor.anonymous()
RESIDENT = Actor(kind=ActorKind.RESIDENT, account_id=new_id(), person_id=new_id())
# Not shared with anybody; a draft; and an item that its open-to-staff resource keeps back.
HIDDEN, DRAFT, HIDDEN_ITEM = "adoptions", "vaccine_stock", ("maternal_health_records", "risk", "妊娠风险")


def staff(*rights: PostRight) -> Actor:
    post_id = new_id()
    set_post_rights(post_id=post_id, rights=rights, now=NOW)
    return Actor(kind=ActorKind.STAFF, account_id=new_id(), post_id=post_id, label="测试岗")


def organization(department: str) -> UUID:
    return organizations.get_responsible(department=department, division_code="430000").id


def officer(department: str) -> Actor:
    return staff(PostRight(right="catalogue.edit", organization_id=organization(department)))


def reviewer() -> Actor:
    return staff(PostRight(right="catalogue.review", everywhere=True))


def everything_told(actor: Actor) -> str:
    """All that any query tells this reader, as one text."""
    told: list[object] = []
    words = ("", "收养", "疫苗库存", "妊娠风险", "adoptions", "人口", "信息", "risk", "新生儿")
    for text in words:
        found = queries.list_resources(actor=actor, filter=Filter(text=text), size=100)
        told += [found.lines, found.facets if not text else {}]
    for code in (HIDDEN, DRAFT, HIDDEN_ITEM[0], "marriages", "vaccinations"):
        try:
            told += [queries.get_resource(actor=actor, code=code), queries.list_history(actor=actor, code=code)]
        except ResourceMissing as missing:
            told.append(missing.code)
    told.append(queries.list_lines(actor=actor, codes=[HIDDEN, DRAFT]))
    told.append(queries.list_suppliers(actor=actor, elements=["mother.id_number", "newborn.name"]))
    return repr(told)


@pytest.mark.parametrize("reader", ["stranger", "resident", "clerk", "officer"])
def test_nothing_hidden_reaches_readers_without_the_right(reader: str) -> None:
    actor = {
        "stranger": lambda: STRANGER,
        "resident": lambda: RESIDENT,
        "clerk": lambda: staff(PostRight(right="cases.handle", everywhere=True)),
        "officer": lambda: officer("police"),
    }[reader]()
    told = everything_told(actor)
    for secret in ("收养登记信息", "adoptions", "疫苗库存", "vaccine_stock", "妊娠风险分级", "Risk grade"):
        assert secret not in told, f"{secret} reached a {reader}"
    if reader in {"stranger", "resident"}:
        for personal in ("人口基础信息", "婚姻登记", "insured_persons"):
            assert personal not in told


def test_search_finds_nothing_by_the_words_of_a_hidden_item() -> None:
    clerk, owner = staff(PostRight(right="cases.handle", everywhere=True)), officer("health")
    by_word = Filter(text=HIDDEN_ITEM[2])
    assert queries.list_resources(actor=clerk, filter=by_word).total == 0
    assert [r.code for r in queries.list_resources(actor=owner, filter=by_word).lines] == [HIDDEN_ITEM[0]]
    assert "risk" not in [i.code for i in queries.get_resource(actor=clerk, code=HIDDEN_ITEM[0]).items]
    assert "risk" in [i.code for i in queries.get_resource(actor=owner, code=HIDDEN_ITEM[0]).items]
    assert queries.get_resource(actor=clerk, code=HIDDEN_ITEM[0]).line.items == 5


def whole(actor: Actor, filter: Filter | None = None) -> tuple[Found, list[ResourceLine]]:
    """Give the first page and the lines of all pages."""
    first = queries.list_resources(actor=actor, filter=filter or Filter(), size=100)
    lines = list(first.lines)
    for page in range(2, first.pages + 1):
        lines += queries.list_resources(actor=actor, filter=filter or Filter(), page=page, size=100).lines
    return first, lines


def test_counts_and_facets_hold_only_what_the_reader_may_see() -> None:
    for actor in (STRANGER, staff(PostRight(right="cases.handle", everywhere=True)), officer("civil_affairs"), SYSTEM):
        found, lines = whole(actor)
        assert found.total == len(lines) > 5
        for facet, values in found.facets.items():
            assert sum(values.values()) == found.total
            for value, count in values.items():
                narrowed, left = whole(actor, Filter(**{facet: value}))
                assert narrowed.total == count == len(left)
                assert {getattr(line, facet) for line in left} == {value}
    assert "none" not in queries.list_resources(actor=STRANGER).facets["sharing"]


def test_those_who_compile_or_review_see_their_own_in_any_state() -> None:
    assert queries.get_resource(actor=officer("disease_control"), code=DRAFT).is_owner
    assert queries.get_resource(actor=officer("civil_affairs"), code=HIDDEN).is_owner
    assert queries.get_resource(actor=reviewer(), code=HIDDEN).is_owner
    with pytest.raises(ResourceMissing):
        queries.get_resource(actor=officer("police"), code=DRAFT)


def test_what_goes_offline_is_gone_for_others_at_once() -> None:
    clerk = staff(PostRight(right="cases.handle", everywhere=True))
    assert queries.get_resource(actor=clerk, code="marriages").is_live
    move_online(code="marriages", act=Act.TAKE_OFFLINE, actor=reviewer(), now=NOW, reason="纠正错误")
    with pytest.raises(ResourceMissing):
        queries.get_resource(actor=clerk, code="marriages")
    assert queries.list_resources(actor=clerk, filter=Filter(text="婚姻登记")).total == 0
    assert "marriages" not in repr(queries.get_resource(actor=clerk, code="divorces").related)
    assert not any(
        s.resource.code == "marriages" for s in queries.list_suppliers(actor=clerk, elements=["father.person_id"])
    )


def test_the_one_source_of_an_element_comes_first_among_its_suppliers() -> None:
    found = queries.list_suppliers(actor=SYSTEM, elements=["mother.id_number"])
    assert (found[0].resource.code, found[0].item_code, found[0].is_source) == ("population_persons", "id_number", True)
    assert len(found) > 3
    assert not any(one.is_source for one in found[1:])
    assert queries.list_suppliers(actor=SYSTEM, elements=["no.such"]) == []


def test_registers_of_the_platform_publish_their_resources_by_themselves() -> None:
    found = queries.get_resource(actor=SYSTEM, code="population_persons")
    assert found.detail["provider"]["department"] == "police"
    assert found.organization_id == organization("police")
    assert found.line.number == "101001/000001"
    carried = {code for item in found.items for code in item.source_of}
    assert {"mother.name", "father.name", "mother.id_number", "mother.household_id"} <= carried
    assert queries.get_resource(actor=SYSTEM, code="e_licences").line.class_item == "base.e_licence"


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("婚姻", "marriages"),
        ("医保药品目录", "insurance_drugs"),
        ("接种 门诊", "vaccination_clinics"),
        ("vaccin clinic", "vaccination_clinics"),
        ("307001", "insured_persons"),
        ("ＳＫＩＬＬ", "skill_certificates"),
        ("批号", "vaccinations"),
        ("龘", None),
        ("！？", None),
        ("'; DROP TABLE x; --", None),
    ],
)
def test_search_finds_by_name_item_code_and_number(text: str, first: str | None) -> None:
    clerk = staff(PostRight(right="cases.handle", everywhere=True))
    found = queries.list_resources(actor=clerk, filter=Filter(text=text))
    assert (found.lines[0].code if found.lines else None) == first


def test_pages_hold_every_resource_once_and_in_order_of_pinyin() -> None:
    codes: list[str] = []
    pages = queries.list_resources(actor=SYSTEM, size=40).pages
    for page in range(1, pages + 1):
        found = queries.list_resources(actor=SYSTEM, page=page, size=40)
        codes += [line.code for line in found.lines]
    assert len(codes) == len(set(codes)) == found.total
    whole = queries.list_resources(actor=SYSTEM, size=100)
    assert codes[:100] == [line.code for line in whole.lines]


def test_the_index_is_the_same_when_it_is_made_anew() -> None:
    from furong.domains.catalogue.indexing import remove
    from furong.foundation.packs.commands import import_pack
    from tests.conftest import PACK

    before = repr(queries.list_resources(actor=SYSTEM, size=100))
    items = repr(queries.get_resource(actor=SYSTEM, code="birth_records").items)
    with connection.cursor() as cursor:
        cursor.execute("SELECT code FROM catalogue_resource")
        remove([row[0] for row in cursor.fetchall()])
    assert queries.list_resources(actor=SYSTEM).total == 0
    import_pack(path=PACK, actor=SYSTEM, now=NOW)
    assert repr(queries.list_resources(actor=SYSTEM, size=100)) == before
    assert repr(queries.get_resource(actor=SYSTEM, code="birth_records").items) == items


@pytest.mark.parametrize("reader", ["stranger", "clerk", "officer", "reviewer"])
def test_a_word_that_very_many_carry_finds_and_counts_the_same_and_no_more(
    reader: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From `lookup.COMMON` hits on a page is sorted by the index alone; what is found, counted and hidden stays the same."""
    actor = {
        "stranger": lambda: STRANGER,
        "clerk": lambda: staff(PostRight(right="cases.handle", everywhere=True)),
        "officer": lambda: officer("police"),
        "reviewer": reviewer,
    }[reader]()
    for text in ("信息", "登记", "医保", "妊娠风险", "收养", "名称", "risk", "Information 登记"):
        few, named = whole(actor, Filter(text=text))
        monkeypatch.setattr(lookup, "COMMON", 0)
        many, lines = whole(actor, Filter(text=text))
        pages = [
            line.code
            for page in range(1, -(-many.total // 7) + 2)
            for line in queries.list_resources(actor=actor, filter=Filter(text=text), page=page, size=7).lines
        ]
        monkeypatch.undo()
        assert (many.total, many.facets) == (few.total, few.facets), text
        assert sorted(line.code for line in lines) == sorted(line.code for line in named), text
        assert pages == [line.code for line in lines], text
        held = [text in line.name["zh"] for line in lines]
        if text.isascii() is False and " " not in text:
            assert held == sorted(held, reverse=True), f"names that hold {text} come first"


def test_the_table_of_hits_follows_whoever_changes_a_resource() -> None:
    def lines() -> list[tuple[object, ...]]:
        with connection.cursor() as cursor:
            cursor.execute(
                """SELECT r.code FROM catalogue_resource AS r FULL JOIN catalogue_hit AS h ON h.code = r.code
                    WHERE (r.facet_id, length(r.name_zh), r.audience, r.live, r.organization_id, r.division_code)
                          IS DISTINCT FROM
                          (h.facet_id, h.name_length, h.audience, h.live, h.organization_id, h.division_code)"""
            )
            return list(cursor.fetchall())

    assert lines() == []
    with connection.cursor() as cursor:
        cursor.execute("UPDATE catalogue_resource SET live = FALSE, online_state = 'offline' WHERE code = 'marriages'")
        cursor.execute("UPDATE catalogue_resource SET audience = 2, name_zh = '改了的名称' WHERE code = 'divorces'")
    assert lines() == []
    clerk = staff(PostRight(right="cases.handle", everywhere=True))
    for text in ("婚姻登记", "离婚"):
        codes = {line.code for line in queries.list_resources(actor=clerk, filter=Filter(text=text)).lines}
        assert not codes & {"marriages", "divorces"}


def test_words_lie_apart_from_what_hits_are_counted_by() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*), count(DISTINCT split_part(trim('()' FROM ctid::text), ',', 1)) FROM catalogue_hit"
        )
        rows, pages = cursor.fetchone()
    assert rows > 100
    assert rows / pages > 30, "a page holds many hits"
