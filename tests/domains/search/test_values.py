"""Texts, numbers, plans of questions, slips and scrubbing: pure, without an index."""

from __future__ import annotations

import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from furong.domains.search.analysis.cutting import Analysis, pairs
from furong.domains.search.analysis.folding import clean, fold, fold_with_places
from furong.domains.search.analysis.numbers import identifiers
from furong.domains.search.analysis.sounding import initials, pinyin, sound
from furong.domains.search.engine.marking import mark, snippet
from furong.domains.search.kinds import SearchWords, Synonym
from furong.domains.search.lexicon import Lexicon, Phrase
from furong.domains.search.planning import Thesaurus, plan
from furong.domains.search.scrubbing import scrub
from furong.domains.search.wording import vocabulary_of

ANYTHING = st.text(st.characters(), max_size=400)  # surrogates, controls, private use: all that a text can hold
ANALYSIS = Analysis(["公租房", "一件事"])


def test_one_spelling_for_what_reads_the_same() -> None:
    assert fold("醫療保險ＡＢＣ㎡") == "医疗保险abcm2"
    assert fold("a\x00b\ud800c") == "a b c"
    assert pinyin("公积金") == "gongjijin"
    assert initials("公积金a12") == "gjja12"
    assert sound("黄陵") == sound("房林")
    assert pairs("你好，中国人 ab") == ["你好", "\u241e", "中国", "国人", "\u241e", "ab", "\u241e"]
    assert "公租房" in ANALYSIS.words("在长沙办公租房要什么材料")


@given(ANYTHING)
@example("㍿" * 50)
def test_each_folded_character_can_be_led_back(text: str) -> None:
    folded, places = fold_with_places(text)
    assert folded == fold(text)
    if places is None:
        assert len(folded) == len(text)
    else:
        assert len(places) == len(folded)
        assert places == sorted(places)
        assert all(fold(text[place])[0] in folded for place in places)
    clean(text).encode()  # never a surrogate: it can be stored and shown


@pytest.mark.parametrize(
    "written",
    [
        "湘政发〔2020〕5号",
        "湘政发[2020]05号",
        "湘政發（２０２０）５號",
        "湘政发 ( 2020 ) 5 号",
        "湘政发2020年第5号",
        "根据湘政发【2020】5号文",
    ],
)
def test_a_document_number_is_found_however_it_is_written(written: str) -> None:
    assert "湘政发2020-5" in dict(identifiers(fold(written)))
    assert "湘政发2020-6" not in dict(identifiers(fold(written)))


def test_orders_standards_and_codes_are_identifiers() -> None:
    assert "国务院令-809" in dict(identifiers("国务院令第809号"))
    assert set(dict(identifiers(fold("GB/T 21063.4-2007")))) == {"gbt2106342007", "gbt210634"}
    assert "430723001001" in dict(identifiers("事项编码 4307-2300-1001"))
    started = time.monotonic()
    assert len(identifiers("令" * 100_000 + "1" * 100_000)) <= 401
    assert time.monotonic() - started < 5


def test_a_plan_knows_other_names_and_drops_what_says_nothing() -> None:
    words = SearchWords(
        words=("上户口",),
        ignored=("怎么", "给", "的"),
        synonyms=(
            Synonym(names=("出生证", "出生医学证明")),
            Synonym(asked=("小孩",), toward=("新生儿",), weight=0.6),
        ),
    )
    known = vocabulary_of([words])
    analysis = Analysis(known.words)
    read = plan(text="怎么给小孩上户口", analysis=analysis, thesaurus=known.thesaurus)
    assert [group.said for group in read.groups] == ["小孩", "上户口"]
    assert ("新生儿",) in [way.words for way in read.groups[0].ways]
    one_way = plan(text="新生儿", analysis=analysis, thesaurus=known.thesaurus)
    assert all("小孩" not in way.words for group in one_way.groups for way in group.ways)
    only_empty_words = plan(text="怎么给", analysis=analysis, thesaurus=known.thesaurus)
    assert [group.said for group in only_empty_words.groups] == ["怎么", "给"]
    exact = plan(text="“出生医学” 证明", analysis=analysis, thesaurus=known.thesaurus)
    assert exact.exact == (("出生", "生医", "医学"),)


@given(ANYTHING | st.text("()[]{}:*?~^\\/|+-\"'“”《》", max_size=300))
@example("a" * 10_000)
@example("好" * 10_000)
@example(".*(a+)+$ AND title:[* TO *]")
def test_whatever_is_typed_gives_a_plan_of_bounded_size(text: str) -> None:
    read = plan(text=text, analysis=ANALYSIS, thesaurus=Thesaurus())
    assert len(read.groups) <= 16
    assert len(read.phrases) <= 8
    assert len(read.folded) <= 200
    for term in read.terms:
        assert term.isprintable()
        term.encode()
    scrub(text).encode()


