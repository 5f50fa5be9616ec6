"""What is not for everybody's eyes is on no page, in no count and in no answer of the workbench and the API, as any role.

What is hidden of a reader is worked out apart from the code under test: a resource that is not live or that nobody may know of,
unless the reader's own department compiles it or the reader reviews all; and the items that a resource keeps back.
"""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from django.db import connection
from django.urls import URLPattern
from tests.sites.workbench.staff import staff

from furong.domains.catalogue.states import Audience
from furong.sites.workbench import urls_catalogue

pytestmark = pytest.mark.usefixtures("platform")

# Accounts of the demo with the department whose resources they compile; None: all of them are theirs to review.
ROLES: dict[str, str | None] = {
    "hospital": "",
    "police": "",
    "insurance": "",
    "supervisor": "",
    "administrator": "",
    "auditor": "",
    "officer": "medical_insurance",
    "steward": "police",
    "catalogue": None,
}
OUTSIDE = ("", "mother")
NEVER = "no_such_resource"
ADDRESSES = (
    "/work/resources/{}",
    "/work/resources/{}/draft",
    "/work/resources/{}/acts/submit",
    "/work/resources/{}/request",
)


def rows(sql: str, params: list[Any] | None = None) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, params or [])
        return list(cursor.fetchall())


def hidden(own: str | None) -> list[tuple[str, str, str]]:
    """Code and names of the resources that staff of a department must not know of."""
    if own is None:
        return []
    return rows(
        """SELECT r.code, r.name_zh, r.name_en FROM catalogue_resource AS r JOIN catalogue_facet AS f ON f.id = r.facet_id
            WHERE NOT (r.live AND r.audience <= %s) AND f.department <> %s ORDER BY r.code""",
        [int(Audience.STAFF), own],
    )


def kept_back(own: str | None) -> list[tuple[str, str, str]]:
    """Resource, code and name of items that staff of a department must not know of, though they see the resource."""
    if own is None:
        return []
    return rows(
        """SELECT r.code, i.code, i.name_zh FROM catalogue_item AS i JOIN catalogue_resource AS r ON r.code = i.resource_id
             JOIN catalogue_facet AS f ON f.id = r.facet_id
            WHERE r.live AND r.audience <= %s AND i.audience > %s AND f.department <> %s ORDER BY 1, 2""",
        [int(Audience.STAFF), int(Audience.STAFF), own],
    )


def everything(client: Any, secrets: list[tuple[str, str, str]]) -> dict[str, str]:
    """Every list, search, count and neighbour's page, as text; a search by a secret's words leaves out what was typed."""
    paths = [
        "/work/resources",
        "/work/collection",
        "/work/requests",
        "/work/grants",
        "/work/objections",
        "/work/notices",
    ]
    paths += [f"/work/requests?box={box}" for box in ("mine", "waiting", "all")]
    paths += [f"/work/resources?state={state}" for state in ("waiting", "draft", "offline", "update")]
    paths += [f"/work/resources?page={number}" for number in range(2, 22)]
    paths += ["/api/catalogue/requests", "/api/catalogue/grants", "/api/catalogue/grants?limit=500"]
    neighbours = {
        row[0]
        for code, _zh, _en in secrets
        for row in rows("SELECT code FROM catalogue_resource WHERE detail -> 'related' ? %s AND live", [code])
    }
    paths += [f"/work/resources/{code}" for code in sorted(neighbours - {code for code, *_ in secrets})]
    found = {}
    for path in paths:
        answer = client.get(path)
        assert answer.status_code in {200, 403}, f"{path}: {answer.status_code}"
        found[path] = _plain(answer) if answer.status_code == 200 else ""
    return found


def _plain(answer: Any) -> str:
    if "json" in answer["Content-Type"]:
        return json.dumps(answer.json(), ensure_ascii=False)
    return str(answer.content.decode())


def test_there_is_something_to_hide_of_every_role_but_the_data_authority() -> None:
    for role, own in ROLES.items():
        assert bool(hidden(own)) is (own is not None), role
        assert bool(kept_back(own)) is (own is not None), role


