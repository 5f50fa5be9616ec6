"""The invented province: the same for the same seed, and people who pass every check of an import."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import polars as pl
import pytest

from furong.foundation.codes.checks import is_reserved_division, mod_11_2
from furong.registries.population.bulk import synthesis
from furong.registries.population.demo.content import Content, read_content

PACK = Path(__file__).resolve().parents[4] / "packs" / "hunan"
TODAY = date(2026, 11, 23)


@pytest.fixture(scope="module")
def content() -> Content:
    return read_content(PACK)


def draw(content: Content, folder: Path, *, seed: int = 7, persons: int = 20_000) -> pl.DataFrame:
    synthesis.synthesize(content=content, persons=persons, folder=folder, today=TODAY, seed=seed)
    return pl.concat([pl.read_parquet(one) for one in sorted(folder.glob("*.parquet"))])


def test_the_same_seed_draws_the_same_people_and_another_draws_others(content: Content, tmp_path: Path) -> None:
    first, again = draw(content, tmp_path / "a"), draw(content, tmp_path / "b")
    assert first.equals(again)
    assert not first.equals(draw(content, tmp_path / "c", seed=8))


def test_numbers_are_invented_unique_and_fit_birth_and_sex(content: Content, tmp_path: Path) -> None:
    people = draw(content, tmp_path)
    assert people["number"].n_unique() == people.height
    for number, sex, born_on in people.select("number", "sex", "born_on").head(3000).iter_rows():
        assert is_reserved_division(number[:6])
        assert mod_11_2(number[:17]) == number[17]
        assert number[6:14] == f"{born_on:%Y%m%d}"
        assert int(number[16]) % 2 == int(sex) % 2
    assert people["born_on"].max() <= TODAY


def test_households_are_families(content: Content, tmp_path: Path) -> None:
    people = draw(content, tmp_path).with_columns(year=pl.col("born_on").dt.year())
    heads = people.group_by("household").agg((pl.col("relation") == "02").sum().alias("heads"))
    assert set(heads["heads"]) == {1}
    sizes = people.height / people["household"].n_unique()
    assert 2.4 < sizes < 3.3
    head = people.filter(pl.col("relation") == "02").select("household", head_year="year", head_sex="sex")
    joined = people.join(head, on="household")
    children = joined.filter(pl.col("relation").is_in(["20", "30"]))
    assert (children["year"] - children["head_year"]).min() >= 15
    spouses = joined.filter(pl.col("relation").is_in(["11", "12"]))
    assert (spouses["sex"] != spouses["head_sex"]).all()
    parents = joined.filter(pl.col("relation").is_in(["51", "52"]))
    assert (parents["head_year"] - parents["year"]).min() >= 19
    fathers = people.filter(pl.col("relation") == "51").join(
        people.filter(pl.col("relation") == "02").select("household", head_name="name"), on="household"
    )
    assert (fathers["name"].str.slice(0, 1) == fathers["head_name"].str.slice(0, 1)).all()


def test_every_city_has_its_share_and_its_peoples(content: Content, tmp_path: Path) -> None:
    people = draw(content, tmp_path, persons=50_000)
    cities = people.group_by(pl.col("division_code").str.slice(0, 4).alias("city")).len()
    assert cities.height == 14
    xiangxi = people.filter(pl.col("division_code").str.starts_with("4331"))
    others = people.filter(~pl.col("division_code").str.starts_with("43"))
    assert others.height == 0
    assert (xiangxi["ethnicity"] == "15").mean() > 0.3
    assert people["address"].str.contains(r"[{}]").sum() == 0
