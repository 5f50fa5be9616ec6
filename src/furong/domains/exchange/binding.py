"""Binds the room to what it builds on: who holds terms, which rows are shared, which registers are asked. The wiring calls it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from django.conf import settings

from furong.domains.cases import ports, twins
from furong.domains.exchange import issuing
from furong.domains.exchange.asking import BIRTHS, BirthsOverExchange
from furong.domains.exchange.nodes import telling
from furong.domains.exchange.shared_rows import SharedSource, register_source
from furong.foundation.access import compiled


def bind() -> None:
    """Let gateways hold the catalogue's terms, share the marriage register, and ask over the exchange what the
    settings name (`EXCHANGE_ASKS`); the twins answer the rest.
    """
    compiled.hold_terms(issuing.restricted)
    telling.follow()
    register_source(SharedSource(code="marriages", one=_marriages, persons=frozenset({"wife", "husband"})))
    if BIRTHS in settings.EXCHANGE_ASKS:
        ports.bind(birth_records=BirthsOverExchange())


def _marriages(key: str) -> Sequence[Mapping[str, Any]]:
    try:
        person_id = UUID(key)
    except ValueError:
        return ()
    return twins.marriage_rows(person_id=person_id)
