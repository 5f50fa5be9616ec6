"""Checking a licence without signing in: the same verdict by QR code and by file, and only so many checks at a time."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from tests.sites.workbench.staff import registration_card, words

from furong.foundation.access.values import Actor, Basis
from furong.foundation.identity.values import LIMITS, Limit
from furong.foundation.organizations import queries as places
from furong.foundation.storage import queries as storage
from furong.registries.licences import commands as licences
from furong.registries.licences.values import IssuedLicence

pytestmark = pytest.mark.usefixtures("platform")


def stranger() -> Client:
    return Client(HTTP_HOST="localhost")


def by_file(pdf: bytes) -> str:
    answer = stranger().post("/verify/", {"file": SimpleUploadedFile("x.pdf", pdf)})
    assert answer.status_code == 200
    return verdict(answer.content)


def by_code(token: str) -> str:
    return verdict(stranger().get(f"/verify/{token}").content)


def verdict(content: bytes) -> str:
    page = words(content)
    return page[: page.index("按文件核验")] if "按文件核验" in page else page


def revoked(card: IssuedLicence) -> None:
    licences.revoke(
        licence_id=card.id, reason="测试", actor=Actor.system("test"), basis=Basis(purpose="test"), now=card.issued_at
    )


def test_qr_code_and_file_give_one_verdict_that_names_the_issuer_and_masks_the_holder() -> None:
    card = registration_card()
    station = places.get_responsible(department="police", division_code="430202001")
    for told in (by_code(card.token), by_file(storage.get(card.pdf_digest))):
        assert card.number in told
        assert station.name.zh in told
        assert "李**" in told
        assert "李芷宁" not in told


def test_a_revoked_licence_an_altered_file_and_a_made_up_code_are_told_apart() -> None:
    card = registration_card()
    pdf = storage.get(card.pdf_digest)
    good = by_code(card.token)
    altered = by_file(pdf + b"\n% one more line\n")
    unknown = by_code("made-up-code")
    revoked(card)
    gone = by_code(card.token)
    assert by_file(pdf).split() == gone.split()
    assert len({good, altered, unknown, gone}) == 4
    assert card.number not in altered
    assert card.number not in unknown


def test_only_so_many_checks_are_answered_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(
        LIMITS,  # type: ignore[arg-type]  # a dict behind its name
        "licence_check.address",
        Limit(failures=3, window=timedelta(minutes=5), block=timedelta(minutes=2)),
    )
    client = stranger()
    answers = [client.get("/verify/made-up-code").status_code for _number in range(5)]
    assert answers == [200, 200, 200, 429, 429]
    assert client.get("/verify/").status_code == 200  # the empty page asks nothing
