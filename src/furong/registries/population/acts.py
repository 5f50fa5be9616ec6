"""Private: what the commands of this room share: how an act is declared, who may begin, which day counts, what is noted."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from typing import Any, ParamSpec, TypeVar
from uuid import UUID

from furong.foundation.access import queries as access
from furong.foundation.access.errors import PurposeMissing
from furong.foundation.access.values import Actor, Basis
from furong.foundation.audit.commands import current
from furong.foundation.events.commands import publish

from .clocks import due_on
from .errors import DateInFuture, PaperMissing, PersonDeceased, PersonDeregistered, RegisteredElsewhere
from .events import FamilyChanged
from .ledger import Effect, Ledger, doing, get_person, gone_to, is_elsewhere, is_registered, local_date
from .models import Change, Person
from .place import command, here
from .values import ChangeKind, ChangeRecorded, PersonStatus, RelationKind, Topic

P = ParamSpec("P")
R = TypeVar("R")


def repeated(change: Change, person_id: UUID) -> ChangeRecorded:
    """Return the outcome of an act that was done before."""
    return ChangeRecorded(change_id=change.id, person_id=person_id, is_late=bool(change.result.get("is_late", False)))


def act(
    name: str,
    *,
    of: str,
    says: Mapping[str, str | Sequence[str]],
    papers: Sequence[str] = (),
    again: Callable[[Change, UUID], Any] = repeated,
) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Make a function a command (`place.command`) that may be repeated and wants its papers.

    With the same ``effect_id`` again it changes nothing and returns what ``again`` makes of the first change; two requests are
    one when they agree in ``says`` (a word for each argument, or for several). ``papers`` are the arguments that name papers:
    `PaperMissing` is raised when one is empty. The function's `Ledger` carries the effect.
    """
    argument, _, kind = of.partition(":")
    what = (kind or argument).removesuffix("_id")

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        @command(name, of=of)
        @functools.wraps(function)
        def wrapper(*args: P.args, **kwargs: P.kwargs) -> R:
            effect_id, key = kwargs.get("effect_id"), kwargs[argument]
            assert isinstance(key, UUID)  # noqa: S101 - by the function's own signature
            effect = Effect.of(effect_id if isinstance(effect_id, UUID) else None, _content(says, kwargs))
            if (before := effect.find(what, key)) is not None:
                first: R = again(before, key)
                return first
            paper(*(str(kwargs.get(one) or "") for one in papers))
            with doing(effect):
                return function(*args, **kwargs)

        return wrapper

    return decorate


def _content(says: Mapping[str, str | Sequence[str]], given: Mapping[str, Any]) -> dict[str, Any]:
    """What an act says; the order in which several people are named says nothing."""
    content: dict[str, Any] = {}
    for word, arguments in says.items():
        if isinstance(arguments, str):
            value = given.get(arguments)
            content[word] = sorted(map(str, value)) if isinstance(value, (list, tuple, set, frozenset)) else value
        else:
            content[word] = [given.get(one) for one in arguments]
    return content


def begin(*, actor: Actor, basis: Basis, division_code: str) -> None:
    """Check purpose and right before anything is written."""
    if not basis.is_stated:
        raise PurposeMissing
    access.require(actor=actor, right="population.register", division_code=division_code)


def kept(person_id: UUID) -> Person:
    """Return the locked row of a person of this centre. Raises `PersonNotFound`, `RegisteredElsewhere`.

    Where somebody is was asked before the row was locked: they may have moved to another centre since.
    """
    person = get_person(person_id, lock_row=True)
    if is_elsewhere(person):
        refusal = RegisteredElsewhere()
        refusal.to_division = gone_to(person_id)
        raise refusal
    return person


def registered(person_id: UUID, *, anywhere: bool = False) -> Person:
    """Return a person's locked row. Raises `PersonDeceased`, `PersonDeregistered` when they no longer stand in
    the register, `RegisteredElsewhere` unless they may stand ``anywhere``: then nothing of theirs is written here.
    """
    person = get_person(person_id, lock_row=True) if anywhere else kept(person_id)
    if person.status == PersonStatus.DECEASED:
        raise PersonDeceased
    if not is_registered(person):
        raise PersonDeregistered
    return person


def past(day: date, *, now: datetime) -> date:
    """Return the day. Raises `DateInFuture`."""
    if day > local_date(now):
        raise DateInFuture
    return day


def in_life(person: Person, day: date, *, now: datetime) -> date:
    """Return the day. Raises `DateInFuture` when it lies ahead or before the person's birth."""
    if past(day, now=now) < person.born_on:
        raise DateInFuture("The date lies before the person's birth.")
    return day


def paper(*named: str) -> None:
    """Refuse an act whose paper is not named. Raises `PaperMissing`."""
    if not all(one.strip() for one in named):
        raise PaperMissing


def tell_late(ledger: Ledger, *, happened_on: date, division_code: str = "") -> bool:
    """Keep by when the law wanted the event of an act told, and say whether it came later."""
    last = due_on(ChangeKind(ledger.kind), happened_on=happened_on, division_code=division_code)
    late = last is not None and ledger.today > last
    if last is not None:
        ledger.finish({**ledger.change.result, "due_on": last.isoformat(), "is_late": late})
    if late:
        current().detail(is_late=True)
    return late


def note(person: Person, ledger: Ledger, *, fields: tuple[str, ...], **detail: object) -> None:
    """Tell the audit which person changed, in which fields, by which change; the last thing of an act.

    What was recorded about two people is told to the centre that keeps the other.
    """
    ledger.tell_others()
    entry = current()
    entry.object("person", person.person_id)
    entry.subject(person.person_id, fields=fields)
    entry.detail(change_id=str(ledger.change.id), **detail)


def part(ledger: Ledger, one: UUID, other: UUID, *, on: date) -> None:
    """End the marriage of two people, on both of them."""
    ledger.part(person_id=one, kind=RelationKind.SPOUSE, other=other, back=RelationKind.SPOUSE, on=on)


def set_marital(ledger: Ledger, person: Person, marital: str, *, other: UUID, since: date) -> None:
    """Record a marital status by an act with ``other``; the person's own centre writes it."""
    ledger.touched_pair(Topic.SPOUSE, person.person_id, other, maritals={person.person_id: (since, marital)})
    if not is_elsewhere(person):
        ledger.revise(person, facts={"marital": marital}, since=since)


def tell_family(one: UUID, other: UUID, kind: RelationKind, *, ended: bool, now: datetime) -> None:
    """Publish what two people became to each other."""
    publish(FamilyChanged(person_id=one, other_person_id=other, kind=kind.value, ended=ended), database=here(), now=now)
