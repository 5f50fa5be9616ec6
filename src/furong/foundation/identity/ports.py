"""What this room asks of registers above it. `entrypoints.wiring` binds the adapters; the twins ship and serve demo and tests.

The real-name port answers yes or no: number and name go in, and only an identifier comes out. In production an adapter asks the
ministry's service; the twin asks our own population register.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Protocol
from uuid import UUID

from furong.foundation.access.values import Actor
from furong.foundation.identity.errors import PortNotBoundError, RealNameUnavailable
from furong.foundation.identity.values import Child, Enterprise


class RealNamePort(Protocol):
    """Checks that an identity number and a name belong to one living person."""

    def check(self, *, number: str, name: str, actor: Actor, now: datetime) -> UUID | None:
        """Give the person's identifier when both match, else None. Raises ``RealNameUnavailable``."""


class ParenthoodPort(Protocol):
    """Tells whose parent a person is."""

    def children_of(self, *, person_id: UUID, actor: Actor, now: datetime) -> Sequence[Child]:
        """Give the living children whose parent and guardian the person is, adult ones too."""


class EnterprisePort(Protocol):
    """Tells who represents an enterprise."""

    def find(self, *, credit_code: str, actor: Actor, now: datetime) -> Enterprise | None:
        """Give the enterprise with this credit code, or None."""


class RealNameTwin:
    """The real-name service's twin: asks a function, which the wiring takes from the population register."""

    def __init__(self, ask: Callable[[str, str, Actor, datetime], UUID | None]) -> None:
        self._ask = ask

    def check(self, *, number: str, name: str, actor: Actor, now: datetime) -> UUID | None:
        """Give the person's identifier when both match, else None."""
        return self._ask("".join(number.split()).upper(), "".join(name.split()), actor, now)


class ParenthoodTwin:
    """Parenthood as a function tells it; without one nobody is a parent."""

    def __init__(self, ask: Callable[[UUID, Actor, datetime], Sequence[Child]] = lambda *_: ()) -> None:
        self._ask = ask

    def children_of(self, *, person_id: UUID, actor: Actor, now: datetime) -> Sequence[Child]:
        """Give the children that the function names."""
        return self._ask(person_id, actor, now)


class EnterpriseTwin:
    """The register of legal entities' twin: a list of invented enterprises."""

    def __init__(self, enterprises: Sequence[Enterprise] = ()) -> None:
        self._by_code = {one.credit_code: one for one in enterprises}

    def find(self, *, credit_code: str, actor: Actor, now: datetime) -> Enterprise | None:
        """Give the enterprise with this credit code, or None."""
        return self._by_code.get(credit_code.strip().upper())


class _Ports:
    """The adapters of this process."""

    real_name: RealNamePort | None = None
    parenthood: ParenthoodPort | None = None
    enterprise: EnterprisePort | None = None


def bind_ports(
    *,
    real_name: RealNamePort | None = None,
    parenthood: ParenthoodPort | None = None,
    enterprise: EnterprisePort | None = None,
) -> None:
    """Bind adapters to the room's ports; what is not given stays as it is."""
    _Ports.real_name = real_name or _Ports.real_name
    _Ports.parenthood = parenthood or _Ports.parenthood
    _Ports.enterprise = enterprise or _Ports.enterprise


def real_name() -> RealNamePort:
    """Give the bound real-name port. Raises ``RealNameUnavailable`` when the wiring bound none."""
    if _Ports.real_name is None:
        raise RealNameUnavailable
    return _Ports.real_name


def parenthood() -> ParenthoodPort | None:
    """Give the bound parenthood port, or None: then no mandates follow from parenthood."""
    return _Ports.parenthood


def enterprises() -> EnterprisePort:
    """Give the bound register of enterprises. Raises ``PortNotBoundError``."""
    if _Ports.enterprise is None:
        raise PortNotBoundError("No register of enterprises is bound; wiring binds one.")
    return _Ports.enterprise
