"""Which room's port is joined to which room's function, who follows whose events, and what the worker runs.

Rooms know nothing of those above them; here, and only here, the house is put together. `wire` is called once a process, when
Django is ready.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import datetime

import psycopg
from django.conf import settings
from django.db import DatabaseError
from django.utils import timezone

from furong.domains.bookings import commands as bookings
from furong.domains.bookings import queries as booking_queries
from furong.domains.cases import binding as cases
from furong.domains.cases import commands as case_commands
from furong.domains.catalogue.grants import flow as grant_flow
from furong.domains.catalogue.grants import granting
from furong.domains.catalogue.grants import telling as grant_news
from furong.domains.catalogue.harvest import tasks as harvests
from furong.domains.catalogue.needs import figures as sharing_figures
from furong.domains.catalogue.needs import ruling
from furong.domains.exchange import binding as exchange
from furong.domains.exchange import tasks as exchange_tasks
from furong.domains.exchange.figures import ExchangeFigures
from furong.domains.exchange.nodes import tasks as node_tasks
from furong.domains.objections import commands as objections
from furong.domains.payments import commands as payments
from furong.domains.payments import ports as payment_ports
from furong.domains.payments import tasks as payment_tasks
from furong.domains.payments.twin import SimulatedProvider
from furong.domains.processes import ports as processes
from furong.domains.processes import tasks as process_tasks
from furong.domains.search import feeding
from furong.domains.search import tasks as search_tasks
from furong.domains.services.checks import scope as check_scope
from furong.domains.services.values.prefill import register_prefill_source
from furong.entrypoints import adapters, enterprises, portraying
from furong.entrypoints.databases import look_before_use
from furong.foundation.access import pace
from furong.foundation.access.values import Actor
from furong.foundation.audit import anchoring, sealer
from furong.foundation.audit import queries as audit
from furong.foundation.calendar import commands as calendars
from furong.foundation.events import dispatcher
from furong.foundation.identity import counters, throttle
from furong.foundation.identity import ports as identity
from furong.foundation.identity.sessions import SessionStore
from furong.foundation.jobs import commands as jobs
from furong.foundation.jobs import worker
from furong.foundation.jobs.loops import Loop
from furong.foundation.partitions import commands as partitions
from furong.foundation.replicas import tasks as replicas
from furong.foundation.replicas.values import BEAT_EVERY
from furong.foundation.web import metrics
from furong.registries.identity_cards import tasks as identity_cards
from furong.registries.population import centres
from furong.registries.population.centres import crossing, pairs, watching
from furong.registries.population.duplicates import tasks as duplicates
from furong.registries.population.matches import tasks as matches
from furong.registries.population.moves import tasks as moves
from furong.registries.portraits import tidying as portraits

DATABASES = ("default", "population")


def wire() -> None:
    """Join the ports. Calling it again changes nothing."""
    look_before_use()
    calendars.follow_releases(source=adapters.released_calendar)
    identity.bind_ports(
        real_name=identity.RealNameTwin(adapters.person_of_number),
        parenthood=identity.ParenthoodTwin(adapters.children_of),
        enterprise=enterprises.LegalEntities(),
    )
    register_prefill_source("population", adapters.PopulationSource())
    register_prefill_source("licences", adapters.LicencesSource())
    register_prefill_source("market_entities", enterprises.MarketEntitiesSource())
    processes.defer_jobs(process_tasks.defer_job)
    grant_flow.bind()
    grant_news.follow()
    cases.bind()
    if settings.PAYMENTS == "simulated" and not payment_ports.is_bound():
        key = settings.HOME / "keys" / "payments-simulated.key"
        payment_ports.bind(SimulatedProvider(key_file=key, address="/pay/{ref}"))
    exchange.bind()
    metrics.add_figures(ExchangeFigures())
    centres.bind()
    crossing.follow()
    portraying.bind()
    audit.use_homes(centres.homes_of)
    feeding.bind()
    check_scope.use_handlers(lambda: processes.wiring().handlers)


def tidy(*, now: datetime) -> None:
    """Throw away what has served (delivered events, ended jobs, expired sessions, old counts, abandoned drafts), and make the
    parts of tables by year for the years ahead.
    """
    for name in DATABASES:
        dispatcher.purge(database=name, now=now)
    for name in centres.aliases():
        with suppress(DatabaseError):  # a centre that is away keeps its own house meanwhile
            dispatcher.purge(database=name, now=now)
            partitions.prepare_years(now=now, databases=(name,))
    pairs.watch_all(now=now)
    jobs.purge(now=now)
    throttle.sweep(now=now)
    pace.sweep(now=now)
    SessionStore.clear_expired()
    process_tasks.tidy(now=now)
    granting.tend_grants(actor=Actor.system("worker"), now=now)
    granting.announce_ends(actor=Actor.system("worker"), now=now)
    case_commands.sweep_old_drafts(now=now)
    objections.escalate_late(now=now)
    exchange_tasks.tidy(now=now)
    ruling.escalate_late(now=now)
    sharing_figures.measure_use(now=now)
    payment_tasks.compare_yesterday(now=now)
    search_tasks.tidy(now=now)
    partitions.prepare_years(now=now, databases=DATABASES)


def worker_loops() -> list[Loop]:
    """Give everything that a worker runs, each in a thread of its own."""
    if settings.CENTRE:
        return _loops_of_counter()
    return [
        Loop("jobs", 1.0, until_stopped=worker.run),
        *(
            Loop(f"events-{name}", 1.0, until_stopped=lambda stop, name=name: dispatcher.run(name, stop))  # type: ignore[misc]
            for name in DATABASES
        ),
        *(
            Loop(f"sealer-{name}", 1.0, until_stopped=lambda stop, name=name: sealer.run(name, stop))  # type: ignore[misc]
            for name in DATABASES
        ),
        Loop("population-moves", 10.0, function=moves_by_the_clock()),
        *_loops_of_centres(),
        Loop("processes", 1.0, function=lambda: process_tasks.run_due(now=timezone.now())),
        Loop("process-figures", 10.0, function=lambda: process_tasks.measure(now=timezone.now())),
        Loop("cases", 30.0, function=lambda: case_commands.run_due(now=timezone.now()) and None),
        Loop("bookings", 60.0, function=lapse_bookings),
        Loop("payments", 30.0, function=lambda: payments.run_due(now=timezone.now()) and None),
        Loop("exchange", 1.0, function=lambda: exchange_tasks.keep(now=timezone.now()) and None),
        Loop("nodes", 2.0, function=lambda: node_tasks.keep(now=timezone.now()) and None),
        Loop("harvests", 300.0, function=lambda: harvests.defer_due(now=timezone.now())),
        Loop("matches", 60.0, function=lambda: matches.tend(now=timezone.now())),
        Loop("duplicates", 300.0, function=lambda: duplicates.tend(now=timezone.now())),
        Loop("portraits", 60.0, function=lambda: portraits.tend(now=timezone.now())),
        Loop("identity-cards", 600.0, function=lambda: identity_cards.tend(now=timezone.now())),
        Loop("search", 0.5, function=search_tasks.follower()),
        Loop("housekeeping", 3600.0, function=lambda: tidy(now=timezone.now())),
    ]


def lapse_bookings() -> None:
    """Free the places whose minutes are over, so that nobody reads them as kept."""
    now = timezone.now()
    if booking_queries.count_lapsed(now=now):
        bookings.lapse_held(actor=Actor.system("bookings"), now=now)


def moves_by_the_clock() -> Callable[[], object]:
    """Give what ends papers and doubtful transfers, each time it is called; the first time young ones too."""
    first = [True]

    def keep() -> None:
        moves.keep(now=timezone.now(), at_start=first[0])
        first[0] = False

    return keep


def _loops_of_centres() -> list[Loop]:
    """What the platform does for the population register's city centres, quiet as they are: two threads and a look."""
    names = centres.aliases()
    if not names:
        return []
    return [
        Loop("events-centres", 1.0, until_stopped=lambda stop: dispatcher.run_many(names, stop)),
        Loop("sealer-centres", 1.0, until_stopped=lambda stop: sealer.run_many(names, stop)),
        Loop("population-centres", 5.0, function=lambda: watching.keep(now=timezone.now())),
        Loop("counters", BEAT_EVERY.total_seconds(), function=keep_counters),
        Loop("anchors", 20.0, function=lambda: anchor_centres(now=timezone.now())),
    ]


