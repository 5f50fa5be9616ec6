"""Every operation of the API, asked what its description allows and more: no fault, no status or type that is not described."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
import schemathesis
from django.core.wsgi import get_wsgi_application
from django.test import Client
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis.checks import CHECKS
from schemathesis.core.failures import Failure, FailureGroup
from schemathesis.generation import GenerationMode

from furong.domains.exchange import issuing, shared_rows
from furong.entrypoints.api import api
from furong_link import profile
from tests.domains.exchange.setting import Exchange, make
from tests.domains.exchange.test_commands import grants

pytestmark = pytest.mark.usefixtures("platform")
LOOKED_AT = ("not_a_server_error", "status_code_conformance", "content_type_conformance", "response_schema_conformance")
ACCOUNTS = ("administrator", "police", "mother", "")


class Asked:
    """What makes questions reach further than the door: sessions, names that exist, and gateways' signatures."""

    def __init__(self, made: Exchange) -> None:
        self.made = made
        self.sessions = {name: self._session(name) for name in ACCOUNTS if name}
        client = self.client("administrator")
        definitions = client.get("/api/processes/definitions").json()
        items = client.get("/api/services/life-events").json()
        self.known: dict[str, list[str]] = {
            "digest": [str(one["digest"]) for one in _rows(definitions)][:5],
            "code": sorted(set(_codes(items)))[:5],
            "service": ["births", "marriages"],
            "application_id": _ids(client.get("/api/cases/applications").json()),
            "case_id": _ids(client.get("/api/cases").json()),
            "task_id": _ids(client.get("/api/processes/tasks").json()),
            "instance_id": _ids(client.get("/api/processes/instances").json()),
            "key": ["0193c000-0000-7000-8000-000000000001"],
        }

        self.grants = [grant["id"] for grant in grants("marriages", "zz-housing")]

    def _session(self, username: str) -> dict[str, str]:
        from django.contrib.auth import get_user_model

        client = Client(SERVER_NAME="127.0.0.1")
        user = get_user_model().objects.get(username=username)
        client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
        token = secrets.token_hex(16)
        return {"furong_session": client.cookies["furong_session"].value, "furong_csrf": token}

    def client(self, username: str) -> Client:
        found = Client(SERVER_NAME="127.0.0.1")
        for name, value in self.sessions[username].items():
            found.cookies[name] = value
        return found

    def ask_as_gateway(self, case: Any, body: Any, grant: str) -> list[str]:
        """Ask the centre as a live gateway does, or the platform's own for rows; give what was wrong."""
        method, path = case.operation.method.upper(), case.formatted_path
        content = b"" if method == "GET" else json.dumps(body).encode()
        headers = self.signed(method, path, content)
        if path.startswith("/api/exchange/rows"):
            headers |= {"Authorization": f"Bearer {shared_rows.rows_token()}", "Furong-Consumer": "zz-housing"}
            headers["Furong-Grant"] = grant
        client = Client(SERVER_NAME="127.0.0.1")
        found = client.generic(method, path, content, headers=headers, content_type="application/json")
        described = {status.upper() for status in case.operation.definition.raw["responses"]}
        shown = f"{found.status_code // 100}XX"
        wrong = []
        if found.status_code >= 500 or not {str(found.status_code), shown} & described:
            wrong.append(f"{method} {case.operation.path} → {found.status_code} (gateway): {body!r:.300}")
        if found.status_code >= 400 and found["Content-Type"] != "application/problem+json":
            wrong.append(f"{method} {case.operation.path} → {found['Content-Type']} (gateway)")
        return wrong

    def signed(self, method: str, target: str, content: bytes) -> dict[str, str]:
        """The header fields of a live gateway's request to the centre."""
        key = self.made.keys["hospital-1"]
        digest = profile.content_digest(content, algorithm=key.algorithm)
        request = profile.Request(method, "127.0.0.1", target, "application/json", digest, "centre", "c-12345678")
        fields = profile.sign_request(
            request, signer=key, created=int(time.time()), nonce=secrets.token_urlsafe(16)
        ).headers()
        return {
            "Content-Type": "application/json",
            "Content-Digest": digest,
            "Furong-Grant": "centre",
            "Furong-Message": "c-12345678",
            **fields,
        }


