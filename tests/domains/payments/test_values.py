"""Signed messages are exactly one shape; statements and books are compared order by order."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime

import pytest

from furong.domains.payments.values import Difference, Message, compare, read_message

MESSAGE = Message(
    provider="simulated",
    event_id="paid:1",
    nonce="n-1",
    signed_at=datetime(2026, 11, 23, 1, 0, tzinfo=UTC),
    kind="paid",
    order_ref="1",
    amount_fen=12000,
    provider_ref="SIM-1",
    on=date(2026, 11, 23),
)


def test_a_message_reads_back_as_it_was_written() -> None:
    assert read_message(MESSAGE.to_bytes()) == MESSAGE


@pytest.mark.parametrize(
    "change",
    [
        {"amount_fen": "12000"},
        {"amount_fen": True},
        {"amount_fen": 0},
        {"amount_fen": -1},
        {"amount_fen": 1.5},
        {"kind": "other"},
        {"nonce": ""},
        {"nonce": "x" * 101},
        {"order_ref": None},
        {"signed_at": "2026-11-23T09:00:00"},
        {"signed_at": "yesterday"},
        {"on": "soon"},
        {"on": 1},
        {"more": 1},
    ],
)
def test_anything_else_is_no_message(change: dict[str, object]) -> None:
    assert read_message(json.dumps({**json.loads(MESSAGE.to_bytes()), **change}).encode()) is None


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b"null", b"\xff\xfe", b'{"a":', b"1"])
def test_noise_is_no_message(body: bytes) -> None:
    assert read_message(body) is None


def test_each_kind_of_difference_is_named_once_and_what_agrees_is_not() -> None:
    ours = {"a": (100, 0), "b": (100, 0), "d": (100, 100), "e": (100, 0), "f": (100, 0)}
    theirs = {"a": (100, 0), "b": (90, 0), "c": (70, 0), "d": (100, 0), "e": (100, 40)}
    assert [(one.order_ref, one.kind) for one in compare(ours, theirs)] == [
        ("b", Difference.AMOUNT),
        ("c", Difference.MISSING_HERE),
        ("d", Difference.REFUND_THERE),
        ("e", Difference.REFUND_HERE),
        ("f", Difference.MISSING_THERE),
    ]
    assert compare({}, {}) == ()
