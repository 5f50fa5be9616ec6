"""Names and credit codes without a database: how they are composed, checked and compared."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from furong.foundation.codes.checks import CREDIT_ALPHABET
from furong.foundation.codes.credit_codes import parse_credit_code
from furong.foundation.packs.reading import read_pack
from furong.registries.legal_entities import names
from furong.registries.legal_entities.names import HeldName, NameParts, NameRules, Problem
from furong.registries.legal_entities.values import (
    KINDS,
    SUBJECTS,
    EntityKind,
    county_of_code,
    credit_code,
)

PACK = Path(__file__).resolve().parents[3] / "packs" / "hunan"
HAN = st.text(alphabet=st.sampled_from("荷塘月色莲湘江云山石桥春晖明远德厚安和悦兴"), min_size=2, max_size=6)
MARKET = [kind for kind in EntityKind if KINDS[kind].is_market and kind is not EntityKind.BRANCH]


@pytest.fixture(scope="module")
def rules() -> NameRules:
    """The rules of the Hunan pack."""
    found = read_pack(PACK, only={"name_rules"}) if False else read_pack(PACK)
    value: NameRules = found.values("name_rules")["national"]
    return value


def parts(trade_name: str = "荷塘月色", **given: object) -> NameParts:
    return NameParts(
        **{  # type: ignore[arg-type]
            "place": "株洲",
            "trade_name": trade_name,
            "industry": "C14",
            "industry_words": "食品",
            "form": "有限公司",
            "kind": EntityKind.LIMITED_COMPANY,
            **given,
        }
    )


def held(one: NameParts, area: str = "430200", owner: str = "") -> HeldName:
    return HeldName(
        name=one.name,
        name_key=names.name_key(one.name),
        trade_key=names.name_key(one.trade_name),
        industry=one.industry,
        area=area,
        owner=owner,
    )


@given(kind=st.sampled_from(EntityKind), running=st.integers(0, SUBJECTS - 1), prefix=st.sampled_from(["MA4H", "0000"]))
def test_every_code_that_is_given_out_passes_the_national_check(kind: EntityKind, running: int, prefix: str) -> None:
    code = credit_code(kind=kind, county="430290", prefix=prefix, running=running)
    read = parse_credit_code(code)
    assert (read.registrar, read.kind, read.division_code) == (KINDS[kind].registrar, KINDS[kind].mark, "430290")
    assert read.warnings == ()


@given(running=st.integers(0, SUBJECTS - 2))
def test_following_numbers_make_following_codes(running: int) -> None:
    pair = [
        credit_code(kind=EntityKind.LIMITED_COMPANY, county="430290", prefix="MA4H", running=n)
        for n in (running, running + 1)
    ]
    assert pair[0][8:16] < pair[1][8:16]


@pytest.mark.parametrize(("running", "prefix"), [(-1, "MA4H"), (SUBJECTS, "MA4H"), (0, "MA4"), (0, "MAOI")])
def test_a_code_without_room_for_its_number_is_not_made(running: int, prefix: str) -> None:
    with pytest.raises(ValueError, match="room"):
        credit_code(kind=EntityKind.LIMITED_COMPANY, county="430290", prefix=prefix, running=running)
    assert len(CREDIT_ALPHABET) == 31


def test_the_enterprise_of_an_invented_founder_is_numbered_as_an_invented_one() -> None:
    assert county_of_code(division_code="430202001000", invented=True) == "430290"
    assert county_of_code(division_code="430202001000", invented=False) == "430202"
    assert county_of_code(division_code="430294", invented=True) == "430294"
    assert county_of_code(division_code="430000", invented=True) == "430090"


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ({"trade_name": "月"}, Problem.TRADE_NAME_SHORT),
        ({"trade_name": "Moon8"}, Problem.TRADE_NAME_SIGNS),
        ({"trade_name": "株洲"}, Problem.TRADE_NAME_PLACE),
        ({"trade_name": "中国莲"}, Problem.FORBIDDEN),
        ({"trade_name": "国安居"}, Problem.FORBIDDEN),
        ({"trade_name": "世界第一"}, Problem.FORBIDDEN),
        ({"industry_words": "物流"}, Problem.INDUSTRY),
        ({"form": "集团"}, Problem.FORM),
        ({"form": "股份有限公司", "kind": EntityKind.COOPERATIVE}, Problem.FORM),
    ],
)
def test_a_name_that_breaks_a_rule_is_told_which(rules: NameRules, given: dict[str, object], problem: Problem) -> None:
    found = names.composition_problems(parts(**given), rules, places=("株洲", "湖南"))  # type: ignore[arg-type]
    assert [one.problem for one in found] == [problem]
    assert found[0].refuses
    assert found[0].message.pick("en")
    assert "第" in found[0].clause.pick("zh")


@given(trade_name=HAN)
def test_a_name_stands_against_itself_however_it_is_written(trade_name: str) -> None:
    mine = parts(trade_name)
    assert [one.problem for one in names.clashes(mine, [held(mine)], area="430200")] == [Problem.SAME_NAME]
    spread = parts(trade_name, place="株洲 ", form="（有限公司）")
    assert [one.problem for one in names.clashes(spread, [held(mine)], area="430299")] == [Problem.SAME_NAME]


@given(trade_name=HAN)
def test_a_trade_name_is_borne_once_in_an_area_and_trade(trade_name: str) -> None:
    theirs = held(parts(trade_name, form="有限责任公司"), owner="9")
    mine = parts(trade_name)

    def problems(asked: NameParts, area: str = "430200", owner: str = "") -> list[Problem]:
        return [one.problem for one in names.clashes(asked, [theirs], area=area, owner=owner)]

    assert problems(mine) == [Problem.SAME_TRADE_NAME]
    assert problems(parts(trade_name, industry="", industry_words="")) == [Problem.SAME_TRADE_NAME]
    assert problems(parts(trade_name, industry="I65", industry_words="软件")) == []
    assert problems(mine, area="430100") == []
    assert problems(mine, owner="9") == [], "two of one owner may bear one trade name"


@pytest.mark.parametrize(("mine", "theirs"), [("和悦", "荷月"), ("荷塘月色", "荷塘"), ("荷塘", "荷塘月色")])
def test_names_that_are_merely_alike_are_told_and_left_to_the_founder(mine: str, theirs: str) -> None:
    (found,) = names.clashes(parts(mine), [held(parts(theirs))], area="430200")
    assert (found.problem, found.refuses) == (Problem.SIMILAR, False)


@pytest.mark.parametrize(
    ("level", "name", "words"),
    [
        ("county", "荷塘区", ("株洲市荷塘区",)),
        ("county", "醴陵市", ("醴陵市", "株洲市醴陵市")),
        ("city", "株洲市", ("株洲", "株洲市")),
        ("city", "湘西土家族苗族自治州", ("湘西", "湘西土家族苗族自治州")),
        ("province", "湖南省", ("湖南", "湖南省")),
    ],
)
def test_a_district_is_named_with_its_city(level: str, name: str, words: tuple[str, ...]) -> None:
    assert names.place_words(level=level, name=name, city="株洲市") == words


def test_every_form_of_the_rules_is_of_a_kind_that_the_market_regulator_registers(rules: NameRules) -> None:
    assert set(rules.forms) == set(MARKET)
    for kind in MARKET:
        whole = parts(kind=kind, form=rules.forms[kind][0])
        assert names.composition_problems(whole, rules, places=()) == []
