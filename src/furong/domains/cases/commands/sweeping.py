"""What time brings about: silence becomes acceptance, a supplement or consent lapses, a light turns. One timer drives it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet

from furong.domains.cases import models
from furong.domains.cases.commands.acceptance import deem_accepted, lapse_supplement
from furong.domains.cases.commands.drafting import sweep_drafts
from furong.domains.cases.commands.moving import lock_case, note, rules, today
from furong.domains.cases.commands.receiving import lapse_consent, remind_of_consent
from furong.domains.cases.events import CaseTurnedLate
from furong.domains.cases.queries.reading import light_of
from furong.domains.cases.values.clock import Light
from furong.domains.cases.values.states import CaseState
from furong.foundation.access.values import Actor
from furong.foundation.audit.commands import command
from furong.foundation.events.commands import publish

_log = logging.getLogger(__name__)
_ORDER = {"": 0, Light.YELLOW.value: 1, Light.RED.value: 2, Light.OVERDUE.value: 3}


def run_due(*, now: datetime, limit: int = 500) -> dict[str, int]:
    """Do everything that is due at ``now``, each in its own transaction, and count what was done.

    Called every minute, and safe to call at once from two places. What a fault leaves undone is done by the next call.
    """
    actor, on = Actor.system("cases.timer"), today(now)
    done = {"deemed_accepted": 0, "supplements_lapsed": 0, "reminders": 0, "consents_lapsed": 0, "lights": 0}

    def each(name: str, keys: Iterable[UUID], act: Callable[[UUID], bool]) -> None:
        for key in keys:
            try:
                done[name] += act(key)
            except Exception:  # noqa: BLE001 - one case that cannot go on holds up no other; the next call tries again
                _log.exception("cases.timer_failed", extra={"what": name, "key": str(key)})

    due = models.Case.objects.filter(state=CaseState.SUBMITTED.value, acceptance_due_on__lt=on)
    each("deemed_accepted", _keys(due, limit), lambda key: deem_accepted(case_id=key, actor=actor, now=now))
    lapsed = models.Supplement.objects.filter(
        answered_at=None, lapsed_at=None, due_on__lt=on, case__state=CaseState.TO_SUPPLEMENT.value
    )
    late = list(lapsed.order_by("due_on").values_list("case_id", flat=True)[:limit])
    each("supplements_lapsed", late, lambda key: lapse_supplement(case_id=key, actor=actor, now=now))
    asked = models.Consent.objects.filter(state="requested")
    each(
        "consents_lapsed",
        _keys(asked.filter(due_on__lt=on), limit),
        lambda key: lapse_consent(consent_id=key, actor=actor, now=now),
    )
    each(
        "reminders",
        _keys(asked.filter(remind_on__lte=on, reminded_at=None), limit),
        lambda key: remind_of_consent(consent_id=key, actor=actor, now=now),
    )
    turned = list(_turned(now).values_list("id", flat=True)[:limit])
    each("lights", turned, lambda key: tell_light(case_id=key, actor=actor, now=now))
    return done


def _keys(rows: QuerySet[Any], limit: int) -> list[UUID]:
    return list(rows.order_by("id").values_list("id", flat=True)[:limit])


def _turned(now: datetime) -> QuerySet[models.Case]:
    on = today(now)
    running = models.Case.objects.filter(ended_at=None, decided_on=None, clock__isnull=False)
    return running.filter(
        Q(light_told="", yellow_on__lte=on)
        | (Q(promised_due_on__lt=on) & Q(light_told__in=["", "yellow"]))
        | (Q(statutory_due_on__lt=on) & ~Q(light_told="overdue"))
    ).order_by("yellow_on", "id")


@command("cases.tell_light")
def tell_light(*, case_id: UUID, actor: Actor, now: datetime) -> bool:
    """Tell once that a case's light has turned worse; False when it has not."""
    case = lock_case(case_id=case_id)
    light = light_of(case, today(now)).value
    if _ORDER.get(light, 0) <= _ORDER[case.light_told]:
        return False
    case.light_told = light
    case.save(update_fields=["light_told"])
    note(case.application, case, "case.turned_late", actor=actor, now=now, params={"light": light})
    publish(
        CaseTurnedLate(
            case_id=case.id,
            organization_id=case.organization_id,
            division_code=case.division_code,
            light=light,
        ),
        now=now,
    )
    return True


def sweep_old_drafts(*, now: datetime) -> int:
    """Throw away drafts that nobody has touched for as long as the rules keep them."""
    keep = rules(now).draft_keep_natural_days
    return sweep_drafts(actor=Actor.system("cases.timer"), now=now, untouched_since=now - timedelta(days=keep))
