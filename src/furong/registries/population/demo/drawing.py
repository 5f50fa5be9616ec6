"""Drawing households by chance: couples, children, grandparents, with ages and names that fit. The same for the same seed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from random import Random

from furong.foundation.codes.checks import mod_11_2

from ..values import FEMALE, MALE
from .content import GENERATIONS, Content, Place

_GENERATION_ENDS = (1966, 1986, 2006, 9999)
_DAYS_A_YEAR = 365.2425
# Shares of households by shape, after the seventh census's household sizes.
_SHAPES = (
    ("old_alone", 7),
    ("alone", 9),
    ("couple", 17),
    ("old_couple", 9),
    ("family", 33),
    ("three_generations", 18),
    ("single_parent", 7),
)


@dataclass(slots=True)
class Drawn:
    """A person drawn. ``index`` is their place in the whole; relations name the others by it."""

    index: int
    name: str
    sex: str
    ethnicity: str
    born_on: date
    relation: str = "97"
    number: str = ""
    mother: int | None = None
    father: int | None = None
    spouse: int | None = None
    married_on: date | None = None
    marital: str = "10"
    key: str = ""


@dataclass(slots=True)
class DrawnHousehold:
    """A household drawn: where, and who, the head first."""

    place_code: str
    address: str
    members: list[Drawn] = field(default_factory=list)


class Numbers:
    """Gives identity numbers of the reserved county codes, each once."""

    def __init__(self) -> None:
        self._last: dict[tuple[str, int], int] = {}

    def next(self, *, division: str, born_on: date, sex: str) -> str:
        """Return a number whose county is invented and whose city is the division's."""
        county = f"{division[:4]}9{int(division[4:6]) % 10}"
        day = born_on.strftime("%Y%m%d")
        parity = 1 if sex == MALE else 0
        key = (county + day, parity)
        sequence = self._last.get(key, 0) + 1
        self._last[key] = sequence
        body = f"{county}{day}{sequence * 2 - parity:03d}"
        return body + mod_11_2(body)


def draw_households(
    *, content: Content, random: Random, today: date, numbers: Numbers, first_index: int, count: int
) -> Iterator[DrawnHousehold]:
    """Draw households until they hold exactly ``count`` people together."""
    artist = _Artist(content, random, today, numbers, first_index)
    left = count
    while left > 0:
        household = artist.household()
        if len(household.members) > left:
            household = artist.alone_instead(household)
        left -= len(household.members)
        yield household


