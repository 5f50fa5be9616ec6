"""How names sound, and with whom they are confused. No I/O."""

from __future__ import annotations

import pytest
import sqlglot

from furong.registries.population.linkage.keys import blur, sounds_of
from furong.registries.population.linkage.model import RESPECTS, settings


@pytest.mark.parametrize(("one", "other"), [("萧红", "肖红"), ("张晓明", "章小铭"), ("單雄", "单雄"), ("阎锡", "闫喜")])
def test_names_written_by_their_sound_sound_alike(one: str, other: str) -> None:
    assert sounds_of(one).sound == sounds_of(other).sound


@pytest.mark.parametrize(("one", "other"), [("刘娜", "牛拉"), ("张慧", "赞费"), ("陈明", "岑敏"), ("石林", "四宁")])
def test_names_heard_in_the_south_are_blurred_to_one(one: str, other: str) -> None:
    assert sounds_of(one).sound != sounds_of(other).sound
    assert sounds_of(one).blur == sounds_of(other).blur


def test_a_surname_of_two_characters_stays_whole() -> None:
    found = sounds_of("欧阳小明")
    assert (found.surname_blur, found.given_blur) == ("ou yan", "xiao min")
    assert sounds_of("李").given_blur == ""


def test_a_blurred_syllable_stays_blurred() -> None:
    for syllable in ("zhuang", "niang", "hua", "shi", "lü", "er", "a"):
        assert blur(blur(syllable)) == blur(syllable)


def test_each_respect_shares_out_all_people_among_its_levels() -> None:
    for name, levels in RESPECTS.items():
        assert sum(level.m for level in levels) == pytest.approx(1, abs=0.02), name
        assert sum(level.u for level in levels) == pytest.approx(1, abs=0.03), name
        assert not levels[-1].condition, "the last level takes whatever is left"


def test_spark_reads_every_condition_as_duckdb_does() -> None:
    for levels in RESPECTS.values():
        for level in levels:
            if level.condition:
                plain = sqlglot.parse_one(level.condition, read="duckdb")
                assert sqlglot.parse_one(plain.sql("spark"), read="spark") == plain, level.word
    assert settings(kind="link_only", prior=1e-4, birth=0).create_settings_dict("spark")["comparisons"]
