"""What moves ask of whoever knows the centres; bound where the centres are joined. Without centres there is one register."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from uuid import UUID

from ..place import PROVINCE, here


class _Centres:
    """The one register, until others are bound."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Forget what was bound."""
        self.alias_of: Callable[[str], str] = lambda division_code: here()
        self.registers: Callable[[], Sequence[str]] = lambda: (PROVINCE,)
        self.is_directed: Callable[[UUID, str, int], bool] = lambda person_id, centre, version: False
        self.shown: Callable[[str, UUID], None] = lambda alias, change_id: None


centres = _Centres()


def bind(
    *,
    alias_of: Callable[[str], str],
    registers: Callable[[], Sequence[str]],
    is_directed: Callable[[UUID, str, int], bool],
    shown: Callable[[str, UUID], None] | None = None,
) -> None:
    """Have moves ask these about the centres.

    ``alias_of(division_code)`` gives the database of the centre that keeps a division (at least its first four digits).
    ``registers()`` lists the databases that this process keeps tidy. ``is_directed(person_id, centre, version)`` tells whether
    the province's directory says that this centre (four digits) speaks for the person, by a row of this version at least.
    ``shown(alias, change_id)`` waits, not for ever, until the province shows a change of that database.
    """
    centres.alias_of, centres.registers, centres.is_directed = alias_of, registers, is_directed
    if shown is not None:
        centres.shown = shown
