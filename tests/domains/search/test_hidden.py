"""Somebody without rights never learns that a hidden document exists; each way of telling is planted, to see that it is seen."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from typing import Any

import pytest

from furong.domains.search import commands, counting, models, queries, serving, sources
from furong.domains.search.engine.shelf import Shelf
from furong.domains.search.errors import ResultGone
from furong.domains.search.lexicon import Phrase
from furong.domains.search.values import PUBLIC, STAFF, Query
from furong.foundation.access.values import Actor, ActorKind
from furong.foundation.codes.ids import new_id
from tests.domains.search.conftest import NOW, TODAY
from tests.domains.search.feeding import HeldSource

STRANGER = Actor.anonymous()
OFFICIAL = Actor(kind=ActorKind.STAFF, account_id=new_id(), organization_id=new_id(), post_id=new_id())
WORD, SITE, TITLE = "紫微垣", "机要局", "防汛紫微垣计划"  # said in hidden documents only
SLIP = "紫薇垣"
QUESTIONS = ("防汛", WORD, SLIP, "防汛 紫微垣 计划", "机要", "zzqxvv")
Follow = Callable[[], None]


def fill(held: HeldSource) -> list[str]:
    """Twelve notices for everybody; one document for staff, and one that was public a moment ago. Gives the keys of these two."""
    for number in range(12):
        held.put(f"p{number}", f"防汛通知第{number}号", "防汛值班。", site="水利厅", department="水利")
    inner = held.put("inner", TITLE, f"防汛{WORD}", site=SITE, department="机要", rights=(STAFF,))
    was = held.put("was", f"{TITLE}旧版", f"防汛{WORD}", site=SITE, department="机要")
    return [inner, was]


def told(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch, hidden: list[str]) -> set[str]:
    """By which ways a stranger (or an editor who reads the reports) learns of the hidden documents."""
    ways: set[str] = set()
    opened: list[str] = []
    state = Shelf.state

    def spy(self: Shelf) -> Any:
        opened.append(self.path.name)
        return state(self)

    serving.forget()
    counting.forget()
    models.Tally.objects.all().delete()
    caplog.clear()
    serving.engine(on=TODAY)  # opening the index reads a little of both shelves, whoever asks
    with monkeypatch.context() as watch, caplog.at_level(logging.DEBUG):
        watch.setattr(Shelf, "state", spy)
        for text in QUESTIONS:
            found = queries.search(query=Query(text=text, today=TODAY), actor=STRANGER)
            hits = [*found.cards, *found.page.hits]
            shown = "".join(piece.text for hit in hits for piece in (*hit.snippet, *hit.marked_title))
            ways |= {"results"} if any(hit.key in hidden for hit in hits) else set()
            ways |= {"snippets"} if WORD in shown else set()
            ways |= {"counts"} if found.page.total > 12 or found.page.whole > 12 else set()
            facets = {one.value for values in found.page.facets.values() for one in values}
            ways |= {"facets"} if {SITE, "机要"} & facets else set()
            ways |= {"spelling"} if WORD in found.shown_for + found.meant else set()
        ways |= {"timing"} if "inner" in opened else set()
    for typed in ("防汛", "紫微", "fxzww", "ziweiyuan"):
        offered = queries.suggest(typed=typed, actor=STRANGER, on=TODAY, size=20)
        ways |= {"suggestions"} if any(WORD in one.text for one in offered) else set()
    for key in hidden:
        try:
            queries.address_to_open(key=key, actor=STRANGER, on=TODAY)
        except ResultGone as gone:
            ways |= {"opening"} if key in str(gone) else set()
        else:
            ways.add("opening")
    for _ in range(3):
        queries.search(query=Query(text=f"{WORD}在哪", today=TODAY), actor=OFFICIAL)
    report = queries.get_report(since=TODAY, least=2)
    ways |= {"report"} if any("在哪" in one.words for one in (*report.most, *report.in_vain)) else set()
    logged = "".join(record.getMessage() + str(record.__dict__) for record in caplog.records)
    ways |= {"logs"} if TITLE in logged or any(key in logged for key in hidden) else set()
    return ways


def everything_is_visible(plant: pytest.MonkeyPatch) -> None:
    plant.setattr(sources, "visible", lambda keys, *, actor: set(keys))


def changes_are_not_looked_at(plant: pytest.MonkeyPatch) -> None:
    plant.setattr(queries, "_hidden_meanwhile", lambda actor: frozenset())


def everybody_is_staff(plant: pytest.MonkeyPatch) -> None:
    plant.setattr(sources, "rights_of", lambda actor: frozenset({PUBLIC, STAFF}))


def titles_come_from_both_shelves(plant: pytest.MonkeyPatch) -> None:
    lexicon = serving.lexicon_of

    def leaky(engine: Any, words: Any, **more: Any) -> Any:
        made = lexicon(engine, words, **more)
        return type(made)([Phrase(TITLE), Phrase(WORD)], analysis=engine.analysis)

    plant.setattr(serving, "lexicon_of", leaky)


def both_shelves_are_one(plant: pytest.MonkeyPatch) -> None:
    """What is offered must also be found: a word of hidden titles is offered to nobody who does not find it."""
    titles_come_from_both_shelves(plant)
    everybody_is_staff(plant)


def what_is_refused_is_logged(plant: pytest.MonkeyPatch) -> None:
    allowed = sources.visible

    def telling(keys: Iterable[str], *, actor: Actor) -> set[str]:
        asked = set(keys)
        found = allowed(asked, actor=actor)
        logging.getLogger("furong.search").warning("refused", extra={"keys": sorted(asked - found)})
        return found

    plant.setattr(sources, "visible", telling)


def staff_is_counted(plant: pytest.MonkeyPatch) -> None:
    count = counting.count_search

    def search(*, query: Query, actor: Actor, **more: Any) -> Any:
        count(text=query.text, found=1, today=query.today)
        return SEARCH(query=query, actor=actor, **more)

    plant.setattr(queries, "search", search)


SEARCH = queries.search
PLANTED: dict[Callable[[pytest.MonkeyPatch], None], set[str]] = {
    everything_is_visible: {"results", "snippets", "opening", "suggestions"},
    changes_are_not_looked_at: {"counts", "facets"},
    everybody_is_staff: {"timing"},
    titles_come_from_both_shelves: {"suggestions"},
    both_shelves_are_one: {"spelling"},
    what_is_refused_is_logged: {"logs"},
    staff_is_counted: {"report"},
}


@pytest.mark.usefixtures("database")
def test_a_stranger_learns_nothing_of_what_is_hidden_and_each_way_of_telling_would_be_seen(
    held: HeldSource, follow: Follow, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    hidden = fill(held)
    follow()
    held.refused.add(hidden[1])
    commands.touch(keys=hidden, now=NOW)  # the index does not know it yet
    assert told(caplog, monkeypatch, hidden) == set()
    for plant, expected in PLANTED.items():
        with monkeypatch.context() as planted:
            plant(planted)
            seen = told(caplog, planted, hidden)
        assert expected <= seen, plant.__name__
    assert set().union(*PLANTED.values()) == {
        "results", "counts", "facets", "snippets", "suggestions", "spelling", "timing", "opening", "logs", "report",
    }  # fmt: skip
    assert told(caplog, monkeypatch, hidden) == set()
