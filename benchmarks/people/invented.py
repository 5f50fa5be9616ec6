"""Two invented files of people with known truth: the register, and another body's list with the slips such lists have.

The slips and how often they come are stated in `SLIPS`; they fall independently, so that some rows have several. The right file
is drawn as `furong population synthesize` draws a province; three in ten of the left are of people whom the right does not hold,
many of them brothers, sisters and namesakes of people whom it does.
"""

from __future__ import annotations

import tempfile
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from random import Random
from typing import Any

import polars as pl

TODAY = date(2026, 11, 1)
# How often each slip comes in the left file, a row.
SLIPS = {
    "name_homophone": 0.03,
    "name_by_ear": 0.007,
    "name_other_character": 0.01,
    "name_character_left_out": 0.003,
    "name_characters_swapped": 0.003,
    "name_changed": 0.003,
    "birth_day_and_month_swapped": 0.02,
    "birth_digit_wrong": 0.015,
    "birth_first_of_month": 0.005,
    "birth_missing": 0.005,
    "sex_wrong": 0.005,
    "sex_missing": 0.01,
    "address_moved": 0.15,
    "address_written_otherwise": 0.3,
    "address_digit_wrong": 0.03,
    "address_missing": 0.03,
    "parents_missing": 0.4,
    "parent_homophone": 0.03,
}
OUTSIDE = 0.3
TWINS = 0.03  # of second children: far more than life has, for they are what is hard


@dataclass(frozen=True, slots=True)
class Pair:
    """The two files, and which left row is which right one, with its slips."""

    left: Path
    right: Path
    truth: Path


def draw_pair(*, left: int, right: int, folder: Path, seed: int = 31) -> Pair:
    """Draw the two files (Parquet) and the truth into ``folder``; those of the same arguments are taken as they lie."""
    folder.mkdir(parents=True, exist_ok=True)
    pair = Pair(*(folder / f"{name}-{left}-{right}-{seed}.parquet" for name in ("left", "right", "truth")))
    if pair.truth.exists():
        return pair
    people = _people(round(right + left * OUTSIDE * 1.02) + 10, seed).sample(fraction=1.0, shuffle=True, seed=seed)
    held, outside = people.head(right), people.slice(right)
    held.with_columns(id=pl.format("R{}", pl.int_range(held.height))).write_parquet(pair.right)
    shared = min(held.height, left - round(left * OUTSIDE))
    chosen = held.with_row_index("at").sample(shared, seed=seed + 1)
    strangers = outside.head(left - shared).with_columns(at=pl.lit(None, pl.UInt32)).select(chosen.columns)
    rows = pl.concat([chosen, strangers]).sample(fraction=1.0, shuffle=True, seed=seed + 2)
    clerk = _Clerk(Random(seed), rows["address"].to_list())
    written, truth = [], []
    for number, row in enumerate(rows.iter_rows(named=True)):
        slips = clerk.slip(row)
        at = row.pop("at")
        written.append({"id": f"L{number}", **row})
        truth.append({"left": f"L{number}", "right": None if at is None else f"R{at}", "slips": "|".join(slips)})
    pl.DataFrame(written, infer_schema_length=None).write_parquet(pair.left)
    pl.DataFrame(truth, infer_schema_length=None).write_parquet(pair.truth)
    return pair


def _people(count: int, seed: int) -> pl.DataFrame:
    """Draw people with their parents' names; some brothers and sisters are twins, and some share a character of their names."""
    from furong.entrypoints.demo import PACK
    from furong.registries.population.bulk.synthesis import synthesize
    from furong.registries.population.demo.content import read_content

    with tempfile.TemporaryDirectory() as folder:
        synthesize(
            content=read_content(PACK), persons=round(count * 1.001) + 20, folder=Path(folder), today=TODAY, seed=seed
        )
        people = pl.concat(
            pl.read_parquet(file).with_columns(home=pl.lit(file.stem) + pl.col("household"))
            for file in sorted(Path(folder).glob("*.parquet"))
        ).head(count)
    child = pl.col("relation").is_in(["20", "30"])
    parent = pl.col("relation").is_in(["02", "11", "12"])
    second = child & (child.cum_sum().over("home") == 2)
    chance = pl.col("number").hash(seed).mod(10_000) / 10_000
    elder = pl.col("born_on").filter(child).first().over("home")
    elder_name = pl.col("name").filter(child).first().over("home")
    length = pl.col("name").str.len_chars()
    return people.with_columns(
        mother=pl.when(child).then(pl.col("name").filter(parent & (pl.col("sex") == "2")).first().over("home")),
        father=pl.when(child).then(pl.col("name").filter(parent & (pl.col("sex") == "1")).first().over("home")),
        born_on=pl.when(second & (chance < TWINS)).then(elder).otherwise("born_on").dt.strftime("%Y-%m-%d"),
        name=pl.when(second & (chance < 0.3) & (length == 3) & (elder_name.str.len_chars() == 3))
        .then(elder_name.str.slice(0, 2) + pl.col("name").str.slice(2))
        .otherwise("name"),
        division=pl.col("division_code").str.slice(0, 6),
    ).select("number", "name", "born_on", "sex", "division", "address", "mother", "father")


