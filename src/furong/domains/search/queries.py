"""Reads of search: a page of results, suggestions, how the index stands, and what was looked for in vain."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from django.db import connection
from django.db.models import Sum

from furong.domains.search import counting, models, serving, sources
from furong.domains.search.analysis.folding import fold
from furong.domains.search.engine.tantivy_engine import TantivyEngine
from furong.domains.search.errors import IndexMissingError, NothingAsked, ResultGone
from furong.domains.search.lexicon import offered
from furong.domains.search.planning import Plan, cards_of, standing
from furong.domains.search.values import (
    MAX_QUERY_CHARACTERS,
    PUBLIC,
    Document,
    Hit,
    Kind,
    Page,
    Query,
    Suggestion,
)
from furong.domains.search.wording import vocabulary
from furong.foundation.access import queries as access
from furong.foundation.access.values import Actor

CARDS, REFILLS, FEW, WAITING = 3, 3, 3, 2_000

_REPORT = """
SELECT (array_agg(words ORDER BY length(words) DESC))[1] AS words, sum(searches)::int AS searches,
       sum(without_result)::int AS without_result, sum(clicks)::int AS clicks
  FROM search_tally WHERE day >= %s GROUP BY token HAVING sum(searches) >= %s AND bool_or(words <> '')
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bet:
    """What an editor put on top."""

    title: str
    address: str
    note: str
    owner: str
    until_on: date
    id: int = 0
    words: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Results:
    """What a page of results shows. ``cards`` are the services that answer; ``page`` has everything else.

    ``shown_for`` is set when results are for another spelling than was typed, ``meant`` when one is only offered.
    """

    text: str
    page: Page
    cards: tuple[Hit, ...] = ()
    bets: tuple[Bet, ...] = ()
    shown_for: str = ""
    meant: str = ""
    token: str = ""
    is_cut_short: bool = False
    cards_are_whole: bool = True

    @property
    def total(self) -> int:
        """How many were found in all."""
        return self.page.total if self.page.is_estimate else self.page.total + len(self.cards)

    @property
    def whole(self) -> int:
        """How many hold enough of what was said."""
        return self.page.whole + (len(self.cards) if self.cards_are_whole else 0)


def search(*, query: Query, actor: Actor, as_typed: bool = False, counted: bool = True) -> Results:
    """Find a page of results for an actor, whose own rights count, whatever the query says of rights.

    Each hit is asked of the database again; what may not be shown is taken out of counts and facets too.
    ``as_typed``: no help with spelling. Raises NothingAsked for a question without words, and IndexMissingError.
    """
    engine = serving.engine(on=query.today)
    query = replace(
        query,
        rights=sources.rights_of(actor),
        text=query.text[: 4 * MAX_QUERY_CHARACTERS],
        hidden=query.hidden | _hidden_meanwhile(actor),
    )
    read = engine.plan(query.text)
    if read.is_empty:
        raise NothingAsked
    found = _found(engine, read, query, actor)
    shown_for = meant = ""
    if not as_typed and found.whole < FEW:
        better = spelling(text=query.text, on=query.today)
        if better:
            other = _found(engine, engine.plan(better), replace(query, text=better), actor)
            if other.total and (not found.total or (read.folded.isascii() and other.cards and not found.cards)):
                found, shown_for = other, better
            elif other.whole > found.whole:
                meant = better
    if counted and PUBLIC in query.rights and query.first == 0 and not actor.is_staff and not _is_narrowed(query):
        counting.count_search(text=query.text, found=0 if shown_for else found.total, today=query.today)
    return replace(
        found,
        text=query.text,
        bets=_bets(read, query.today, query.shown_in) if query.first == 0 else (),
        shown_for=shown_for,
        meant=meant,
        token=counting.token_of(query.text),
        is_cut_short=read.is_cut_short,
    )


def spelling(*, text: str, on: date) -> str:
    """Say what was probably meant, empty when nothing better is known."""
    engine = serving.engine(on=on)
    return serving.serving().lexicon(on=on).correct(text, frequency=engine.frequency)


def suggest(*, typed: str, actor: Actor, on: date, size: int = 8, shown_in: str = "zh") -> tuple[Suggestion, ...]:
    """Return what may be offered while somebody types, that in the reader's language first.

    What is hidden by now is left out.
    """
    chinese = serving.serving().lexicon(on=on)
    ways = [chinese] if chinese.english is None else [chinese, chinese.english]
    if shown_in == "en":
        ways.reverse()
    phrases = [one for way in ways for one in way.suggest(typed, size=size + 4)][: size + 4]
    allowed = sources.visible((one.key for one in phrases if one.key), actor=Actor.anonymous())
    return offered([one for one in phrases if not one.key or one.key in allowed][:size])