def keep_counters() -> None:
    """Bring what the centres' own nodes may know into step, and say until when it is."""
    now = timezone.now()
    counters.refresh(cities=centres.codes(), now=now)
    replicas.beat(now=now)


def anchor_centres(*, now: datetime) -> None:
    """Note the heads of the centres' logs in the province's; a centre that is away is noted when it is back."""
    for name in centres.aliases():
        with suppress(DatabaseError, psycopg.OperationalError):
            anchoring.anchor(source=name, into="population", now=now)


def _loops_of_counter() -> list[Loop]:
    """What a centre's own node does: it seals its logs and keeps its house.

    What the register's acts tell others waits in the centre's outbox for the province's worker, which asks for it.
    """
    return [
        Loop("jobs", 1.0, until_stopped=worker.run),
        Loop("events", 1.0, until_stopped=lambda stop: dispatcher.run("default", stop)),
        Loop("sealer", 1.0, until_stopped=lambda stop: sealer.run_many(DATABASES, stop)),
        Loop(
            "anchors", 20.0, function=lambda: anchoring.anchor(source="default", into="population", now=timezone.now())
        ),
        Loop("housekeeping", 3600.0, function=lambda: _tidy_counter(now=timezone.now())),
    ]


def _tidy_counter(*, now: datetime) -> None:
    dispatcher.purge(database="default", now=now)
    pairs.watch_all(now=now)
    jobs.purge(now=now)
    throttle.sweep(now=now)
    pace.sweep(now=now)
    SessionStore.clear_expired()
    partitions.prepare_years(now=now, databases=DATABASES)
