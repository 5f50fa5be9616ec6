"""Refusals of bookings."""

from __future__ import annotations

from furong.foundation.codes.errors import Refusal


class BookingNotFound(Refusal):
    """There is no such booking, or it is not the actor's: the answer is the same."""

    code = "bookings.not_found"
    message = "There is no such booking."
    mend = "Open it from your application."


class SlotFull(Refusal):
    """Somebody else took the last place."""

    code = "bookings.slot_full"
    message = "Somebody else has just taken the last place at this time."
    mend = "What you entered is kept. Choose another time below."


class SlotNotOffered(Refusal):
    """The office offers no such time, or not any more."""

    code = "bookings.slot_not_offered"
    message = "The office does not offer this time."
    mend = "Choose one of the times that are shown."


class BookingNeeded(Refusal):
    """The application wants a time, and none is held."""

    code = "bookings.needed"
    message = "This service wants a time at an office, and none is kept for you."
    mend = "Choose a time. What you entered is kept."


class ChangeTooLate(Refusal):
    """The booking begins too soon to be moved or cancelled, or is over."""

    code = "bookings.too_late"
    message = "It is too late to change this booking."
    mend = "Call the office."


class TooManyHeld(Refusal):
    """An account keeps places in more slots than one person can need."""

    code = "bookings.too_many_held"
    message = "You are keeping too many times at once."
    mend = "Hand in or discard one of your drafts first."


class AttendanceNotYet(Refusal):
    """Who came is noted on the day itself or later."""

    code = "bookings.not_yet"
    message = "This booking is not for today or earlier, or it was noted already."
    mend = "Reload the page."
