"""The work list's page over a million open cases: five clerks, signed in, through Django's handler with all middleware.

Time is the wall's, from the request to the last byte of the page, the database on the same machine.
"""

from __future__ import annotations

import random
import time
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from benchmarks.portal import ask, wsgi_of

CLERKS = ("hospital", "police", "insurance", "social", "vaccination")
VIEWS = ("/work/list", "/work/list?own=free", "/work/list?light=red", "/work/list?kind=review")


def make_department() -> None:
    """Load the pack and its staff, before a million cases are there."""
    from furong.entrypoints.demo import PACK
    from furong.entrypoints.loading import load_everything

    load_everything(pack=PACK, residents=100)


def give_work(organization: UUID, taken_from: UUID) -> int:
    """Give a clerk's organisation the open tasks of an invented one, each with a case that its page shows; give how many."""
    from django.db import connection, transaction

    from furong.domains.cases import models
    from furong.foundation.codes.ids import new_id

    now = datetime.now(UTC)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT id, label FROM processes_task WHERE organization_id = %s", [taken_from])
        found = cursor.fetchall()
        applications = [
            models.Application(
                number=f"{organization.hex[-12:]}-{n}",
                draft_id=new_id(),
                title={"zh": "新生儿出生", "en": "A child is born"},
                applicant_account_id=organization,
                principal_id=organization,
                division_code="430202",
                submitted_at=now,
                submitted_on=now.date(),
                answers={},
            )
            for n, _ in enumerate(found)
        ]
        models.Application.objects.bulk_create(applications, batch_size=500)
        cases = [
            models.Case(
                application=application,
                ordinal=1,
                number=f"{application.number}-1",
                item_code="birth_certificate",
                item_name={"zh": "出生医学证明签发", "en": "Birth certificate"},
                state="submitted",
                received_at=now,
                received_on=now.date(),
                closure_digest="0" * 64,
                department="hospital",
                organization_id=organization,
                division_code="430202",
            )
            for application in applications
        ]
        models.Case.objects.bulk_create(cases, batch_size=500)
        for (task_id, _), case in zip(found, cases, strict=True):
            cursor.execute(
                "UPDATE processes_task SET organization_id = %s, business_key = %s WHERE id = %s",
                [organization, str(case.id), task_id],
            )
    return len(found)


def page_times(organization_of: Any, asked: int) -> list[float]:
    """Give the milliseconds of each page asked for: the clerks in turn, first pages, filters, and pages further down."""
    from django.conf import settings
    from django.contrib.auth import get_user_model
    from django.db import connection
    from django.test import Client
    from django.utils import timezone

    from furong.foundation.organizations import queries as organizations

    chance = random.Random(7)
    cookies: list[str] = []
    for number, username in enumerate(CLERKS):
        account = get_user_model().objects.get(username=username)
        seat = organizations.posts_of_account(account_id=account.pk, on=timezone.localdate())
        moved = give_work(seat[0].organization_id, organization_of(number))
        if moved < 50:
            raise RuntimeError(f"{username} has {moved} steps, fewer than a page")
        client = Client(SERVER_NAME="127.0.0.1")
        client.force_login(account, backend="django.contrib.auth.backends.ModelBackend")
        cookies.append("; ".join(f"{name}={morsel.value}" for name, morsel in client.cookies.items()))
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE cases_case, cases_application")
    handler = wsgi_of(list(settings.MIDDLEWARE))
    times: list[float] = []
    for turn in range(asked + 20):
        cookie, path = chance.choice(cookies), chance.choice(VIEWS)
        began = time.perf_counter()
        status, body = ask(handler, path, cookie)
        spent = (time.perf_counter() - began) * 1000
        if status != 200:
            raise RuntimeError(f"{path} answered {status}")
        if path == "/work/list" and body.count(b"<tr") < 51:
            raise RuntimeError("the page does not show fifty steps")
        if turn >= 20:
            times.append(spent)
    return times
