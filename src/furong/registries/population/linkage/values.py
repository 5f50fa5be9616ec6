"""What is matched, how, and what comes of it. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path


class LinkKind(StrEnum):
    """What is looked for: the same people in two files, people who stand twice in a file, or either."""

    LINK = "link"
    DEDUPE = "dedupe"
    BOTH = "both"


class Verdict(StrEnum):
    """What a pair is: the same person, or something a person should look at."""

    MATCH = "match"
    REVIEW = "review"


class FoundBy(StrEnum):
    """What brought a pair together."""

    NUMBER = "number"
    LIKENESS = "likeness"


# What a file may say of a person, and what its columns are usually called.
USUAL_NAMES: Mapping[str, tuple[str, ...]] = {
    "id": ("id", "编号", "序号"),
    "number": ("number", "公民身份号码", "身份证号", "身份证号码", "身份证件号码", "证件号码"),
    "name": ("name", "姓名"),
    "former_name": ("former_name", "曾用名"),
    "born_on": ("born_on", "出生日期", "出生年月日", "出生年月"),
    "sex": ("sex", "性别"),
    "division": ("division", "division_code", "行政区划", "行政区划代码", "区划代码"),
    "address": ("address", "地址", "住址", "户籍地址", "家庭住址", "现住址"),
    "mother": ("mother", "母亲", "母亲姓名"),
    "father": ("father", "父亲", "父亲姓名"),
}
FIELDS = tuple(USUAL_NAMES)

# Words that say nothing; whoever has none of something is not like all the others who have none.
PLACEHOLDERS = (
    "无",
    "不详",
    "未知",
    "暂无",
    "无名氏",
    "无名",
    "未填",
    "空",
    "NULL",
    "NONE",
    "NAN",
    "N/A",
    "NA",
    "-",
    "—",
    "/",
    "0",
)

# A block of more pairs than these is a placeholder nobody knew; it is left out, and told.
MOST_PAIRS_A_BLOCK = 1_000_000
# Left rows that are scored at once.
PART_ROWS = 250_000
# From here on a pair is a match, and from there on worth a look. Measured in decision 31.
MATCH_FROM = 0.95
REVIEW_FROM = 0.5
# Of two candidates for one row that are nearer to each other than this many bits, a person chooses.
MARGIN_BITS = 3.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """One file: where it lies, and which of its columns holds which field; what is left out goes by its usual name."""

    path: Path
    columns: Mapping[str, str] = field(default_factory=dict)
    separator: str = ","


@dataclass(frozen=True, slots=True, kw_only=True)
class Linked:
    """What came of a comparison. ``ignored_blocks`` are placeholders that were found to mean nothing."""

    left_rows: int
    right_rows: int
    fields: tuple[str, ...]
    matches: int
    reviews: int
    by_number: int
    candidates: int
    ignored_blocks: int
    seconds: float
