"""Refusals of needs, demands and rulings."""

from __future__ import annotations

from furong.foundation.codes.errors import Refusal


class NeedMissing(Refusal):
    """There is no such need, demand or escalation, or the actor has nothing to do with it: the answer is the same."""

    code = "catalogue.need_not_found"
    message = "There is no such need."
    mend = "Open it from your list."


class NeedRefused(Refusal):
    """What was written does not suffice, or goes beyond what can be asked."""

    code = "catalogue.need_refused"
    message = "The need cannot be stated like this."
    mend = "Correct it and send it again."


class DemandOpen(Refusal):
    """The need has a demand for the same already."""

    code = "catalogue.demand_open"
    message = "There is a demand for this already: %(number)s."
    mend = "Go on with that one."


class SupplyLacking(Refusal):
    """The resource does not supply what is demanded: it is not live, of another provider, or does not carry the element."""

    code = "catalogue.supply_lacking"
    message = "This resource does not supply what is demanded."
    mend = "Name a published resource of your organisation that carries the element, or say by when you will supply it."


class ClauseNeeded(Refusal):
    """Sharing is the rule: each exception cites its clause (Order 809)."""

    code = "catalogue.clause_needed"
    message = "Sharing is the rule: a refusal cites the law and its clause."
    mend = "Name the law and the article that forbid it."


class DateRefused(Refusal):
    """A date of supply lies in the past or beyond the statutory time."""

    code = "catalogue.date_refused"
    message = "The day of supply lies between tomorrow and %(last_on)s."
    mend = "Give a day in that time."


class RulingImpossible(Refusal):
    """It is not refused or late, its time has run out, or it is before the data authority already."""

    code = "catalogue.ruling_impossible"
    message = "The data authority cannot be asked for a ruling on this as it stands now."
    mend = "Reload the page. A refusal can be brought before it within ten working days."


class SupplyOrdered(Refusal):
    """The data authority ordered the supply, so that it cannot be refused again."""

    code = "catalogue.supply_ordered"
    message = "The data authority has ordered the supply; it cannot be refused."
    mend = "Supply it, or explain to the data authority what hinders you."