def address_to_open(*, key: str, actor: Actor, on: date) -> str:
    """Return where a result leads. Raises ResultGone when it is gone or hidden: the answer is the same."""
    found = serving.engine(on=on).find(key=key[:200], rights=sources.rights_of(actor))
    if found is None or not sources.visible([key], actor=actor):
        raise ResultGone
    return found.address


def _found(engine: TantivyEngine, read: Plan, query: Query, actor: Actor) -> Results:
    cards: tuple[Hit, ...] = ()
    cards_are_whole = True
    if not query.kinds:
        only = replace(query, kinds=(Kind.SERVICE.value,), first=0, size=CARDS, with_count=False)
        services = _checked(engine, read, only, actor)
        cards_are_whole = bool(services.whole)
        cards = cards_of(services, plan=read)
    rest = replace(query, hidden=query.hidden | {hit.key for hit in cards})
    page = _checked(engine, read, rest, actor)
    if cards:
        one = replace(rest, first=0, with_count=False, with_snippets=False)
        first = page if query.first == 0 else _checked(engine, read, one, actor)
        kept = standing(cards, plan=read, above=first.hits)
        if len(kept) < len(cards):
            cards = kept
            page = _checked(engine, read, replace(query, hidden=query.hidden | {hit.key for hit in cards}), actor)
    return Results(text=query.text, page=page, cards=cards, cards_are_whole=cards_are_whole)


def _hidden_meanwhile(actor: Actor) -> frozenset[str]:
    """What changed, is not in the index yet, and may not be shown any more: it is not counted either. One indexed read."""
    waiting = models.Change.objects.filter(applied_at=None).order_by("id").values_list("key", flat=True)[:WAITING]
    keys = frozenset(waiting)
    return keys - sources.visible(keys, actor=actor) if keys else keys


def _checked(engine: TantivyEngine, read: Plan, query: Query, actor: Actor) -> Page:
    """Ask the database about each hit; look again without those that it refuses, so that they are not counted either."""
    page = engine.search_plan(read, query)
    for _ in range(REFILLS):
        keys = [hit.key for hit in page.hits]
        refused = frozenset(keys) - sources.visible(keys, actor=actor)
        if not refused:
            return page
        query = replace(query, hidden=query.hidden | refused)
        page = engine.search_plan(read, query)
    allowed = sources.visible([hit.key for hit in page.hits], actor=actor)
    kept = tuple(hit for hit in page.hits if hit.key in allowed)
    return replace(page, hits=kept, total=page.total - (len(page.hits) - len(kept)))


def _is_narrowed(query: Query) -> bool:
    return bool(query.kinds or query.sites or query.departments or query.audiences or query.years or query.since)


def _bets(read: Plan, today: date, shown_in: str) -> tuple[Bet, ...]:
    """What editors put on top of this question, whatever words around it say nothing (生孩子要办什么)."""
    ways = {read.folded, "".join(group.said for group in read.groups)}
    rows = models.BestBet.objects.filter(folded__in=ways, ended_at=None, until_on__gt=today).order_by("id")[:3]
    own = [_bet(row) for row in rows]
    departments: dict[str, str] = {}
    packed = [
        one for one in vocabulary(on=today).bets if one.until > today and any(fold(word) in ways for word in one.words)
    ]
    if packed:
        from furong.foundation.organizations import queries as organizations

        departments = {one.code: one.name.pick(shown_in) for one in organizations.list_departments()}
    return (
        *own,
        *(
            Bet(
                title=one.title.pick(shown_in),
                address=one.address,
                note=one.note.pick(shown_in) if one.note is not None else "",
                owner=departments.get(one.owner, ""),
                until_on=one.until,
            )
            for one in packed
        ),
    )[:3]


def _bet(row: models.BestBet) -> Bet:
    return Bet(
        id=row.pk,
        words=row.words,
        title=row.title,
        address=row.address,
        note=row.note,
        owner=row.owner_label,
        until_on=row.until_on,
    )


def list_bets(*, actor: Actor, today: date) -> list[Bet]:
    """List the best bets of editors that stand, those that end soonest first. Raises AccessDenied."""
    from furong.domains.search.values import MANAGE

    access.require(actor=actor, right=MANAGE)
    rows = models.BestBet.objects.filter(ended_at=None, until_on__gt=today).order_by("until_on", "id")[:200]
    return [_bet(row) for row in rows]


