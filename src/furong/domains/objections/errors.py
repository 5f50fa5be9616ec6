"""Refusals of objections."""

from __future__ import annotations

from furong.foundation.codes.errors import Refusal


class ObjectionNotFound(Refusal):
    """There is no such objection, or the actor must not know of it: the answer is the same."""

    code = "objections.not_found"
    message = "There is no such objection."
    mend = "Open it from your list."


class ObjectionMoved(Refusal):
    """The objection does not stand so that this could be done: somebody else was faster."""

    code = "objections.moved"
    message = "This cannot be done with the objection as it stands now."
    mend = "Reload the page."


class ItemUnknown(Refusal):
    """The resource has no such item, or the actor must not know of it."""

    code = "objections.item_unknown"
    message = "The resource has no such item."
    mend = "Choose one of the items that its page shows."


class AlreadyObjected(Refusal):
    """The same organisation or person has an open objection to the same value."""

    code = "objections.already"
    message = "You have already objected to this value, and the objection is open."
    mend = "Add what you know on its page, or wait for the answer."


class NobodyAnswers(Refusal):
    """The resource has no organisation that could answer."""

    code = "objections.nobody_answers"
    message = "No organisation is responsible for this resource yet."
    mend = "Tell the data authority."


class SubjectNotYours(Refusal):
    """A resident objects to what is held of themself, or of the person they act for."""

    code = "objections.subject_not_yours"
    message = "You can object to what is held about you, or about the person you act for."
    mend = "Switch to the person you act for, or ask them to object."


class WordsNeeded(Refusal):
    """An objection, an answer and a ruling are explained to those they touch (Order 809 art. 26)."""

    code = "objections.words_needed"
    message = "Write what is wrong, what was done, or why not."
    mend = "A sentence or two is enough."


class WrongSinceLater(Refusal):
    """The day from which the value was wrong lies after the objection."""

    code = "objections.wrong_since_later"
    message = "The day from which the value was wrong cannot be later than the objection."
    mend = "Give an earlier day, or leave it empty: then everybody who ever read it is told."