class _Clerk:
    """Somebody who writes people down."""

    def __init__(self, random: Random, addresses: Sequence[str]) -> None:
        from pypinyin import lazy_pinyin

        from furong.registries.population.linkage.keys import blur

        self.random, self.addresses = random, addresses
        self.sounds: dict[str, str] = {}
        self.alike: dict[str, list[str]] = defaultdict(list)
        self.by_ear: dict[str, list[str]] = defaultdict(list)
        # The 3,755 characters of everyday use (GB 2312, first level).
        for character in (
            bytes((row, cell)).decode("gb2312", "ignore") for row in range(0xB0, 0xD8) for cell in range(0xA1, 0xFF)
        ):
            if character:
                self.sounds[character] = sound = lazy_pinyin(character)[0]
                self.alike[sound].append(character)
                self.by_ear[blur(sound)].append(character)
        self.every = list(self.sounds)
        self.blur = blur

    def slip(self, row: dict[str, Any]) -> list[str]:
        """Write a row down with its slips, and tell them."""
        made = [name for name, share in SLIPS.items() if self.random.random() < share]
        return [name for name in made if getattr(self, f"_{name}")(row) is not False]

    def _swap(self, text: str, place: int, to: str) -> str:
        return text[:place] + to + text[place + 1 :]

    def _other(self, name: str, alike: dict[str, list[str]], *, by_ear: bool = False) -> str:
        place = self.random.randrange(len(name))
        sound = self.sounds.get(name[place], "")
        key = self.blur(sound) if by_ear else sound
        found = [one for one in alike.get(key, []) if one != name[place] and not (by_ear and self.sounds[one] == sound)]
        return self._swap(name, place, self.random.choice(found)) if found else name

    def _changed(self, row: dict[str, Any], field: str, value: Any) -> bool:
        before, row[field] = row[field], value
        return bool(before != value)

    def _name_homophone(self, row: dict[str, Any]) -> bool:
        return self._changed(row, "name", self._other(row["name"], self.alike))

    def _name_by_ear(self, row: dict[str, Any]) -> bool:
        return self._changed(row, "name", self._other(row["name"], self.by_ear, by_ear=True))

    def _name_other_character(self, row: dict[str, Any]) -> bool:
        name = row["name"]
        return self._changed(
            row, "name", self._swap(name, self.random.randrange(len(name)), self.random.choice(self.every))
        )

    def _name_character_left_out(self, row: dict[str, Any]) -> bool:
        return len(row["name"]) > 2 and self._changed(row, "name", row["name"][:-1])

    def _name_characters_swapped(self, row: dict[str, Any]) -> bool:
        name = row["name"]
        return len(name) > 2 and self._changed(row, "name", name[:-2] + name[-1] + name[-2])

    def _name_changed(self, row: dict[str, Any]) -> bool:
        given = "".join(self.random.choice(self.every) for _ in range(2))
        return self._changed(row, "name", row["name"][0] + given)

    def _birth_day_and_month_swapped(self, row: dict[str, Any]) -> bool:
        year, month, day = row["born_on"].split("-")
        return int(day) <= 12 and self._changed(row, "born_on", f"{year}-{day}-{month}")

    def _birth_digit_wrong(self, row: dict[str, Any]) -> bool:
        text = row["born_on"]
        place = self.random.choice([2, 3, 5, 6, 8, 9])
        wrong = self._swap(text, place, str(self.random.randrange(10)))
        try:
            date.fromisoformat(wrong)
        except ValueError:
            return False
        return self._changed(row, "born_on", wrong)

    def _birth_first_of_month(self, row: dict[str, Any]) -> bool:
        return self._changed(row, "born_on", row["born_on"][:8] + "01")

    def _birth_missing(self, row: dict[str, Any]) -> bool:
        return self._changed(row, "born_on", None)

    def _sex_wrong(self, row: dict[str, Any]) -> bool:
        return self._changed(row, "sex", "1" if row["sex"] == "2" else "2")

    def _sex_missing(self, row: dict[str, Any]) -> bool:
        return self._changed(row, "sex", None)

    def _address_moved(self, row: dict[str, Any]) -> bool:
        return self._changed(row, "address", self.random.choice(self.addresses)) and self._changed(
            row, "division", None
        )

    def _address_written_otherwise(self, row: dict[str, Any]) -> bool:
        text = row["address"]
        text = text[text.find("省") + 1 :] if self.random.random() < 0.5 else text
        text = text.replace("号楼", "栋").replace("单元", "-") if self.random.random() < 0.5 else text
        wide = str.maketrans("0123456789", "０１２３４５６７８９")
        return self._changed(row, "address", text.translate(wide) if self.random.random() < 0.3 else text)

    def _address_digit_wrong(self, row: dict[str, Any]) -> bool:
        text = row["address"]
        places = [place for place, sign in enumerate(text) if sign.isascii() and sign.isdigit()]
        wrong = self._swap(text, self.random.choice(places), str(self.random.randrange(1, 10))) if places else text
        return self._changed(row, "address", wrong)

    def _address_missing(self, row: dict[str, Any]) -> bool:
        return self._changed(row, "address", None)

    def _parents_missing(self, row: dict[str, Any]) -> bool:
        had = bool(row["mother"] or row["father"])
        row["mother"] = row["father"] = None
        return had

    def _parent_homophone(self, row: dict[str, Any]) -> bool:
        return bool(row["mother"]) and self._changed(row, "mother", self._other(row["mother"], self.alike))