@pytest.mark.parametrize("role", list(ROLES))
def test_no_page_list_count_or_answer_names_what_is_hidden_of_a_role(role: str) -> None:
    own = ROLES[role]
    secrets = hidden(own)
    known = {row[0] for row in rows("SELECT name_zh FROM catalogue_resource WHERE live AND audience <= 1")}
    for path, text in everything(staff(role), secrets).items():
        for code, zh, en in secrets:
            assert f"/work/resources/{code}" not in text, f"{path}: {code}"
            assert f'"{code}"' not in text, f"{path}: {code}"
            if not any(zh in name for name in known):
                assert zh not in text, f"{path}: {zh}"
            assert not en or f">{en}<" not in text, f"{path}: {en}"


@pytest.mark.parametrize("role", [role for role, own in ROLES.items() if own is not None])
def test_what_is_hidden_is_missing_exactly_as_what_never_was(role: str) -> None:
    client = staff(role)

    def asked(template: str, code: str) -> tuple[int, str]:
        answer = client.get(template.format(code))
        text = answer.content.decode().replace(answer["X-Request-ID"], "").replace(code, NEVER)
        return answer.status_code, re.sub(r'nonce="[^"]*"|name="csrfmiddlewaretoken" value="[^"]*"', "", text)

    never = {template: asked(template, NEVER) for template in ADDRESSES}
    body = {"scenario": "x", "legal_basis": "x", "terms": {"items": ["a"], "days": 1}}

    def sent(code: str) -> tuple[int, dict[str, Any]]:
        answer = client.post(
            "/api/catalogue/requests", json.dumps({**body, "resource_code": code}), content_type="application/json"
        )
        return answer.status_code, {**answer.json(), "request_id": ""}

    refused = sent(NEVER)
    assert refused[0] in {403, 404}
    for code, _zh, _en in hidden(ROLES[role]):
        for template, expected in never.items():
            assert expected[0] in {403, 404}, template
            assert asked(template, code) == expected, f"{template} {code}"
        assert sent(code) == refused, code


@pytest.mark.parametrize("role", [role for role, own in ROLES.items() if own is not None])
def test_searching_by_what_is_hidden_finds_and_counts_nothing_of_it(role: str) -> None:
    client = staff(role)
    hits = re.compile(r'href="(/work/resources/[a-z0-9_]+)"')
    for code, zh, en in hidden(ROLES[role]):
        for text in (zh, code, en):
            page = client.get("/work/resources", {"text": text})
            if page.status_code == 403:
                return
            assert f"/work/resources/{code}" not in hits.findall(page.content.decode()), text
    for resource, item, name in kept_back(ROLES[role]):
        shown = client.get(f"/work/resources/{resource}").content.decode()
        assert f"<code>{item}</code>" not in shown, f"{resource}.{item}"
        assert name not in shown, f"{resource}.{item}"
        form = client.get(f"/work/resources/{resource}/request").content.decode()
        assert f'value="{item}"' not in form, f"{resource}.{item}"


@pytest.mark.parametrize("who", OUTSIDE)
def test_a_stranger_and_a_resident_get_none_of_it(who: str) -> None:
    client = staff(who)
    assert len(urls_catalogue.urlpatterns) > 12
    for pattern in urls_catalogue.urlpatterns:
        assert isinstance(pattern, URLPattern)
        filled = re.sub(r"<slug:verb>", "submit", re.sub(r"<slug:code>", "adoptions", f"/work/{pattern.pattern}"))
        filled = re.sub(r"<uuid:\w+>", "01900000-0000-7000-8000-000000000000", filled)
        answer = client.get(filled)
        assert answer.status_code == (403 if who else 302), filled
        assert "收养" not in answer.content.decode(), filled
    for path in ("requests", "grants", "requests/01900000-0000-7000-8000-000000000000"):
        assert client.get(f"/api/catalogue/{path}").status_code == (403 if who else 401)
