"""Private: the names in use, and what stands against another. `queries.names` and `commands.naming` share it."""

from __future__ import annotations

from datetime import date

from django.db.models import Q

from furong.foundation.organizations import queries as organizations
from furong.foundation.organizations.values import Level

from .errors import FactsIncomplete
from .models import Name
from .names import (
    HeldName,
    NameParts,
    NameRules,
    NameVerdict,
    clashes,
    composition_problems,
    name_key,
    place_words,
    sound_of,
)
from .values import EntityKind

AREAS = ("county", "city", "province")
_LEVELS = {Level.COUNTY: "county", Level.CITY: "city", Level.PROVINCE: "province"}


def places_of(division_code: str) -> dict[str, tuple[str, tuple[str, ...]]]:
    """Return, for a place, each area a name may bear: its division code and how names may call it.

    ``{"city": (code, (short name, full name)), …}``. Raises `FactsIncomplete` for a place that is no division.
    """
    path = organizations.path_of_division(code=division_code[:6])
    if not path:
        raise FactsIncomplete(field="division")
    by_level = {_LEVELS[one.level]: one for one in path if one.level in _LEVELS}
    city = by_level["city"].name.zh if "city" in by_level else ""
    return {
        level: (by_level[level].code[:6], place_words(level=level, name=by_level[level].name.zh, city=city))
        for level in AREAS
        if level in by_level
    }


def parts_of(
    *,
    kind: EntityKind,
    trade_name: str,
    industry: str,
    industry_words: str,
    form: str,
    area: str,
    division_code: str,
    rules: NameRules,
) -> tuple[NameParts, str]:
    """Put a name together, and return it with the code of the division that it bears.

    Left out, the words for the trade are the trade's first, and the form is the kind's first. Raises `FactsIncomplete`.
    """
    places = places_of(division_code)
    if area not in places:
        raise FactsIncomplete(field="area")
    if industry and rules.industry(industry) is None:
        raise FactsIncomplete(field="industry")
    chosen = rules.industry(industry)
    forms = rules.forms.get(kind, ())
    if not forms:
        raise FactsIncomplete(field="kind")
    code, words = places[area]
    parts = NameParts(
        place=words[0],
        trade_name="".join(trade_name.split()),
        industry=industry,
        industry_words="".join(industry_words.split()) or (chosen.words[0] if chosen is not None else ""),
        form=form.strip() or forms[0],
        kind=kind,
    )
    return parts, code


def judge(
    parts: NameParts,
    *,
    area: str,
    on: date,
    rules: NameRules,
    places: tuple[str, ...] = (),
    owner: str = "",
    except_for: Name | None = None,
) -> NameVerdict:
    """Say what stands against a name on a day. Two statements by index."""
    trade = name_key(parts.trade_name)
    in_use = Q(ended_on__isnull=True) & (Q(kept_until__isnull=True) | Q(kept_until__gt=on)) | Q(blocked_until__gt=on)
    near = Q(area=area) & (
        Q(trade_key=trade) | Q(sound=sound_of(trade)) | Q(trade_key__in=_pieces(trade)) | Q(trade_key__startswith=trade)
    )
    rows = Name.objects.filter(in_use).filter(Q(name_key=name_key(parts.name)) | near)
    if except_for is not None:
        rows = rows.exclude(pk=except_for.pk)
    held = [
        HeldName(
            name=row.name,
            name_key=row.name_key,
            trade_key=row.trade_key,
            industry=row.industry,
            area=row.area,
            owner=row.owner,
        )
        for row in rows.order_by("since")[:200]
    ]
    found = composition_problems(parts, rules, places=places)
    return NameVerdict(name=parts.name, findings=(*found, *clashes(parts, held, area=area, owner=owner)))


def _pieces(trade: str) -> list[str]:
    """The trade names of two characters or more that lie in this one."""
    found = {trade[i:j] for i in range(len(trade)) for j in range(i + 2, len(trade) + 1)}
    return sorted(found - {trade})[:200]


def names_of_places(division_code: str) -> tuple[str, ...]:
    """Return what the place, its city and its province are called, as trade names may not be."""
    return tuple(word for _, words in places_of(division_code).values() for word in words)
