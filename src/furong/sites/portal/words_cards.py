"""How identity cards stand and what happened to them, as their holder reads it."""

from __future__ import annotations

from collections.abc import Mapping

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from furong.registries.identity_cards.values import Kind, State, Step

STATES: Mapping[State, tuple[Promise, str]] = {
    State.PHOTO_CHECK: (_("Your portrait is looked at"), "run"),
    State.READY: (_("Will be made"), "run"),
    State.ORDERED: (_("Being made"), "run"),
    State.PRODUCED: (_("Made, on its way"), "run"),
    State.DELIVERED: (_("Ready: collect it"), "late"),
    State.VALID: (pgettext_lazy("card", "Valid"), "ok"),
    State.EXPIRED: (pgettext_lazy("card", "Expired"), "wait"),
    State.LOST: (pgettext_lazy("card", "Lost"), "over"),
    State.REPLACED: (pgettext_lazy("card", "Replaced"), "wait"),
    State.CANCELLED: (pgettext_lazy("card", "Cancelled"), "wait"),
    State.REJECTED: (_("Portrait refused"), "over"),
}
STEPS: Mapping[Step, Promise] = {
    Step.APPLIED: _("You applied"),
    Step.PHOTO_ACCEPTED: _("Your portrait was accepted"),
    Step.PHOTO_REFUSED: _("Your portrait was refused: have another taken"),
    Step.ORDERED: _("Its making is ordered"),
    Step.PRODUCED: _("Made by the factory"),
    Step.DEFECTIVE: _("Came out defective; it is made again"),
    Step.ORDER_WITHDRAWN: _("It did not come back; it is made again"),
    Step.DELIVERED: _("Arrived at the police station"),
    Step.COLLECTED: _("Handed to you"),
    Step.LOSS_REPORTED: _("Reported lost"),
    Step.REPLACED: _("Replaced by another card"),
    Step.EXPIRED: _("Ran out"),
    Step.CANCELLED: _("Application cancelled"),
    Step.CARD_WRONG: _("Found to be wrong; it is made again"),
}
KINDS: Mapping[Kind, Promise] = {Kind.REGULAR: _("Identity card"), Kind.TEMPORARY: _("Temporary identity card")}