class _Artist:
    def __init__(self, content: Content, random: Random, today: date, numbers: Numbers, first_index: int) -> None:
        self.content = content
        self.random = random
        self.today = today
        self.numbers = numbers
        self.index = first_index
        self._shapes = [shape for shape, share in _SHAPES for _ in range(share)]
        self._given = [content.given[name] for name in GENERATIONS]

    def household(self) -> DrawnHousehold:
        place = self.random.choice(self.content.places)
        household = DrawnHousehold(place.code, self._address(place))
        getattr(self, f"_{self.random.choice(self._shapes)}")(household)
        return household

    def alone_instead(self, household: DrawnHousehold) -> DrawnHousehold:
        """The last household, when only one person is left to draw: its members are taken back."""
        self.index = household.members[0].index
        fresh = DrawnHousehold(household.place_code, household.address)
        self._alone(fresh)
        return fresh

    # --- shapes -------------------------------------------------------------------------------------------------

    def _old_alone(self, household: DrawnHousehold) -> None:
        person = self._person(household, self._sex(0.36), self._age(66, 92), "02")
        person.marital = "30"

    def _alone(self, household: DrawnHousehold) -> None:
        person = self._person(household, self._sex(0.55), self._age(20, 62), "02")
        person.marital = "40" if self._years(person) > 35 and self.random.random() < 0.5 else "10"

    def _couple(self, household: DrawnHousehold) -> None:
        self._pair(household, self._age(24, 58))

    def _old_couple(self, household: DrawnHousehold) -> None:
        self._pair(household, self._age(62, 86))

    def _family(self, household: DrawnHousehold) -> None:
        husband, wife = self._pair(household, self._age(25, 52))
        self._children(household, husband, wife, most=3)

    def _single_parent(self, household: DrawnHousehold) -> None:
        parent = self._person(household, self._sex(0.25), self._age(27, 50), "02")
        parent.marital = "40" if self.random.random() < 0.8 else "30"
        self._children(household, parent, None, most=2)

    def _three_generations(self, household: DrawnHousehold) -> None:
        husband, wife = self._pair(household, self._age(26, 48))
        born = husband.born_on
        mother = self._person(household, FEMALE, self._before(born, 20, 33), "52", ethnicity=husband.ethnicity)
        husband.mother = mother.index
        if self.random.random() < 0.72:
            father = self._person(
                household,
                MALE,
                self._before(born, 22, 36),
                "51",
                surname=self._surname_of(husband.name),
                ethnicity=husband.ethnicity,
            )
            husband.father = father.index
            self._marry(father, mother, self._between(mother.born_on, 19, 24))
        else:
            mother.marital = "30"
        self._children(household, husband, wife, most=3)

    # --- people -------------------------------------------------------------------------------------------------

    def _pair(self, household: DrawnHousehold, born_on: date) -> tuple[Drawn, Drawn]:
        husband = self._person(household, MALE, born_on, "02")
        near = born_on + timedelta(days=int(self.random.gauss(1.6, 2.4) * _DAYS_A_YEAR))
        youngest = self.today - timedelta(days=int(20.5 * _DAYS_A_YEAR))
        wife = self._person(household, FEMALE, min(near, youngest), "12")
        self._marry(husband, wife, self._between(max(husband.born_on, wife.born_on), 20, 28))
        return husband, wife

    def _marry(self, one: Drawn, other: Drawn, on: date) -> None:
        on = min(on, self.today - timedelta(days=self.random.randrange(20, 400)))
        for person, spouse in ((one, other), (other, one)):
            person.spouse, person.married_on, person.marital = spouse.index, on, "21"

    def _children(self, household: DrawnHousehold, one: Drawn, other: Drawn | None, *, most: int) -> None:
        mother = one if one.sex == FEMALE else other
        start = max(person.born_on for person in (one, other) if person is not None)
        born = self._between(start, 21, 29)
        orders = {MALE: 0, FEMALE: 0}
        for number in range(most):
            # a grown child has mostly a household of their own
            if born >= self.today or (self._years_on(born) > 24 and self.random.random() < 0.75):
                break
            sex = self._sex(0.52)
            surname = self._surname_of(one.name)
            parents = [person for person in (one, other) if person is not None]
            child = self._person(
                household,
                sex,
                born,
                ("22", "23", "24")[orders[sex]] if sex == MALE else ("32", "33", "34")[orders[sex]],
                surname=surname,
                ethnicity=self.random.choice(parents).ethnicity,
            )
            orders[sex] += 1
            child.mother = mother.index if mother is not None else None
            father = one if one.sex == MALE else None
            child.father = father.index if father is not None else None
            if self.random.random() > (0.52, 0.16, 0.0)[number]:
                break
            born = born + timedelta(days=self.random.randrange(500, 2600))

    def _person(
        self,
        household: DrawnHousehold,
        sex: str,
        born_on: date,
        relation: str,
        *,
        surname: str = "",
        ethnicity: str = "",
    ) -> Drawn:
        group = ethnicity or self.content.ethnicities_of(household.place_code).draw(self.random)
        family = surname or self.content.surnames.get(group, self.content.surnames["default"]).draw(self.random)
        person = Drawn(
            self.index,
            family + self._given_name(sex, born_on.year),
            sex,
            group,
            born_on,
            relation,
            self.numbers.next(division=household.place_code, born_on=born_on, sex=sex),
        )
        self.index += 1
        household.members.append(person)
        return person

    def _given_name(self, sex: str, year: int) -> str:
        generation = 0
        while year >= _GENERATION_ENDS[generation]:
            generation += 1
        pool = self._given[generation][sex]
        first = pool[int(self.random.random() * len(pool))]
        if self.random.random() < 0.16:
            return first
        second = pool[int(self.random.random() * len(pool))]
        return first if second == first else first + second

    def _surname_of(self, name: str) -> str:
        return name[:2] if name[:2] in self._compound else name[0]

    @property
    def _compound(self) -> frozenset[str]:
        return frozenset({"欧阳", "司马", "上官", "令狐", "尉迟", "诸葛"})

    def _sex(self, share_of_men: float) -> str:
        return MALE if self.random.random() < share_of_men else FEMALE

    def _age(self, youngest: int, oldest: int) -> date:
        days = self.random.uniform(youngest, oldest) * _DAYS_A_YEAR
        return self.today - timedelta(days=int(days))

    def _before(self, day: date, least: int, most: int) -> date:
        return day - timedelta(days=int(self.random.uniform(least, most) * _DAYS_A_YEAR))

    def _between(self, start: date, least: int, most: int) -> date:
        return start + timedelta(days=int(self.random.uniform(least, most) * _DAYS_A_YEAR))

    def _years(self, person: Drawn) -> int:
        return self._years_on(person.born_on)

    def _years_on(self, born_on: date) -> int:
        return int((self.today - born_on).days / _DAYS_A_YEAR)

    def _address(self, place: Place) -> str:
        ending = place.endings[int(self.random.random() * len(place.endings))]
        r = self.random.random
        return place.address + ending.format(
            a=1 + int(r() * 19), b=1 + int(r() * 4), c=1 + int(r() * 17), d=1 + int(r() * 4), e=1 + int(r() * 188)
        )
