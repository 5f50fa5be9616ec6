"""Refusals and faults of search."""

from __future__ import annotations

from furong.foundation.codes.errors import Fault, Refusal


class NothingAsked(Refusal):
    """A question without a letter, a figure or a character that could be looked for."""

    code = "search.nothing_asked"
    message = "There is nothing in this question that could be looked for."
    mend = "Write a few words: what happened, or what you need."


class ResultGone(Refusal):
    """A result that is not there any more, or that the asker must not know of: the answer is the same."""

    code = "search.gone"
    message = "This page is not there any more."
    mend = "Search again."


class SearchAway(Refusal):
    """No index can be read just now; programs are told to come again."""

    code = "search.away"
    message = "The search is away for a moment."
    mend = "Try again in a few minutes."


class WriterBusyError(Fault):
    """Another process follows the index; two writers would destroy each other's work. `furong search status` names it."""

    code = "search.writer_busy"


class IndexMissingError(Fault):
    """There is no index yet, or none that can be read. `furong search rebuild` makes one."""

    code = "search.no_index"


class IndexWriteError(Fault):
    """The index could not be written (a full disk, rights):

    what is served stays as it was, and what was to be written waits.
    """

    code = "search.not_written"


class BetRefused(Refusal):
    """A best bet that could not stand: no question, no title, a strange address, personal data, or an end too far."""

    code = "search.bet_refused"
    message = "This cannot be put on top of the results."
    mend = "Give a question without personal data, a title, an address that begins with / or http, and an end within a year."


class BetNotFound(Refusal):
    """There is no such best bet, or it has ended."""

    code = "search.bet_not_found"
    message = "There is no such best bet any more."
    mend = "Reload the page."
