"""An invented province: people by the million, drawn in columns, the same for the same seed.

Places, names and shares are the pack's (`demo`). Every chunk of people carries the numbers of one county code that no county has,
so no number comes twice however many chunks are drawn at once. The files are what `importing` takes.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import polars as pl

from ..demo.content import GENERATIONS, Content, Place, Weighted
from ..errors import NumbersExhaustedError
from ..values import FEMALE, MALE
from .checking import HEAD, check_character

_CHUNK = 400_000
_CODES_A_CITY = 10  # 43NN90 to 43NN99
_SEQUENCES = 499  # of each day and sex: 001, 003 … 997 or 002 … 998
_GENERATION_ENDS = (1966, 1986, 2006)

# Members of each shape of household: relation to the head, sex ("" at random, "!" the other of the head), years younger than
# the head (from, to). After the household sizes of the seventh census.
_SHAPES: tuple[tuple[float, tuple[int, int], tuple[tuple[str, str, int, int], ...]], ...] = (
    (7, (66, 92), ((HEAD, "", 0, 0),)),
    (9, (20, 60), ((HEAD, "", 0, 0),)),
    (17, (24, 62), ((HEAD, "", 0, 0), ("1", "!", -3, 6))),
    (9, (63, 88), ((HEAD, "", 0, 0), ("1", "!", -2, 6))),
    (18, (26, 50), ((HEAD, "", 0, 0), ("1", "!", -3, 5), ("C", "", 23, 33))),
    (15, (29, 50), ((HEAD, "", 0, 0), ("1", "!", -3, 5), ("C", "", 23, 29), ("C", "", 30, 36))),
    (
        18,
        (26, 48),
        ((HEAD, "", 0, 0), ("1", "!", -3, 5), ("C", "", 23, 33), ("51", MALE, -32, -23), ("52", FEMALE, -31, -21)),
    ),
    (7, (26, 50), ((HEAD, "", 0, 0), ("C", "", 22, 32))),
)
_WEIGHTS = Weighted.of({str(number): shape[0] for number, shape in enumerate(_SHAPES)})


@dataclass(frozen=True, slots=True, kw_only=True)
class Synthesized:
    """What was drawn."""

    people: int
    households: int
    files: int
    seconds: float


def synthesize(
    *,
    content: Content,
    persons: int,
    folder: Path,
    today: date,
    seed: int = 7,
    progress: Callable[[str, float | None], None] | None = None,
) -> Synthesized:
    """Draw about ``persons`` invented people into Parquet files in ``folder``, give or take a household.

    The same arguments give the same files. Some ten microseconds a person; a chunk is held in memory, 200 MB.
    """
    tell = progress or (lambda _text, _share: None)
    began, people, households, files = time.monotonic(), 0, 0, 0
    folder.mkdir(parents=True, exist_ok=True)
    plan = list(_plan(content.places, persons))
    for number, (county, places, wanted) in enumerate(plan):
        frame = _draw(content, county=county, places=places, wanted=wanted, seed=seed * 1_000 + number, today=today)
        frame.write_parquet(folder / f"people-{county}.parquet")
        people, files = people + frame.height, files + 1
        households += frame["household"].n_unique()
        tell("drawing", (number + 1) / len(plan))
    return Synthesized(people=people, households=households, files=files, seconds=time.monotonic() - began)


def _plan(places: Sequence[Place], persons: int) -> Iterator[tuple[str, list[Place], int]]:
    """Share the people out over cities by their places, and each city's over its reserved county codes."""
    cities = Counter(place.code[:4] for place in places)
    for city, count in sorted(cities.items()):
        wanted = persons * count // len(places)
        chunks = max(1, min(_CODES_A_CITY, -(-wanted // _CHUNK)))
        mine = [place for place in places if place.code.startswith(city)]
        for number in range(chunks):
            share = wanted // chunks + (1 if number < wanted % chunks else 0)
            if share:
                yield f"{city}{90 + number}", mine, share


class _Dice:
    """Uniform numbers from counters (SplitMix64), so that they do not depend on order or library."""

    def __init__(self, seed: int) -> None:
        self.seed, self.turn = seed, 0

    def roll(self, length: int) -> pl.Series:
        """Give ``length`` numbers from 0 to 1, exclusive."""
        self.turn += 1
        start = (self.seed * 0x9E3779B97F4A7C15 + self.turn * 0xD1B54A32D192ED03) % 2**64

        def whole(value: int) -> pl.Expr:
            return pl.lit(value, dtype=pl.UInt64)

        z = (pl.col("n") + whole(start)) * whole(0x9E3779B97F4A7C15)
        z = (z ^ (z // whole(2**30))) * whole(0xBF58476D1CE4E5B9)
        z = (z ^ (z // whole(2**27))) * whole(0x94D049BB133111EB)
        z = z ^ (z // whole(2**31))
        count = pl.DataFrame({"n": pl.int_range(length, dtype=pl.UInt64, eager=True)})
        return count.select((z // whole(2**11)).cast(pl.Float64) / 2**53).to_series()

    def pick(self, weighted: Weighted, length: int) -> pl.Series:
        """Give the positions of values drawn by weight."""
        bounds = pl.Series(weighted.bounds, dtype=pl.Float64)
        return bounds.search_sorted(self.roll(length) * weighted.bounds[-1], side="right").cast(pl.UInt32)


def _draw(
    content: Content, *, county: str, places: Sequence[Place], wanted: int, seed: int, today: date
) -> pl.DataFrame:
    dice = _Dice(seed)
    sizes = [len(shape[2]) for shape in _SHAPES]
    mean = sum(size * shape[0] for size, shape in zip(sizes, _SHAPES, strict=True)) / _WEIGHTS.bounds[-1]
    count = max(1, round(wanted / mean))
    homes = _households(content, dice, county=county, places=places, count=count)
    shapes = pl.DataFrame(
        [
            (shape, place, relation, sex, low, high)
            for shape, (_, _, members) in enumerate(_SHAPES)
            for place, (relation, sex, low, high) in enumerate(members)
        ],
        schema={
            "shape": pl.UInt32,
            "place": pl.UInt8,
            "kin": pl.String,
            "of_sex": pl.String,
            "low": pl.Int32,
            "high": pl.Int32,
        },
        orient="row",
    )
    people = homes.join(shapes, on="shape", how="left").sort("home", "place")
    length = people.height
    people = people.with_columns(_chance=dice.roll(length), _span=dice.roll(length), _jitter=dice.roll(length))
    other = pl.when(pl.col("head_sex") == MALE).then(pl.lit(FEMALE)).otherwise(pl.lit(MALE))
    people = people.with_columns(
        sex=pl.when(pl.col("kin") == HEAD)
        .then("head_sex")
        .when(pl.col("of_sex") == "!")
        .then(other)
        .when(pl.col("of_sex") != "")
        .then("of_sex")
        .otherwise(pl.when(pl.col("_chance") < 0.515).then(pl.lit(MALE)).otherwise(pl.lit(FEMALE))),
        _age=(pl.col("head_age") - (pl.col("low") + (pl.col("high") - pl.col("low")) * pl.col("_span"))).clip(0, 103),
    )
    people = people.with_columns(
        born_on=(
            pl.lit(today) - pl.duration(days=(pl.col("_age") * 365.2425 + pl.col("_jitter") * 365).cast(pl.Int64))
        ).cast(pl.Date)
    )
    people = _named(content, dice, people)
    people = _numbered(people, county)
    return people.select(
        "number", "name", "sex", "ethnicity", "born_on", "division_code", "address", "household", "relation", "marital",
        pl.col("division_code").str.slice(0, 6).alias("native_division_code"),
    )  # fmt: skip


def _households(content: Content, dice: _Dice, *, county: str, places: Sequence[Place], count: int) -> pl.DataFrame:
    shape = dice.pick(_WEIGHTS, count)
    low = pl.Series([one[1][0] for one in _SHAPES]).gather(shape).cast(pl.Float64)
    high = pl.Series([one[1][1] for one in _SHAPES]).gather(shape).cast(pl.Float64)
    where = (dice.roll(count) * len(places)).cast(pl.UInt32)
    ending = dice.roll(count)
    endings = [place.endings for place in places]
    groups = content.ethnicities_of(places[0].code)
    homes = pl.DataFrame(
        {
            "home": pl.int_range(count, eager=True),
            "shape": shape,
            "head_age": low + (high - low) * dice.roll(count),
            "head_sex": (dice.roll(count) < 0.72).replace_strict({True: MALE, False: FEMALE}),
            "division_code": pl.Series([place.code for place in places]).gather(where),
            "base": pl.Series([place.address for place in places]).gather(where),
            "group": pl.Series(groups.values).gather(dice.pick(groups, count)),
        }
    )
    chosen = [of[int(chance * len(of))] for of, chance in zip((endings[at] for at in where), ending, strict=True)]
    homes = homes.with_columns(
        household=pl.format("S{}{}", pl.lit(county), pl.col("home").cast(pl.String).str.zfill(8)),
        address=pl.col("base") + pl.Series(chosen, dtype=pl.String),
    )
    for place, most in (("{a}", 19), ("{b}", 4), ("{c}", 17), ("{d:02}", 4), ("{e}", 188)):
        drawn = ((dice.roll(count) * most).cast(pl.Int32) + 1).cast(pl.String)
        if place == "{d:02}":
            drawn = drawn.str.zfill(2)
        homes = homes.with_columns(address=pl.col("address").str.replace(place, pl.lit(drawn), literal=True))
    return homes


def _named(content: Content, dice: _Dice, people: pl.DataFrame) -> pl.DataFrame:
    """Give everybody a name of their generation, an ethnic group, a relation and a marital status."""
    length = people.height
    people = people.with_columns(_surname=_surnames(content, dice, people))
    # Children, and the head's father, carry the father's surname: the head's where he is one, else his, the husband's.
    family = (
        pl.when(pl.col("head_sex") == MALE)
        .then(pl.col("_surname").first())
        .otherwise(
            pl.when((pl.col("kin") == "1").any())
            .then(pl.col("_surname").filter(pl.col("kin") == "1").first())
            .otherwise(pl.col("_surname").first())
        )
    )
    people = people.with_columns(
        _family=family.over("home"),
        _head=pl.col("_surname").first().over("home"),
    )
    surname = (
        pl.when(pl.col("kin") == "C").then("_family").when(pl.col("kin") == "51").then("_head").otherwise("_surname")
    )
    year = pl.col("born_on").dt.year()
    generation = sum(((year >= end).cast(pl.UInt8) for end in _GENERATION_ENDS), start=pl.lit(0, dtype=pl.UInt8))
    first, second, single, mixed = (dice.roll(length) for _ in range(4))
    people = people.with_columns(
        _pool=(generation.cast(pl.String) + pl.col("sex")).replace_strict(
            {
                f"{number}{sex}": content.given[name][sex]
                for number, name in enumerate(GENERATIONS)
                for sex in (MALE, FEMALE)
            }
        )
    )
    size = pl.col("_pool").str.len_chars()
    one = pl.col("_pool").str.slice((pl.lit(first) * size).cast(pl.UInt32), 1)
    two = pl.col("_pool").str.slice((pl.lit(second) * size).cast(pl.UInt32), 1)
    son = pl.col("sex") == MALE
    married = pl.col("kin").is_in(["1", "51", "52"]) | (
        (pl.col("kin") == HEAD) & (pl.col("kin") == "1").any().over("home")
    )
    groups = content.ethnicities_of(people["division_code"][0])
    other_group = pl.Series(groups.values).gather(dice.pick(groups, length))
    return people.with_columns(
        name=surname + one + pl.when(pl.lit(single) < 0.16).then(pl.lit("")).otherwise(two),
        ethnicity=pl.when(pl.lit(mixed) < 0.04).then(pl.lit(other_group)).otherwise("group"),
        relation=pl.when(pl.col("kin") == "1")
        .then(pl.when(son).then(pl.lit("11")).otherwise(pl.lit("12")))
        .when(pl.col("kin") == "C")
        .then(pl.when(son).then(pl.lit("20")).otherwise(pl.lit("30")))
        .otherwise("kin"),
        marital=pl.when(married).then(pl.lit("21")).otherwise(pl.lit("10")),
    )


def _surnames(content: Content, dice: _Dice, people: pl.DataFrame) -> pl.Series:
    """Draw a surname for everybody by the household's ethnic group."""
    groups = people["group"]
    found = pl.Series([""] * people.height, dtype=pl.String)
    for group in groups.unique().sort():
        weighted = content.surnames.get(group, content.surnames["default"])
        drawn = pl.Series(weighted.values).gather(dice.pick(weighted, people.height))
        found = drawn.zip_with(groups == group, found)
    return found


def _numbered(people: pl.DataFrame, county: str) -> pl.DataFrame:
    """Give everybody the next number of their day and sex in the county's code."""
    odd = (pl.col("sex") == MALE).cast(pl.Int32)
    people = people.with_columns(_turn=pl.int_range(pl.len()).over("born_on", "sex"))
    if people["_turn"].max() >= _SEQUENCES:  # type: ignore[operator]
        raise NumbersExhaustedError(f"County {county} has no number left for a day.")
    body = pl.concat_str(
        pl.lit(county),
        pl.col("born_on").dt.strftime("%Y%m%d"),
        ((pl.col("_turn") + 1) * 2 - odd).cast(pl.String).str.zfill(3),
    )
    people = people.with_columns(_body=body)
    return people.with_columns(number=pl.col("_body") + check_character(pl.col("_body")))
