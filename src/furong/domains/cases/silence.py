"""Which elements a register outside owes because it did not answer, told apart from those that it does not hold."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from furong.domains.catalogue.values import DataElement

_unheard: ContextVar[set[str] | None] = ContextVar("furong_cases_unheard", default=None)


@contextmanager
def listening() -> Iterator[set[str]]:
    """Gather the elements whose register stays silent while it is asked within."""
    heard_nothing_of: set[str] = set()
    token = _unheard.set(heard_nothing_of)
    try:
        yield heard_nothing_of
    finally:
        _unheard.reset(token)


def unheard(elements: Iterable[DataElement]) -> None:
    """Note that the register of these elements did not answer."""
    found = _unheard.get()
    if found is not None:
        found.update(element.code for element in elements)
