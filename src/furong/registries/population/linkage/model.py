"""The model: how alike two rows are in each respect, and what each likeness is worth. Decision 31 says where figures come from.

Two rows of one household agree on everything that is the household's: address, mother, father. Counted one by one, as if chance
had to bring each about, they would make brothers one person. They are one respect here, and what it can add is bounded.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from splink import SettingsCreator
from splink.internals.blocking_rule_library import block_on

from .preparing import KEYS, one_character

# Days on which two strangers of a population are born alike; files of one school year are told apart by how often a day comes.
USUAL_BIRTH = 4.2e-5


@dataclass(frozen=True, slots=True)
class Level:
    """A degree of likeness: its word in the answers, its condition, how often it holds of one person (m) and of two (u).

    ``by_frequency`` names the column whose frequent values are worth less than its rare ones.
    """

    word: str
    condition: str
    m: float
    u: float
    by_frequency: str = ""


_UNKNOWN = "unknown"
RESPECTS: Mapping[str, tuple[Level, ...]] = {
    "number": (
        Level(_UNKNOWN, "number_l IS NULL OR number_r IS NULL", 0, 0),
        Level("equal", "number_l = number_r", 0.985, 1e-7),
        Level("differs", "", 0.015, 1.0),
    ),
    "name": (
        Level(_UNKNOWN, "name_l IS NULL OR name_r IS NULL", 0, 0),
        Level("equal", "name_l = name_r", 0.92, 1.2e-5, "name"),
        Level("former", "name_l = former_name_r OR former_name_l = name_r", 0.004, 1e-5),
        Level("sounds_equal", "sound_l = sound_r", 0.045, 3e-5, "sound"),
        Level("sounds_alike", "blur_l = blur_r", 0.008, 4e-5),
        Level("changed_places", "letters_l = letters_r", 0.003, 1e-5),
        Level(
            "one_character",
            one_character("name_l", "name_r"),
            0.014,
            2.4e-3,
        ),
        Level("sounds_near", "levenshtein(sound_l, sound_r) <= 2", 0.002, 6e-4),
        Level("differs", "", 0.004, 0.997),
    ),
    "birth": (
        Level(_UNKNOWN, "born_l IS NULL OR born_r IS NULL", 0, 0),
        Level("equal", "born_l = born_r", 0.945, USUAL_BIRTH, "born"),
        Level("day_and_month_swapped", "born_key_l = born_key_r", 0.015, 2.4e-5),
        Level("one_digit", "levenshtein(born_l, born_r) = 1", 0.022, 1.1e-3),
        Level("year_differs", "born_day_l = born_day_r", 0.006, 4e-3),
        Level("day_differs", "substr(born_l, 1, 6) = substr(born_r, 1, 6)", 0.006, 1.2e-3),
        Level("differs", "", 0.006, 0.9935),
    ),
    "sex": (
        Level(_UNKNOWN, "sex_l IS NULL OR sex_r IS NULL", 0, 0),
        Level("equal", "sex_l = sex_r", 0.994, 0.5),
        Level("differs", "", 0.006, 0.5),
    ),
    "household": (
        Level(
            _UNKNOWN,
            "(address_l IS NULL OR address_r IS NULL) AND (mother_l IS NULL OR mother_r IS NULL) "
            "AND (father_l IS NULL OR father_r IS NULL)",
            0,
            0,
        ),
        Level("address_and_parent", "address_l = address_r AND (mother_l = mother_r OR father_l = father_r)", 0.25, 1e-3),
        Level("both_parents", "mother_l = mother_r AND father_l = father_r", 0.05, 2e-4),
        Level("address", "address_l = address_r", 0.45, 1e-3),
        Level("one_parent", "mother_l = mother_r OR father_l = father_r", 0.04, 2e-3),
        Level("place", "place_l = place_r", 0.08, 4e-3),
        Level("division", "division_l = division_r", 0.02, 2e-2),
        Level("differs", "", 0.11, 0.97),
    ),
}  # fmt: skip
FREQUENCIES = ("name", "sound", "born")
_USUAL = {
    level.by_frequency: level.u for levels in RESPECTS.values() for level in levels if level.by_frequency
}  # what a value is worth that no file says anything about
# So many rows of people unseen stand beside those of the files, lest a name that stands once among ten people count as frequent.
_UNSEEN = 5_000


def settings(
    *, kind: Literal["link_only", "dedupe_only", "link_and_dedupe"], prior: float, birth: float
) -> SettingsCreator:
    """Give splink's settings.

    ``prior`` is how likely two rows drawn at random are one person; ``birth`` how likely two strangers here are born on one day:
    where they are all of one age, what differs by a digit says as little as what is equal.
    """
    return SettingsCreator(
        link_type=kind,
        unique_id_column_name="row",
        probability_two_random_records_match=prior,
        comparisons=[
            _comparison(name, levels, crowding=max(1.0, birth / USUAL_BIRTH)) for name, levels in RESPECTS.items()
        ],
        blocking_rules_to_generate_predictions=[block_on(key) for key in KEYS],
        retain_matching_columns=True,
        retain_intermediate_calculation_columns=False,
        additional_columns_to_retain=["id"],
    )


def frequencies_sql(column: str, tables: tuple[str, ...]) -> str:
    """Give the SQL of a table of how frequent each value of a column is in all files together."""
    every = " UNION ALL ".join(f"SELECT {column} FROM {table} WHERE {column} IS NOT NULL" for table in tables)
    return (
        f"SELECT {column}, (count(*) + {_UNSEEN * _USUAL[column]}) / (sum(count(*)) OVER () + {_UNSEEN}) AS tf_{column} "
        f"FROM ({every}) GROUP BY {column}"
    )


def word_sql(respect: str) -> str:
    """Give the SQL that turns splink's level of a respect into its word."""
    levels = RESPECTS[respect]
    words = " ".join(
        f"WHEN {-1 if level.word == _UNKNOWN else len(levels) - 1 - place} THEN '{level.word}'"
        for place, level in enumerate(levels)
    )
    return f"CASE gamma_{respect} {words} END"


def _comparison(name: str, levels: tuple[Level, ...], *, crowding: float) -> dict[str, Any]:
    return {
        "output_column_name": name,
        "comparison_levels": [_level(level, crowding if name == "birth" else 1.0) for level in levels],
    }


def _level(level: Level, crowding: float) -> dict[str, Any]:
    said: dict[str, Any] = {"sql_condition": level.condition or "ELSE", "label_for_charts": level.word}
    if level.word == _UNKNOWN:
        return said | {"is_null_level": True}
    said |= {
        "m_probability": level.m,
        "u_probability": min(level.u * crowding, 1.0 if not level.condition else 0.3),
        "fix_m_probability": True,
        "fix_u_probability": True,
    }
    if level.by_frequency:
        # The level's own u is what frequencies are measured against.
        said |= {
            "u_probability": level.u,
            "tf_adjustment_column": level.by_frequency,
            "tf_adjustment_weight": 1.0,
            "disable_tf_exact_match_detection": True,
        }
    return said
