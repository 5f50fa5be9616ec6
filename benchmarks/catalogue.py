"""Figures of the catalogue: search, lists and pages over 50,000 resources with a million items, and the check of the pack.

Resources are made from invented names and indexed as an import indexes them; then readers of every kind (strangers, clerks, a
data officer, a reviewer) search by names, items, codes and very common words, list with filters, and open pages. Each search
counts all it finds and all facets. Then organisations that hold 100,000 grants read across, each decision as a reading passes it:
any grant of the 100,000, with the looks at the newest change that a lease of a second asks for. Limits: search 50 ms, page 30 ms
(95 of 100), check 20 s, decision 50 µs (the middle one).

    python -m benchmarks.catalogue [--quick] [--resources N] [--asked N]
"""

from __future__ import annotations

import argparse
import contextlib
import json
import random
import statistics
import time
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from benchmarks.processes import cluster

NOW = datetime(2026, 6, 30, 8, 0, tzinfo=UTC)
ITEMS = 20
DEPARTMENTS = 60
GRANTS = 100_000
LIMITS = {"search_p95_ms": 50.0, "page_p95_ms": 30.0, "check_s": 20.0, "decision_us": 50.0}
PACK = Path(__file__).resolve().parents[1] / "packs" / "hunan"

_WHAT = [
    "企业",
    "个体工商户",
    "社会组织",
    "医疗机构",
    "学校",
    "教师",
    "学生",
    "就业",
    "失业",
    "养老",
    "低保",
    "残疾人",
    "婚姻",
    "出生",
    "死亡",
    "户籍",
    "居住证",
    "驾驶证",
    "机动车",
    "道路运输",
    "水库",
    "河流",
    "气象",
    "地震",
    "森林",
    "耕地",
    "宅基地",
    "不动产",
    "规划",
    "建筑",
    "施工",
    "招标",
    "采购",
    "税务",
    "社保",
    "医保",
    "公积金",
    "药品",
    "食品",
    "疫苗",
    "传染病",
    "献血",
    "环评",
    "排污",
    "危险废物",
    "矿山",
    "特种设备",
    "消防",
    "燃气",
    "供水",
    "供电",
    "公交",
    "高速公路",
    "桥梁",
    "港口",
    "旅游",
    "文物",
    "图书馆",
    "体育",
    "农药",
    "种子",
]
_HOW = [
    "登记",
    "许可",
    "备案",
    "处罚",
    "检查",
    "统计",
    "监测",
    "名录",
    "缴费",
    "待遇",
    "补贴",
    "证书",
    "资质",
    "信用",
    "投诉",
    "变更",
    "注销",
    "年报",
    "台账",
    "档案",
]
_FIELD = [
    "名称",
    "编号",
    "类型",
    "日期",
    "地址",
    "联系电话",
    "负责人",
    "状态",
    "金额",
    "数量",
    "等级",
    "有效期",
    "起始日期",
    "截止日期",
    "经办机构",
    "行政区划",
    "备注",
    "结果",
    "依据",
    "原因",
    "面积",
    "长度",
    "重量",
    "经度",
    "纬度",
    "比例",
    "次数",
    "单位",
    "用途",
    "来源",
    "品牌",
    "型号",
    "批次",
    "频率",
    "浓度",
    "流量",
    "水位",
    "温度",
    "湿度",
    "时长",
]


