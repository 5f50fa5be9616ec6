"""Writes of search: what is to be indexed anew, what editors put on top, and the counts of what was asked."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime

from django.db import connection
from django.db.models import DateTimeField, Func

from furong.domains.search import models
from furong.domains.search.analysis.folding import clean, fold
from furong.domains.search.errors import BetNotFound, BetRefused
from furong.domains.search.scrubbing import scrub
from furong.domains.search.values import MANAGE
from furong.foundation.access import queries as access
from furong.foundation.access.values import Actor
from furong.foundation.audit.commands import command, current
from furong.foundation.organizations import queries as organizations

KEPT_DAYS = 3  # applied changes are kept so long: a rebuild that takes longer than that begins again
TALLIES_KEPT_DAYS = 400
LONGEST_BET_DAYS = 366

_TALLY = """
INSERT INTO search_tally (day, token, words, searches, without_result, clicks, ranks)
SELECT * FROM unnest(%s::date[], %s::text[], %s::text[], %s::int[], %s::int[], %s::int[], %s::int[])
    ON CONFLICT (day, token) DO UPDATE
   SET searches = search_tally.searches + excluded.searches,
       without_result = search_tally.without_result + excluded.without_result,
       clicks = search_tally.clicks + excluded.clicks,
       ranks = search_tally.ranks + excluded.ranks,
       words = CASE WHEN search_tally.words = '' THEN excluded.words ELSE search_tally.words END
"""


def touch(*, keys: Iterable[str], now: datetime) -> int:
    """Note, in the transaction that is open, that documents changed or are gone; the index follows after it.

    Returns how many. One statement for each 5,000 keys; naming a key twice does no harm.
    """
    wanted = list(dict.fromkeys(keys))
    models.Change.objects.bulk_create((models.Change(key=key[:200], at=now) for key in wanted), batch_size=5_000)
    return len(wanted)


def add_tallies(rows: Sequence[tuple[date, str, str, int, int, int, int]]) -> None:
    """Add counts of questions:

    day, token, scrubbed words, searches, without result, clicks, sum of places.
    """
    if not rows:
        return
    with connection.cursor() as cursor:
        cursor.execute(_TALLY, [list(column) for column in zip(*sorted(rows), strict=True)])


@command("search.place_best_bet")
def place_best_bet(
    *, words: str, title: str, address: str, note: str, until_on: date, today: date, actor: Actor, now: datetime
) -> int:
    """Put an address on top of the results of one question until a day, in the name of the actor's office.

    Returns its number. Raises BetRefused for an empty question, an address that is no path and no http(s) address, and an end
    that is past or over a year away.
    """
    access.require(actor=actor, right=MANAGE)
    folded = " ".join(fold(words).split())
    is_path = address.startswith("/") and not address.startswith("//")
    if not folded or not title.strip() or scrub(words) != " ".join(clean(words).split()):
        raise BetRefused
    if not (is_path or address.startswith(("http://", "https://"))) or any(one.isspace() for one in address):
        raise BetRefused
    if not today < until_on or (until_on - today).days > LONGEST_BET_DAYS or actor.organization_id is None:
        raise BetRefused
    office = organizations.get_organization(organization_id=actor.organization_id)
    row = models.BestBet.objects.create(
        words=clean(words)[:200],
        folded=folded[:200],
        title=clean(title)[:200],
        address=address[:500],
        note=clean(note)[:500],
        owner_id=office.id,
        owner_label=office.name.zh,
        until_on=until_on,
        made_at=now,
    )
    current().object("search_best_bet", row.pk)
    return int(row.pk)


@command("search.end_best_bet")
def end_best_bet(*, bet_id: int, actor: Actor, now: datetime) -> None:
    """Take a best bet down. Raises BetNotFound when it is down already or nobody's."""
    access.require(actor=actor, right=MANAGE)
    if not models.BestBet.objects.filter(pk=bet_id, ended_at=None).update(ended_at=now):
        raise BetNotFound
    current().object("search_best_bet", bet_id)


def tidy(*, now: datetime, today: date) -> None:
    """Throw away applied changes and old counts."""
    from datetime import timedelta

    models.Change.objects.filter(applied_at__lt=now - timedelta(days=KEPT_DAYS)).delete()
    models.Tally.objects.filter(day__lt=today - timedelta(days=TALLIES_KEPT_DAYS)).delete()


def mark_applied(*, ids: Sequence[int]) -> None:
    """Note that changes are in the index, by the database's own clock."""
    clock = Func(function="clock_timestamp", output_field=DateTimeField())
    for start in range(0, len(ids), 10_000):
        models.Change.objects.filter(id__in=ids[start : start + 10_000], applied_at=None).update(applied_at=clock)


def store_stamps(*, source: str, changed: Iterable[tuple[str, str]], gone: Iterable[str], now: datetime) -> None:
    """Note how a source looks now, and that what differs is to be indexed anew. One transaction."""
    from django.db import transaction

    new, old = list(changed), list(gone)
    if not new and not old:
        return
    with transaction.atomic():
        models.Stamp.objects.bulk_create(
            (models.Stamp(key=key, source=source, stamp=stamp) for key, stamp in new),
            update_conflicts=True,
            unique_fields=["key"],
            update_fields=["stamp", "source"],
            batch_size=2_000,
        )
        models.Stamp.objects.filter(key__in=old).delete()
        touch(keys=[*(key for key, _ in new), *old], now=now)