# --- how it stands ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """How the index stands. ``oldest_seconds`` is how long the first change has waited."""

    generation: str
    documents: int
    hidden: int
    bytes: int
    made_at: str
    waiting: int
    oldest_seconds: float
    writer: str
    fits: bool
    is_current: bool

    @property
    def is_well(self) -> bool:
        """Whether there is an index, made with the words in force, and nothing waits for long."""
        return bool(self.generation) and self.fits and self.is_current and self.oldest_seconds < 60

    def lines(self) -> Iterator[tuple[str, str]]:
        """Give what a terminal shows."""
        yield "serves", self.generation or "nothing: furong search rebuild makes an index"
        if self.generation and not self.is_current:
            yield "", "an older index: the newest cannot be read; furong search rebuild"
        yield "documents", f"{self.documents:,} public, {self.hidden:,} for staff"
        yield "size", f"{self.bytes / 1e6:,.1f} MB"
        yield "made", self.made_at or "-"
        yield "words", "as in force" if self.fits else "made with other words: furong search rebuild"
        yield (
            "waiting",
            f"{self.waiting:,} changes" + (f", the first for {self.oldest_seconds:.0f} s" if self.waiting else ""),
        )
        yield "writer", f"process {self.writer}" if self.writer else "none: the worker does not run"


def get_status(*, now: datetime) -> Status:
    """Say how the index stands. Never raises for a broken index: then it says so."""
    from django.utils import timezone

    place = serving.home()
    on = timezone.localdate(now)
    waiting = models.Change.objects.filter(applied_at=None)
    first = waiting.order_by("id").values_list("at", flat=True).first()
    try:
        engine: TantivyEngine | None = serving.engine(on=on)
    except IndexMissingError:
        engine = None
    state = engine.state() if engine is not None else None
    about = place.about(state.generation) if state is not None else {}
    return Status(
        generation=state.generation if state is not None else "",
        documents=state.public if state is not None else 0,
        hidden=state.inner if state is not None else 0,
        bytes=state.bytes if state is not None else 0,
        made_at=str(about.get("made_at", "")),
        waiting=waiting.count(),
        oldest_seconds=max(0.0, (now - first).total_seconds()) if first is not None else 0.0,
        writer=place.holder("writer"),
        fits=state is not None and about.get("recipe") == state.recipe,
        is_current=state is not None and place.current() == state.generation,
    )


def get_document(*, key: str, actor: Actor, on: date) -> Document:
    """Return what the index holds of a document. Raises ResultGone."""
    found = serving.engine(on=on).find(key=key, rights=sources.rights_of(actor))
    if found is None or not sources.visible([key], actor=actor):
        raise ResultGone
    return found


# --- what was asked -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A question in a report, without personal data."""

    words: str
    searches: int
    without_result: int
    clicks: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What editors mend by: what was looked for in vain, what was found and not opened, and what is asked most."""

    searches: int
    without_result: int
    clicks: int
    in_vain: tuple[Asked, ...]
    hardly_opened: tuple[Asked, ...]
    most: tuple[Asked, ...]


def get_report(*, since: date, least: int = 2, limit: int = 50) -> Report:
    """Report on the questions since a day;

    only what was asked ``least`` times, as one alone may say too much.
    """
    counting.write_out()
    sums: dict[str, Any] = models.Tally.objects.filter(day__gte=since).aggregate(
        searches=Sum("searches"), without_result=Sum("without_result"), clicks=Sum("clicks")
    )
    return Report(
        searches=sums["searches"] or 0,
        without_result=sums["without_result"] or 0,
        clicks=sums["clicks"] or 0,
        in_vain=_asked("AND sum(without_result) > 0 ORDER BY sum(without_result) DESC, 1", since, least, limit),
        hardly_opened=_asked(
            "AND sum(without_result) = 0 AND sum(clicks) * 5 < sum(searches) ORDER BY sum(searches) DESC, 1",
            since,
            least,
            limit,
        ),
        most=_asked("ORDER BY sum(searches) DESC, 1", since, least, limit),
    )


def _asked(order: str, since: date, least: int, limit: int) -> tuple[Asked, ...]:
    with connection.cursor() as cursor:
        cursor.execute(f"{_REPORT} {order} LIMIT %s", [since, least, limit])
        return tuple(
            Asked(words=words, searches=searches, without_result=without, clicks=clicks)
            for words, searches, without, clicks in cursor.fetchall()
        )