def main() -> None:
    """Run, print a table, end with one line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--resources", type=int)
    parser.add_argument("--asked", type=int)
    given = parser.parse_args()
    count = given.resources or (5_000 if given.quick else 50_000)
    asked = given.asked or (100 if given.quick else 400)
    with cluster():
        figures: dict[str, Any] = {"resources": count, "items": count * ITEMS}
        began = time.perf_counter()
        fill(count)
        figures["index_per_s"] = round(count / (time.perf_counter() - began))
        times = ask(count, asked)
        print(f"{'what':<44}{'p50 ms':>9}{'p95 ms':>9}")
        for name, values in times.items():
            print(f"{name:<44}{statistics.median(values):>9.2f}{p95(values):>9.2f}")
        searches = [value for name, values in times.items() if name.startswith("search") for value in values]
        pages = [value for name, values in times.items() if name.startswith("page") for value in values]
        figures["search_p50_ms"] = round(statistics.median(searches), 2)
        figures["search_p95_ms"] = round(p95(searches), 2)
        figures["page_p50_ms"] = round(statistics.median(pages), 2)
        figures["page_p95_ms"] = round(p95(pages), 2)
        figures["check_s"] = round(check(), 2)
        figures |= decide(20_000 if given.quick else GRANTS, 20_000 if given.quick else 200_000)
    figures["limits"] = LIMITS
    figures["met"] = all(figures[name] <= limit for name, limit in LIMITS.items())
    print(json.dumps(figures))


def p95(values: list[float]) -> float:
    """Give what 95 of 100 values do not exceed."""
    return statistics.quantiles(values, n=20)[18] if len(values) > 1 else values[0]


def department(number: int) -> UUID:
    """Give the organisation of a department."""
    return UUID(int=number + 1)


def fill(count: int) -> None:
    """Make and index resources, by the code that an import runs."""
    from django.db import connection, transaction

    from furong.domains.catalogue import indexing
    from furong.domains.catalogue.resources import values as v
    from furong.domains.catalogue.resources.reading import Catalog
    from furong.domains.catalogue.values import Dictionary, LegalBasis
    from furong.foundation.packs.reading import FALLBACK
    from furong.foundation.packs.values import both

    chance = random.Random(11)
    law = LegalBasis(law=both("法", "Law"), clause=both("第一条", "art. 1"))
    exception = v.OpenException(
        reason=both("个人信息", "Personal"), law=both("法", "Law"), clause=both("第一条", "art. 1")
    )
    groups = (v.ClassGroup(code="001", name=both("目", "Group")),)
    classes = v.ClassList(
        code="department",
        items=tuple(v.ClassItem(item=f"d{n}", number=f"{n:02}", groups=groups) for n in range(DEPARTMENTS)),
    )
    catalog = Catalog(frame=FALLBACK, resources={}, classes=[classes], dictionary=Dictionary([]))
    closed = v.OpenTerms(type=v.Openness.CLOSED, exceptions=(exception,))

    def resource(number: int) -> v.Resource:
        subject, deed, place = chance.choice(_WHAT), chance.choice(_HOW), chance.randrange(DEPARTMENTS)
        sharing = chance.choices(list(v.SharingType), (60, 35, 5))[0]
        is_database = chance.random() < 0.7
        items = []
        for n in range(ITEMS):
            own = v.Sharing(type=v.SharingType.NONE, legal_basis=(law,)) if chance.random() < 0.03 else None
            name = chance.choice(_WHAT) * (chance.random() < 0.5) + chance.choice(_FIELD)
            items.append(
                v.ResourceItem(
                    code=f"f{n}", name=both(name, f"Field {n}"), type=chance.choice(list(v.ItemType)), sharing=own
                )
            )
        return v.Resource(
            code=f"r{number}",
            name=both(f"{subject}{chance.choice(_WHAT)}{deed}信息", f"Resource {number}"),
            summary=both(
                f"全省{subject}{deed}的{chance.choice(_FIELD)}、{chance.choice(_FIELD)}等信息。", f"About {number}"
            ),
            class_=v.ResourceClass(
                kind=v.ClassKind.DEPARTMENT, item=f"d{place}", group="001", sequence=1 + number // DEPARTMENTS
            ),
            number=None,
            provider=v.Provider(department=f"d{place}"),
            format=v.Format(
                kind=v.FormatClass.DATABASE if is_database else v.FormatClass.SPREADSHEET,
                format="postgresql" if is_database else "csv",
            ),
            sharing=v.Sharing(type=sharing, legal_basis=(law,), methods=(v.SharingMethod.FILE,)),
            openness=v.OpenTerms() if chance.random() < 0.4 and sharing is not v.SharingType.NONE else closed,
            cycle=chance.choice(list(v.Cycle)),
            cycle_note=None,
            published_on=date(2026, 1, 1),
            register="",
            related=tuple(f"r{chance.randrange(count)}" for _ in range(2)),  # type: ignore[misc]  # lines do not matter here
            items=tuple(items),
            collection=(),
            entry=v.Entry.APPROVED if chance.random() < 0.97 else v.Entry.DRAFT,
            keywords=(chance.choice(_HOW),),
        )

    for start in range(0, count, 2_500):
        made = []
        for number in range(start, min(start + 2_500, count)):
            resolved = catalog.resolve(resource(number))
            place = int(resolved.provider.department[1:])
            made.append(
                indexing.make(
                    resolved=resolved,
                    catalog=catalog,
                    owner=indexing.Owner(organization_id=department(place), division_code="430000"),
                    digest=f"{number:064}",
                    version=1,
                    provider_names=[f"第{place}厅"],
                    approved=True,
                )
            )
        with transaction.atomic():
            indexing.write(made, now=NOW, by="bench")
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE catalogue_resource, catalogue_hit, catalogue_item, catalogue_carried")


def ask(count: int, asked: int) -> dict[str, list[float]]:
    """Time searches, lists and pages of every kind of reader."""
    from furong.domains.catalogue import queries
    from furong.domains.catalogue.errors import ResourceMissing
    from furong.domains.catalogue.views import Filter
    from furong.foundation.access.commands import set_post_rights
    from furong.foundation.access.values import Actor, ActorKind, PostRight

    chance = random.Random(5)

    def staff(number: int, *rights: PostRight) -> Actor:
        set_post_rights(post_id=UUID(int=1000 + number), rights=rights, now=NOW)
        return Actor(kind=ActorKind.STAFF, account_id=UUID(int=1), post_id=UUID(int=1000 + number))

    readers = {
        "stranger": Actor.anonymous(),
        "clerk": staff(1, PostRight(right="cases.handle", everywhere=True)),
        "officer": staff(2, PostRight(right="catalogue.edit", organization_id=department(7))),
        "reviewer": staff(3, PostRight(right="catalogue.review", everywhere=True)),
    }
    kinds: dict[str, Callable[[], Filter]] = {
        "search: a subject": lambda: Filter(text=chance.choice(_WHAT)),
        "search: subject and act": lambda: Filter(text=f"{chance.choice(_WHAT)} {chance.choice(_HOW)}"),
        "search: an item": lambda: Filter(text=chance.choice(_WHAT) + chance.choice(_FIELD)),
        "search: a phrase": lambda: Filter(
            text=f"{chance.choice(_WHAT)}{chance.choice(_WHAT)}{chance.choice(_HOW)}信息"
        ),
        "search: a word that all have": lambda: Filter(text="信息"),
        "search: a resource code": lambda: Filter(text=f"3{chance.randrange(DEPARTMENTS):02}001"),
        "search: narrowed": lambda: Filter(text=chance.choice(_WHAT), sharing="conditional", cycle="daily"),
        "search: nothing typed": lambda: Filter(),
        "search: a department's": lambda: Filter(department=f"d{chance.randrange(DEPARTMENTS)}"),
    }
    times: dict[str, list[float]] = {}

    def timed(name: str, call: Callable[[], Any]) -> Any:
        began = time.perf_counter()
        result = call()
        times.setdefault(name, []).append((time.perf_counter() - began) * 1000)
        return result

    def page(actor: Actor) -> None:
        with contextlib.suppress(ResourceMissing):
            queries.get_resource(actor=actor, code=f"r{chance.randrange(count)}")

    for turn in range(asked + 5):
        reader = list(readers)[turn % len(readers)]
        for name, make in kinds.items():
            wanted = make()
            found = timed(name, lambda w=wanted, r=reader: queries.list_resources(actor=readers[r], filter=w))
            if name == "search: nothing typed" and not found.total:
                raise RuntimeError("the catalogue is empty")
        timed(f"page: as {reader}", lambda r=reader: page(readers[r]))
        if turn < 5:
            times.clear()
    return times


def decide(grants: int, asked: int) -> dict[str, Any]:
    """Time decisions over many grants: never asked by this process, then any of them at random; and what a revocation takes.

    Half are within the terms, half ask for an item too much; leases run out while it lasts; each answer is looked at.
    """
    from django.db import transaction

    from furong.foundation.access import sharing, using
    from furong.foundation.access.errors import ItemNotGranted
    from furong.foundation.access.granting import put_grants, put_resources
    from furong.foundation.access.terms import CompiledGrant, Party, Rank, SharedResource
    from furong.foundation.access.values import Actor, ActorKind, Basis

    chance = random.Random(3)
    resources = max(1, grants // 100)
    items = {f"f{n}": Rank.UNCONDITIONAL for n in range(ITEMS)}
    bodies = [UUID(int=5_000 + n) for n in range(100)]
    found_before = list(sharing.parties())
    sharing.identify_parties_by(
        lambda one: Party(organization_id=one, department=f"d{one.int % 40}", division_code="430200")
    )
    put_resources(
        resources=[
            SharedResource(
                code=f"g{n}", organization_id=UUID(int=4), department="provider", division_prefix="43", live=True,
                rank=Rank.UNCONDITIONAL, items=items,
            )
            for n in range(resources)
        ],
        now=NOW,
    )  # fmt: skip
    made = [
        CompiledGrant(
            id=UUID(int=1_000_000 + n),
            resource=f"g{n // 100}",
            organization_id=bodies[n % 100],
            items=frozenset(f"f{i}" for i in range(5)),
            divisions=("4302", "4303"),
            valid_from=datetime(2026, 1, 1, tzinfo=UTC),
            valid_until=datetime(2027, 1, 1, tzinfo=UTC),
        )
        for n in range(grants)
    ]
    for start in range(0, grants, 10_000):
        with transaction.atomic():
            put_grants(grants=made[start : start + 10_000], now=NOW)
    basis = Basis(purpose="bench", case_id=UUID(int=9))
    actors = {
        one: Actor(kind=ActorKind.STAFF, account_id=UUID(int=1), post_id=UUID(int=1), organization_id=one)
        for one in bodies
    }

    def one(number: int) -> float:
        grant = made[number]
        allowed = number % 2 == 0
        fields = ("f0", "f1", "f2") if allowed else ("f0", "f9")
        actor = actors[grant.organization_id]
        began = time.perf_counter()
        try:
            found = sharing.decide_sharing(
                actor=actor, resource=grant.resource, fields=fields, basis=basis, now=NOW, divisions=("430202",)
            ).grant_id
        except ItemNotGranted:
            found = None
        took = (time.perf_counter() - began) * 1_000_000
        if (found == grant.id) is not allowed:
            raise RuntimeError("a decision is wrong")
        return took

    order = list(range(grants))
    chance.shuffle(order)
    cold = [one(number) for number in order]
    using.flush()
    warm = [one(chance.randrange(grants)) for _ in range(asked)]
    began = time.perf_counter()
    put_grants(drop=[made[0].id], now=NOW)
    revoked = time.perf_counter() - began
    try:
        one(0)
    except Exception as refused:
        if "grant_missing" not in str(getattr(refused, "code", "")):
            raise
    else:
        raise RuntimeError("a revoked grant was used")
    sharing.identify_parties_by(*found_before)
    print(f"{'decision: any of the grants':<44}{statistics.median(warm) / 1000:>9.4f}{p95(warm) / 1000:>9.4f}")
    print(f"{'decision: never asked before':<44}{statistics.median(cold) / 1000:>9.4f}{p95(cold) / 1000:>9.4f}")
    return {
        "grants": grants,
        "decision_us": round(statistics.median(warm), 1),
        "decision_p95_us": round(p95(warm), 1),
        "decision_cold_us": round(statistics.median(cold), 1),
        "revoke_s": round(revoked, 2),
    }


def check() -> float:
    """Time the check of the whole pack, as `furong check` runs it."""
    from furong.foundation.packs.queries import check_pack

    began = time.perf_counter()
    errors = [one for one in check_pack(PACK) if one.is_error]
    if errors:
        raise RuntimeError(errors[0].format())
    return time.perf_counter() - began


if __name__ == "__main__":
    main()
