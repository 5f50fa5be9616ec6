"""How old what a page shows may be: at a centre's own node the copy of the platform, at the province a centre that is away."""

from __future__ import annotations

from dataclasses import dataclass

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext as _

from furong.foundation.organizations import queries as organizations
from furong.foundation.replicas import queries as replicas
from furong.foundation.replicas.values import Grade
from furong.foundation.web.texts import recent, text
from furong.registries.population.centres import watching

_OF_PEOPLE = frozenset({"population", "counter", "moves", "matches"})  # sections that show what centres keep


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """A line at the head of a page; ``tone`` as of `ui.tag`."""

    tone: str
    title: str
    words: str = ""


def of_this_page(section: str) -> list[Note]:
    """Give what the reader of a page must know of its age; nothing where everything is in step."""
    if replicas.is_counter():
        return [_of_counter()]
    return _of_centres() if section in _OF_PEOPLE else []


def _of_counter() -> Note:
    now = timezone.now()
    state, place = replicas.copy_state(now=now), _city(settings.CENTRE)
    title = _("Counter of %(place)s, on its own node") % {"place": place}
    if state.as_of is None or state.grade is Grade.LIVE:
        return Note(tone="ok", title=title, words=_("In step with the province."))
    words = _(
        "The province was last heard %(when)s. Registering goes on, and is sent on when the province is back."
    ) % {"when": recent(state.as_of)}
    if state.grade is Grade.OLD:
        hours = max(1, int(settings.CENTRE_MOST_HOURS - (now - state.as_of).total_seconds() / 3600))
        words += " " + _("Staff and rights are as of then; in %(hours)s hours this counter stops.") % {"hours": hours}
        return Note(tone="over", title=title, words=words)
    return Note(tone="late", title=title, words=words + " " + _("Staff and rights are as of then."))


def _of_centres() -> list[Note]:
    return [
        Note(
            tone="late",
            title=_("%(place)s: as of %(when)s") % {"place": _city(code), "when": recent(at)},
            words=_("This city's centre does not answer; what is shown of its people was so then."),
        )
        for code, at in watching.list_stale(now=timezone.now()).items()
    ]


def _city(code: str) -> str:
    found = organizations.find_division(code=f"{code}00")
    return text(found.name) if found is not None else code
