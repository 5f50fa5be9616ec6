"""What the port promises, proved on each engine that stands behind it (`ENGINES`): a cluster's takes its place in this list."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from furong.domains.search.analysis.cutting import Analysis
from furong.domains.search.engine import finding, tantivy_engine
from furong.domains.search.engine.tantivy_engine import TantivyEngine, about
from furong.domains.search.errors import IndexMissingError, WriterBusyError
from furong.domains.search.planning import Thesaurus
from furong.domains.search.port import SearchEngine
from furong.domains.search.values import PUBLIC, STAFF, Document, Kind, Page, Query

TODAY = date(2026, 11, 23)
ANALYSIS = Analysis(["公积金"])
THESAURUS = Thesaurus.of(ignored=["怎么", "的"], names={"小孩": [("新生儿", 0.7)]})


def on_tantivy(folder: Path) -> SearchEngine:
    return TantivyEngine(folder, analysis=ANALYSIS, thesaurus=THESAURUS, create=True)


ENGINES: list[Callable[[Path], SearchEngine]] = [on_tantivy]


def page(key: str, title: str, text: str = "", **more: object) -> Document:
    return Document(key=key, kind=Kind.PAGE, title=title, text=text, address=f"/{key}", **more)  # type: ignore[arg-type]


DOCUMENTS = [
    Document(
        key="service:fund",
        kind=Kind.SERVICE,
        title="住房公积金提取",
        address="/guide/fund",
        text="职工购房、租房可以提取住房公积金账户内的余额。",
        department="住房公积金",
        audience=("person",),
        boost=1.7,
    ),
    page(
        "page:old",
        "公积金缴存通知",
        "关于缴存。湘政发〔2020〕5号。",
        published_on=date(2008, 1, 1),
        site="省政府",
        department="财政",
    ),
    page("page:new", "公积金缴存通知", "关于缴存。", published_on=date(2026, 10, 1), site="长沙市", department="财政"),
    page("page:birth", "新生儿", "出生登记在派出所办理。<script>alert(1)</script>", site="长沙市"),
    page(
        "page:secret",
        "公积金审计底稿",
        "底稿里的暗语是紫微垣。公积金。",
        rights=(STAFF,),
        department="审计",
        site="内网",
    ),
    Document(key="office:a", kind=Kind.OFFICE, title="天元区公积金中心", address="/o", text="", divisions=("430211",)),
    Document(key="office:b", kind=Kind.OFFICE, title="芙蓉区公积金中心", address="/o", text="", divisions=("430102",)),
]
STRANGER, STAFF_ONE = frozenset({PUBLIC}), frozenset({PUBLIC, STAFF})


@pytest.fixture(scope="module", params=ENGINES)
def engine(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SearchEngine]:
    made: SearchEngine = request.param(tmp_path_factory.mktemp("engine"))
    made.add(DOCUMENTS)
    made.commit()
    yield made
    made.close()


def ask(engine: SearchEngine, text: str, **more: object) -> Page:
    return engine.search(Query(text=text, today=TODAY, **more))  # type: ignore[arg-type]


def keys(found: Page) -> list[str]:
    return [hit.key for hit in found.hits]


def test_titles_boosts_and_fresh_pages_come_first(engine: SearchEngine) -> None:
    found = ask(engine, "公积金怎么提取")
    assert keys(found)[0] == "service:fund"
    order = keys(ask(engine, "公积金缴存通知"))
    assert order.index("page:new") < order.index("page:old")
    assert keys(ask(engine, "公积金中心", places=("430102", "430100")))[0] == "office:b"
    assert keys(ask(engine, "小孩"))[0] == "page:birth"
    assert keys(ask(engine, "金缴")) == ["page:new", "page:old"]  # no word of the segmenter: pairs find it


def test_numbers_phrases_and_traditional_characters_are_found(engine: SearchEngine) -> None:
    assert keys(ask(engine, "湘政发[2020]05号"))[0] == "page:old"
    assert keys(ask(engine, "“购房租房”")) == []  # a phrase does not reach over a comma
    assert keys(ask(engine, "“住房公积金账户”")) == ["service:fund"]
    assert keys(ask(engine, "出生登記"))[0] == "page:birth"


def test_facets_narrow_and_show_what_else_there_is(engine: SearchEngine) -> None:
    found = ask(engine, "公积金")
    assert {one.value: one.count for one in found.facets["kind"]} == {"page": 2, "service": 1, "office": 2}
    narrowed = ask(engine, "公积金", sites=("长沙市",))
    assert keys(narrowed) == ["page:new"]
    assert {one.value for one in narrowed.facets["site"]} == {"长沙市", "省政府"}
    assert keys(ask(engine, "公积金", years=(2008,))) == ["page:old"]
    assert keys(ask(engine, "公积金", since=date(2026, 1, 1))) == ["page:new"]
    assert ask(engine, "公积金", hidden=frozenset({"page:new"})).total == 4
    assert keys(ask(engine, "公积金", first=4, size=1)) == keys(ask(engine, "公积金"))[4:5]


def test_cheap_questions_find_what_reading_everything_finds(
    engine: SearchEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = [
        {"text": text, **more}
        for text in (
            "公积金",
            "公积金缴存通知",
            "小孩 出生登记",
            "湘政发[2020]05号",
            "“住房公积金账户”",
            "金缴",
            "紫微垣",
        )
        for more in ({}, {"sites": ("长沙市",)}, {"rights": STAFF_ONE}, {"kinds": ("service",), "with_count": False})
    ]
    directly = [ask(engine, **one) for one in asked]  # type: ignore[arg-type]
    monkeypatch.setattr(finding, "DIRECT", -1)
    for one, expected in zip(asked, directly, strict=True):
        found = ask(engine, **one)  # type: ignore[arg-type]
        assert keys(found) == keys(expected), one
        assert [hit.score for hit in found.hits] == pytest.approx([hit.score for hit in expected.hits]), one
        assert (found.total, found.facets) == (expected.total, expected.facets)


def test_an_estimate_reads_as_one() -> None:
    assert [about(one) for one in (7, 99, 12_345, 12_500_064)] == [7, 99, 12_000, 13_000_000]


def test_what_would_take_too_long_to_count_is_told_from_a_sample_and_marked_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = TantivyEngine(tmp_path, analysis=ANALYSIS, create=True)
    sites = ("省政府", "长沙市", "长沙市", "长沙市")
    engine.add(
        (page(f"page:{n}", "公积金通知" if n % 200 else "公积金 紫微垣", site=sites[n % 4]) for n in range(4_000)),
        fresh=True,
    )
    engine.commit()
    exact = ask(engine, "公积金")
    assert (exact.total, exact.is_estimate) == (4_000, False)
    monkeypatch.setattr(tantivy_engine, "_SAMPLED", -1)
    monkeypatch.setattr(tantivy_engine, "_SURE", 30)
    found = ask(engine, "公积金")
    assert found.is_estimate
    assert 2_000 < found.total < 8_000
    assert found.total == about(found.total)
    by_site = {one.value: one.count for one in found.facets["site"]}
    assert by_site["长沙市"] > by_site["省政府"]
    assert keys(found) == keys(exact)
    rare = ask(engine, "紫微垣")  # too few of it in the sample: counted
    assert (rare.total, rare.is_estimate) == (20, False)
    engine.close()


def test_a_snippet_is_plain_text_with_the_words_marked(engine: SearchEngine) -> None:
    hit = ask(engine, "出生登记").hits[0]
    assert "".join(piece.text for piece in hit.snippet) == "出生登记在派出所办理。<script>alert(1)</script>"
    assert [piece.text for piece in hit.snippet if piece.is_match] == ["出生", "登记"] or hit.snippet[0].is_match


def test_a_stranger_cannot_tell_that_a_hidden_document_exists(engine: SearchEngine, tmp_path: Path) -> None:
    without = on_tantivy(tmp_path)
    without.add(one for one in DOCUMENTS if one.is_public)
    without.commit()
    for text in ("公积金", "公积金审计底稿", "紫微垣", "审计", "底稿 公积金", "内网"):
        ours, bare = ask(engine, text, rights=STRANGER), ask(without, text, rights=STRANGER)
        assert ours == bare, text  # hits, scores to the last digit, counts, facets, snippets
    assert engine.frequency("紫微垣") == 0
    assert engine.count(rights=STRANGER) == 6
    assert engine.find(key="page:secret", rights=STRANGER) is None
    assert all(one.key != "page:secret" for one in engine.list_titles(kinds=list(Kind), limit=100))
    assert "page:secret" in keys(ask(engine, "紫微垣", rights=STAFF_ONE))
    assert engine.count(rights=STAFF_ONE) == 7
    assert keys(ask(engine, "公积金", rights=frozenset({"organization:x"}))) == []
    without.close()


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(st.characters(), max_size=60) | st.text("()[]{}:*?~^\\/|+-\"'ANDOR 公积金“”", max_size=60))
@example("公积金" * 4_000)
@example("title:[* TO *] AND (公积金")
@example("\x00\ud800﷽")
def test_whatever_is_typed_is_answered(engine: SearchEngine, text: str) -> None:
    found = ask(engine, text)
    assert found.total >= len(found.hits)
    assert len(found.hits) <= 10


@pytest.mark.parametrize("make", ENGINES)
def test_documents_are_replaced_moved_and_removed(make: Callable[[Path], SearchEngine], tmp_path: Path) -> None:
    engine = make(tmp_path)
    engine.add([page("page:x", "旧标题")])
    assert ask(engine, "旧标题").total == 0  # nothing is found before it is committed
    engine.commit()
    assert ask(engine, "旧标题").total == 1
    engine.add([page("page:x", "新标题", rights=(STAFF,))])
    engine.commit()
    assert ask(engine, "标题").total == 0  # what is hidden leaves the public shelf
    assert keys(ask(engine, "新标题", rights=STAFF_ONE)) == ["page:x"]
    engine.add([page("page:x", "又公开了")])
    engine.commit()
    assert ask(engine, "又公开了", rights=STAFF_ONE).total == 1
    engine.remove(["page:x", "page:never"])
    engine.commit()
    assert engine.count(rights=STAFF_ONE) == 0
    engine.close()


def test_two_writers_are_told_apart_and_broken_files_are_named(tmp_path: Path) -> None:
    one = TantivyEngine(tmp_path, analysis=ANALYSIS, create=True)
    one.open_writer()
    other = TantivyEngine(tmp_path, analysis=ANALYSIS)
    with pytest.raises(WriterBusyError):
        other.open_writer()
    one.close()
    other.open_writer()
    other.close()
    (tmp_path / "public" / "meta.json").write_text("{")
    with pytest.raises(IndexMissingError):
        TantivyEngine(tmp_path, analysis=ANALYSIS)
    with pytest.raises(IndexMissingError):
        TantivyEngine(tmp_path / "nowhere", analysis=ANALYSIS)
