"""What a city's counter may know of accounts, and what its node refuses when its copy is old."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.utils import encrypt
from cryptography.fernet import Fernet, InvalidToken
from django.conf import settings
from django.db import connection
from django.test import Client, override_settings

from furong.foundation.access.values import Actor
from furong.foundation.identity import commands, counters
from furong.foundation.identity.queries import find_staff_account
from furong.foundation.organizations import commands as organizations
from furong.foundation.organizations import queries as seats
from furong.foundation.replicas import queries
from furong.foundation.replicas import tasks as replicas
from furong.foundation.replicas.errors import CopyTooOld
from furong.foundation.replicas.values import Grade

pytestmark = pytest.mark.usefixtures("platform")
SYSTEM = Actor.system("tests")
CITY = "4302"


def account(username: str) -> UUID:
    found = find_staff_account(username=username, actor=SYSTEM)
    assert found is not None
    return found.id


def rows() -> dict[str, tuple[str, str, bool]]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT username, password, factor, is_active FROM identity_counter_account WHERE centre = %s", [CITY]
        )
        return {name: (password, factor, active) for name, password, factor, active in cursor.fetchall()}


def test_a_counter_knows_its_own_citys_registrars_only_and_each_change_of_them() -> None:
    now, police = datetime.now(UTC), account("police")
    assert counters.refresh(cities=["4301", CITY], now=now) > 0
    assert counters.refresh(cities=["4301", CITY], now=now) == 0, "nothing changed"
    known = rows()
    assert "police" in known
    assert not set(known) & {"mother", "hospital", "insurance", "administrator"}
    assert known["police"][1] == "", "no second factor yet"

    Authenticator.objects.create(
        user_id=police, type="totp", data={"secret": encrypt("JBSWY3DPEHPK3PXP"), "last_step": 7}, created_at=now
    )
    commands.reset_password(account_id=police, password="another-Password-7", actor=SYSTEM, now=now)
    assert counters.refresh(cities=[CITY], now=now) == 1
    password, factor, _ = rows()["police"]
    assert password != known["police"][0]
    assert Fernet(counters.key_of(CITY)).decrypt(factor.encode()) == b"JBSWY3DPEHPK3PXP"
    with pytest.raises(InvalidToken):
        Fernet(counters.key_of("4301")).decrypt(factor.encode())
    assert counters.refresh(cities=[CITY], now=now) == 0, "sealed once"

    (seat,) = seats.list_appointments(account_id=police)
    organizations.end_appointment(appointment_id=seat.id, actor=SYSTEM, now=now)
    assert counters.refresh(cities=[CITY], now=now) == 1
    assert "police" not in rows()


@override_settings(CENTRE=CITY, MIDDLEWARE=[*settings.MIDDLEWARE, "furong.entrypoints.counter_pages.CounterMiddleware"])
def test_a_node_says_how_old_its_copy_is_serves_its_own_work_and_stops_after_a_day() -> None:
    now = datetime.now(UTC)
    queries.forget()
    assert queries.copy_state(now=now).grade is Grade.OVER, "nothing has come yet"
    replicas.beat(now=now)
    queries.forget()
    assert queries.copy_state(now=now).as_of == now
    officer = Client(HTTP_HOST="localhost")
    assert officer.post("/account/sign-in", {"username": "police", "password": "furong-demo-2026"}).status_code == 302
    page = officer.get("/work/counter").content.decode()
    assert "与省平台同步" in page
    assert "/work/resources" not in page, "the menu names what is served"
    for path in ("/work/cases", "/account/password", "/my/", "/api/cases/applications", "/work/licences"):
        assert officer.get(path).status_code == 403, path
    with connection.cursor() as cursor:
        for age, words in ((timedelta(minutes=5), "联系不上省平台"), (timedelta(hours=5), "小时后本柜台将停办")):
            cursor.execute("UPDATE replicas_beat SET at = %s", [now - age])
            queries.forget()
            assert words in officer.get("/work/counter").content.decode()
        cursor.execute("UPDATE replicas_beat SET at = %s", [now - timedelta(hours=25)])
    queries.forget()
    stopped = officer.get("/work/counter")
    assert stopped.status_code == 503
    assert "无法核实办理人员的权限" in stopped.content.decode()
    assert officer.get("/account/sign-in").status_code == 503
    assert officer.post("/account/sign-out").status_code == 302
    with pytest.raises(CopyTooOld):
        queries.require_fresh(now=now)
    queries.forget()
