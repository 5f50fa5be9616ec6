"""What the tests of the public face share: clients of every kind of reader, and what none of them may see."""

from __future__ import annotations

import re
from typing import Any

import lxml.html
from django.contrib.auth import get_user_model
from django.db import connection
from django.test import Client

from furong.domains.catalogue.states import Audience

READERS = ("", "mother", "hospital", "police", "supervisor", "catalogue", "administrator")


def reader(username: str = "") -> Client:
    client = Client(SERVER_NAME="127.0.0.1", raise_request_exception=False)
    if username:
        user = get_user_model().objects.get(username=username)
        client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


def page(client: Client, address: str, status: int = 200) -> lxml.html.HtmlElement:
    answer = client.get(address)
    assert answer.status_code == status, f"{address}: {answer.status_code}"
    return lxml.html.fromstring(answer.content)


def words(element: Any) -> str:
    return re.sub(r"\s+", " ", element.text_content())


def action(client: Client, name: str, status: int = 200, **given: Any) -> Any:
    answer = client.post(f"/api/3/action/{name}", given, content_type="application/json")
    assert answer.status_code == status, f"{name}: {answer.status_code} {answer.content[:300]!r}"
    found = answer.json()
    assert found["success"] is (status == 200)
    return found["result"] if status == 200 else found["error"]


def rows(sql: str, params: list[Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return cursor.fetchall()


def hidden_resources() -> list[tuple[str, str, str]]:
    """Code, Chinese and English name of every resource that strangers must not know of."""
    return rows(
        "SELECT code, name_zh, name_en FROM catalogue_resource WHERE NOT (live AND audience <= %s) ORDER BY code",
        [int(Audience.EVERYBODY)],
    )


def open_resources() -> list[str]:
    return [
        row[0]
        for row in rows(
            "SELECT code FROM catalogue_resource WHERE live AND audience <= %s ORDER BY code", [int(Audience.EVERYBODY)]
        )
    ]
