"""Generated government pages of realistic length, and questions for them: seeded, so that every run measures the same."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import accumulate
from pathlib import Path

TODAY = date(2026, 6, 30)
DEPARTMENTS = [f"{place}{name}" for place in ("省", "长沙市", "株洲市", "湘潭市") for name in
               ("公安", "民政", "教育", "卫生健康", "住建", "人社", "医保", "税务", "交通", "农业", "水利", "林业", "市场监管",
                "生态环境", "应急")]  # fmt: skip
SITES = [f"站点{n}" for n in range(120)]
_ENDS = ["通知", "公告", "办法", "指南", "公示", "方案", "意见", "通报", "简报", "答复"]
_COMMON = [
    "的",
    "和",
    "在",
    "等",
    "对",
    "应当",
    "按照",
    "有关",
    "工作",
    "管理",
    "单位",
    "人民政府",
    "以上",
    "规定",
    "进行",
]
_KINDS = ("page", "document", "question", "resource", "service")
_WORDS = 50_000
_POOL = (
    2_000_000  # drawn words, of which sentences are cut: drawing each word of each page would take longer than indexing
)


@dataclass(frozen=True)
class Made:
    """A page as plain values: the reader of Xapian, which runs in another Python, takes the same."""

    key: str
    kind: str
    title: str
    text: str
    site: str
    department: str
    published_on: date
    rights: tuple[str, ...]


class Maker:
    """Makes pages of 600 to 1,500 characters; words by Zipf's law over the pack's words and 47,000 real words of pypinyin."""

    def __init__(self, pack: Path, *, seed: int = 11) -> None:
        self._seed = seed
        self.words = _vocabulary(pack)
        # Mandelbrot's form of Zipf's law, as Chinese words follow it.
        weights = list(accumulate(1 / (rank + 2.7) ** 1.05 for rank in range(len(self.words))))
        self._pool = random.Random(seed).choices(self.words, cum_weights=weights, k=_POOL)

    def pages(self, first: int, count: int) -> Iterator[Made]:
        """Make pages ``first`` to ``first + count``: the same whoever makes them, and in whatever pieces."""
        pool = self._pool
        for number in range(first, first + count):
            chance = random.Random(self._seed * 1_000_003 + number)
            topic = [self.words[self._middle(chance)] for _ in range(chance.randrange(2, 5))]
            wanted = chance.randrange(600, 1500)
            pieces: list[str] = []
            size = 0
            while size < wanted:
                start = int((_POOL - 30) * chance.random())
                sentence = "".join(pool[start : start + 8 + int(16 * chance.random())])
                pieces.append(sentence)
                pieces.append("。\n" if chance.random() < 0.2 else "，")
                if chance.random() < 0.3:
                    pieces.append(topic[int(len(topic) * chance.random())])
                size += len(sentence) + 2
            yield Made(
                key=f"page:{number}",
                kind=chance.choices(_KINDS, (80, 14, 4, 1, 1))[0],
                title="关于" + "".join(topic) + _ENDS[int(len(_ENDS) * chance.random())],
                text="".join(pieces)[:1500],
                site=SITES[int(len(SITES) * chance.random() ** 2)],
                department=DEPARTMENTS[int(len(DEPARTMENTS) * chance.random() ** 1.5)],
                published_on=TODAY - timedelta(days=int(7000 * chance.random() ** 2)),
                rights=("public",) if chance.random() < 0.95 else ("staff",),
            )

    def _middle(self, chance: random.Random) -> int:
        """A word that means something: not one of the commonest, seldom one of the rarest."""
        return 100 + int((len(self.words) - 101) * chance.random() ** 4)

    def asked(self, count: int, *, seed: int = 5) -> list[tuple[str, str]]:
        """Make questions of one to four words, and the department that a third of them narrow to."""
        chance = random.Random(seed)
        found = []
        for _ in range(count):
            words = [self.words[self._middle(chance)] for _ in range(chance.choices((1, 2, 3, 4), (15, 35, 35, 15))[0])]
            department = DEPARTMENTS[int(len(DEPARTMENTS) * chance.random() ** 1.5)] if chance.random() < 0.33 else ""
            found.append(("".join(words) if chance.random() < 0.5 else " ".join(words), department))
        return found


def _vocabulary(pack: Path) -> list[str]:
    """The pack's words by how often it uses them, then real words in a seeded order."""
    from pypinyin.phrases_dict import phrases_dict
    from rjieba import Jieba

    jieba = Jieba()
    counts: Counter[str] = Counter()
    for path in sorted(pack.glob("**/*.yaml")):
        counts.update(one for one in jieba.cut(path.read_text(encoding="utf-8")) if one[0] >= "\u4e00")
    words = [*_COMMON, *(word for word, _ in counts.most_common() if len(word) > 1)]
    others = sorted(set(phrases_dict) - set(words))
    random.Random(3).shuffle(others)
    return list(dict.fromkeys([*words, *others]))[:_WORDS]
