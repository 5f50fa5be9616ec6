"""Refusals of services."""

from __future__ import annotations

from furong.foundation.codes.errors import Refusal


class ItemMissing(Refusal):
    """No such service item is in force."""

    code = "services.item_missing"
    message = "There is no service item “%(item)s” in force."
    mend = "Check the code and the date."


class LifeEventMissing(Refusal):
    """No such life event is in force."""

    code = "services.life_event_missing"
    message = "There is no life event “%(event)s” in force."
    mend = "Check the code and the date."


class FormMissing(Refusal):
    """No such form is published."""

    code = "services.form_missing"
    message = "There is no such form."
    mend = "Open the service again from its guide."


class NeedsCycle(Refusal):
    """Items of a life event wait for each other."""

    code = "services.needs_cycle"
    message = "The items wait for each other: %(path)s."
    mend = "Remove one of the needs."


class ItemCodeRefused(Refusal):
    """An implementation code cannot be made of these parts."""

    code = "services.item_code"
    message = (
        "An implementation code is an 18-character organisation code, a level from 1 to 6 and a 12-digit basic code."
    )
    mend = "Check the organisation's code and the item's basic code."