def _told(error: BaseException) -> str:
    parts = error.exceptions if isinstance(error, BaseExceptionGroup) else [error]
    return " ".join(" ".join(str(one).split())[:300] for one in parts)


def _rows(found: Any) -> list[Mapping[str, Any]]:
    return found if isinstance(found, list) else next((v for v in found.values() if isinstance(v, list)), [])


def _ids(found: Any) -> list[str]:
    return [str(one["id"]) for one in _rows(found) if "id" in one][:5]


def _codes(found: Any) -> Iterator[str]:
    if isinstance(found, dict):
        if isinstance(found.get("code"), str):
            yield found["code"]
        for value in found.values():
            yield from _codes(value)
    elif isinstance(found, list):
        for value in found:
            yield from _codes(value)


def ask_everything(asked: Asked, *, examples: int) -> list[str]:
    """Ask each operation ``examples`` times; give what was wrong, a line each."""
    schema = schemathesis.openapi.from_dict(json.loads(json.dumps(api.get_openapi_schema())))
    checks = [check for check in CHECKS.get_all() if check.__name__ in LOOKED_AT]
    assert len(checks) == len(LOOKED_AT)
    values = st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    )
    grant = st.sampled_from([*asked.grants, "x"])
    # What a report or an enrolment is made of, with any value in any place.
    bodies = values | st.fixed_dictionaries(dict.fromkeys(("boot", "number", "traffic", "place", "request"), values))
    bodies |= st.fixed_dictionaries(
        {"boot": st.text(), "number": st.integers(), "traffic": st.just([]), "health": values, "quotas": values},
        optional={"head": values, "peer": values, "certificate_until": values, "software": values, "report": values},
    )
    app, wrong = get_wsgi_application(), []
    for result in schema.get_all_operations():
        operation = result.ok()
        cases = st.one_of(
            operation.as_strategy(generation_mode=GenerationMode.POSITIVE),
            operation.as_strategy(generation_mode=GenerationMode.NEGATIVE),
        )

        @settings(
            max_examples=examples,
            deadline=None,
            database=None,
            derandomize=True,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(case=cases, who=st.sampled_from(ACCOUNTS), known=st.booleans(), data=st.data())
        def ask(case: Any, who: str, known: bool, data: Any) -> None:
            if known:
                for name in case.path_parameters or {}:
                    if values := asked.known.get(name):
                        case.path_parameters[name] = data.draw(st.sampled_from(values))
            session = asked.sessions.get(who, {})
            headers = {"Host": "localhost", "X-CSRFToken": session.get("furong_csrf", "")}
            case.cookies = {}
            if case.operation.path.startswith("/api/exchange/") and known:
                wrong.extend(asked.ask_as_gateway(case, data.draw(bodies), data.draw(grant)))
                return
            response = case.call(app=app, base_url="http://localhost", headers=headers, cookies=session)
            for check in checks:
                try:
                    case.validate_response(response, checks=[check])
                except (FailureGroup, Failure) as error:
                    sent = f"{case.operation.method.upper()} {case.operation.path} → {response.status_code} ({who or 'stranger'})"
                    wrong.append(f"{sent}: {check.__name__}: {_told(error)}")

        ask()
    return wrong


@pytest.fixture
def asked(platform: object, indexed: None, monkeypatch: pytest.MonkeyPatch) -> Asked:
    monkeypatch.setattr(issuing, "PUSH_SECONDS", 0.01)
    return Asked(make())


def test_every_operation_answers_as_it_is_described(asked: Asked) -> None:
    wrong = ask_everything(asked, examples=4)
    assert not wrong, "\n\n".join(dict.fromkeys(wrong))


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_every_operation_answers_as_it_is_described_again_and_again(asked: Asked) -> None:
    wrong = ask_everything(asked, examples=500)
    assert not wrong, "\n\n".join(dict.fromkeys(wrong))
