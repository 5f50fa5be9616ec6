"""Moves by the clock: transfers in doubt are ended, papers run out, rows that another centre speaks for are cleared."""

from __future__ import annotations

import logging
from datetime import datetime

import psycopg
from django.db import DatabaseError
from django.db.models import Exists, OuterRef, Q

from furong.foundation.access.values import Actor

from ..ledger import local_date
from ..models import Person
from ..place import at
from ..values import PersonStatus
from . import commands, ports, purging, resolver
from .models import Move
from .values import OPEN_STATES, MoveState

log = logging.getLogger("furong.population")
# A transfer takes milliseconds; what is older than this is in doubt rather than at work.
AT_WORK_SECONDS = 5.0


def keep(*, now: datetime, at_start: bool = False) -> int:
    """Do what is due in each register that this process keeps tidy, and tell how much it did.

    A register that does not answer is left for the next time. For the worker's loop; ``at_start`` ends young transactions too.
    """
    registers = ports.centres.registers()
    ended = resolver.resolve(destinations=registers, older_than_seconds=0.0 if at_start else AT_WORK_SECONDS)
    done = ended.committed + ended.rolled_back
    actor = Actor.system("moves")
    for alias in registers:
        try:
            with at(alias):
                if _is_anything_due(now):
                    done += commands.expire_moves(actor=actor, now=now)
                if purging.has_moved():
                    done += purging.purge_moved(actor=actor, now=now)
        except (DatabaseError, psycopg.Error) as error:
            log.warning("register not kept", extra={"alias": alias, "error": type(error).__name__})
    return done


def _is_anything_due(now: datetime) -> bool:
    """Ask before acting: an act leaves an entry in the audit."""
    today = local_date(now)
    gone = Person.objects.filter(pk=OuterRef("person_id")).exclude(status=PersonStatus.REGISTERED)
    return (
        Move.objects.filter(state__in=OPEN_STATES)
        .filter(
            Q(state=MoveState.ISSUED, permit_until__lte=today)
            | Q(state=MoveState.OUT, certificate_until__lte=today)
            | Exists(gone)
        )
        .exists()
    )