def test_marks_lead_back_to_the_text_that_is_shown() -> None:
    text = "第一句没有。" + "填充" * 200 + "。新生兒出生後，到派出所辦理出生登記。"
    pieces = snippet(text, {"出生登记", "派出所"})
    assert "".join(piece.text for piece in pieces).strip("…") in text
    assert [piece.text for piece in pieces if piece.is_match] == ["派出所", "出生登記"]
    assert [p.text for p in mark("<b>社保</b>", {"社保"})] == ["<b>", "社保", "</b>"]
    assert snippet("", {"社保"}) == ()


@given(ANYTHING, st.lists(st.text(min_size=1, max_size=4), max_size=6))
def test_a_snippet_is_a_stretch_of_its_text(text: str, terms: list[str]) -> None:
    shown = "".join(piece.text for piece in snippet(text, [fold(term) for term in terms], width=60))
    assert shown.strip("…") in text or shown in text
    assert len(shown) <= 62


PHRASES = [
    Phrase("新生儿出生", "service:event.newborn", "service", "/life/newborn", 40.0),
    Phrase("出生医学证明签发", "service:item.a", "service", "/guide/a", 30.0),
    Phrase("医疗保险参保登记", "service:item.b", "service", "/guide/b", 20.0),
    Phrase("长沙市公安局", "office:1", "office", "/office/1", 2.0),
]


def test_phrases_are_offered_by_characters_pinyin_and_initials() -> None:
    lexicon = Lexicon(PHRASES, analysis=ANALYSIS)
    for typed, first in (
        ("新生", "新生儿出生"),
        ("xinsheng", "新生儿出生"),
        ("xse", "新生儿出生"),
        ("出生", "出生医学证明签发"),
        ("ylbx", "医疗保险参保登记"),
        ("chang sha", "长沙市公安局"),
    ):
        assert lexicon.suggest(typed)[0].text == first, typed
    assert lexicon.suggest("") == []
    assert lexicon.suggest("不存在的东西") == []


def test_slips_are_mended_by_sound_and_by_one_character() -> None:
    held = {"保险", "医疗", "登记", "证明", "出生", "天气"}

    def frequency(word: str) -> int:
        return 5 if word in held else 0

    lexicon = Lexicon(
        PHRASES,
        analysis=ANALYSIS,
        words=["公积金"],
        never=frozenset({"移疗"}),
        never_pairs=frozenset({("证名", "证明")}),
    )
    assert Lexicon(PHRASES, analysis=ANALYSIS).correct("移疗保险", frequency=frequency) == "医疗保险"
    assert lexicon.correct("公积京", frequency=frequency) == "公积金"
    assert lexicon.correct("gongjijin", frequency=frequency) == "公积金"
    assert lexicon.correct("证名", frequency=frequency) == ""  # on the deny list
    assert lexicon.correct("出生证明", frequency=frequency) == ""  # right as it is
    assert lexicon.correct("天气登记", frequency=frequency) == ""  # odd, and made of words that documents hold
    assert lexicon.correct("qqzzxx", frequency=frequency) == ""


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("430102199003071234 怎么补办身份证", "[…] 怎么补办身份证"),
        ("４３０１０２１９９００３０７１２３Ｘ 落户", "[…] 落户"),
        ("我的电话13812345678查社保", "我的电话[…]查社保"),
        ("0731-84567890 投诉", "[…] 投诉"),
        ("6222 0201 1111 2222 000 余额", "[…] 余额"),
        ("湘A12345违章", "[…]违章"),
        ("湘AD12345 年检", "[…] 年检"),
        ("我叫王小明 想查公积金", "我叫[…] 想查公积金"),
        ("孩子叫周芷沅能上户口吗", "孩子叫[…]上户口吗"),
        ("张三丰的身份证丢了", "[…]的身份证丢了"),
        ("someone@example.com 找回密码", "[…] 找回密码"),
        ("湘政发〔2020〕5号", "湘政发[2020]5号"),
        ("生育津贴怎么领", "生育津贴怎么领"),
        ("GB/T 21063.4-2007", "GB/T 21063.4-2007"),
        ("12345热线", "12345热线"),
    ],
)
def test_personal_data_does_not_reach_the_counts(typed: str, kept: str) -> None:
    assert scrub(typed).replace("〔", "[").replace("〕", "]") == kept


def test_an_address_down_to_the_door_does_not_reach_the_counts() -> None:
    assert "8栋" not in scrub("芙蓉中路一段88号8栋302 物业投诉")
    assert "88" not in scrub("芙蓉中路一段88号8栋302 物业投诉")
