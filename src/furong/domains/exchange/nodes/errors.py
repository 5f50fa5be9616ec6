"""Refusals and faults between nodes."""

from __future__ import annotations

from furong.domains.exchange.errors import EnrolmentRefused
from furong.foundation.codes.errors import Fault, Refusal

__all__ = ["EnrolmentRefused"]


class NodeUnnamed(Refusal):
    """A node has a name before it meets others."""

    code = "exchange.node_unnamed"
    message = "This node has no name and level yet."
    mend = "Give it a code, a level and the address at which other nodes reach it."


class NodeNotValid(Refusal):
    """Codes, levels and addresses of nodes have one plain form, and a node stands below the one it joins."""

    code = "exchange.node_not_valid"
    message = "The code, the level or the address of the node is not valid."
    mend = (
        "A code has small letters, digits and hyphens; an address begins with http:// or https://; "
        "a lower node has a lower level."
    )


class NodeKnown(Refusal):
    """A code names one node, and there is one node above."""

    code = "exchange.node_known"
    message = "There is a node of this code already, or this node has one above."
    mend = "Choose another code, or leave the node above first."


class NodeNotFound(Refusal):
    """There is no such node, or it does not stand so that this could be done."""

    code = "exchange.node_not_found"
    message = "There is no such node, or this cannot be done with it as it stands now."
    mend = "Open it from the page of nodes."


class GraceNotValid(Refusal):
    """An old key counts beside the new one for a while, not for ever."""

    code = "exchange.grace_not_valid"
    message = "The old key counts beside the new one for 0 to %(most)s days."


class AskNotFound(Refusal):
    """There is no such request, or it was decided already."""

    code = "exchange.ask_not_found"
    message = "There is no such request, or it was decided already."
    mend = "Reload the page."


class NoMember(Refusal):
    """Who asks other nodes takes part in the exchange: the answer comes through its gateway."""

    code = "exchange.no_member"
    message = "Your organisation takes no part in the exchange yet."
    mend = "Ask the operator of the exchange to admit it."


class DocumentRefused(Refusal):
    """A document is not signed by a node that exchanges with this one, is older than what is held, or does not hold together."""

    code = "exchange.document_refused"
    message = "The document is not signed by a node that exchanges with this one, or is older than the one held."


class EntryNotFound(Refusal):
    """No other node offers this resource with these items."""

    code = "exchange.entry_not_found"
    message = "No other node offers such a resource with these items."
    mend = "Choose from the list of what they offer."


class AskRefused(Refusal):
    """A request says who asks, for what, on what legal basis, and for how long."""

    code = "exchange.ask_not_valid"
    message = "Say which member asks, for what, on what legal basis, and for how many days."


class NodeAwayError(Fault):
    """Another node did not answer, or not as nodes do."""

    code = "exchange.node_away"
