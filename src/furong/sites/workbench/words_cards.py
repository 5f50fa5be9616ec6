"""How cards and portraits stand, in words and tones."""

from __future__ import annotations

from collections.abc import Mapping

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from furong.registries.identity_cards.values import Kind, Outcome, Reason, State, Step
from furong.registries.portraits.values import Damage, Doubt

STATES: Mapping[State, tuple[Promise, str]] = {
    State.PHOTO_CHECK: (_("Portrait is looked at"), "late"),
    State.READY: (_("To be ordered"), "run"),
    State.ORDERED: (_("At the factory"), "run"),
    State.PRODUCED: (_("Made, on its way"), "run"),
    State.DELIVERED: (_("To be collected"), "late"),
    State.VALID: (pgettext_lazy("card", "Valid"), "ok"),
    State.EXPIRED: (pgettext_lazy("card", "Expired"), "wait"),
    State.LOST: (pgettext_lazy("card", "Lost"), "over"),
    State.REPLACED: (pgettext_lazy("card", "Replaced"), "wait"),
    State.CANCELLED: (pgettext_lazy("card", "Cancelled"), "wait"),
    State.REJECTED: (_("Portrait refused"), "over"),
}
STEPS: Mapping[Step, Promise] = {
    Step.APPLIED: _("Application taken"),
    Step.PHOTO_ACCEPTED: _("Portrait accepted"),
    Step.PHOTO_REFUSED: _("Portrait refused"),
    Step.ORDERED: _("Ordered from the factory"),
    Step.PRODUCED: _("Made by the factory"),
    Step.DEFECTIVE: _("Came out defective; to be made again"),
    Step.ORDER_WITHDRAWN: _("Order withdrawn; to be ordered again"),
    Step.DELIVERED: _("Arrived at the counter"),
    Step.COLLECTED: _("Handed out"),
    Step.LOSS_REPORTED: _("Reported lost"),
    Step.REPLACED: _("Replaced by another card"),
    Step.EXPIRED: _("Ran out"),
    Step.CANCELLED: _("Application cancelled"),
    Step.CARD_WRONG: _("Found to be wrong"),
}
KINDS: Mapping[Kind, Promise] = {Kind.REGULAR: _("Identity card"), Kind.TEMPORARY: _("Temporary identity card")}
REASONS: Mapping[Reason, Promise] = {
    Reason.FIRST: _("First card"),
    Reason.EXPIRY: _("The old one runs out or ran out"),
    Reason.LOSS: _("The old one is lost"),
    Reason.DAMAGE: _("The old one is damaged"),
    Reason.CHANGE: _("A fact on it changed"),
    Reason.ERROR: _("The old one is wrong"),
    Reason.TEMPORARY: _("Until the card is made"),
}
OUTCOMES: Mapping[Outcome, tuple[Promise, str]] = {
    Outcome.MADE: (_("Made by the factory"), "ok"),
    Outcome.DEFECTIVE: (_("Defective: waits to be ordered again"), "late"),
    Outcome.UNKNOWN: (_("Unknown: nobody ordered it"), "over"),
    Outcome.OTHER_BATCH: (_("Of another batch: not taken"), "over"),
    Outcome.DOUBLED: (_("Twice in the file: the first row counts"), "over"),
    Outcome.TOLD_BEFORE: (_("An earlier file spoke of it: not taken again"), "wait"),
    Outcome.WITHDRAWN: (_("Withdrawn meanwhile: destroy this one"), "over"),
    Outcome.CHIP_TAKEN: (_("Another card carries this chip: not taken"), "over"),
    Outcome.UNREADABLE: (_("Unreadable: result or chip is missing"), "over"),
}
DOUBTS: Mapping[Doubt, Promise] = {
    Doubt.NO_COLOURS: _("without colours"),
    Doubt.HEAD_SMALL: _("head too small"),
    Doubt.HEAD_LARGE: _("head too large"),
    Doubt.OFF_CENTRE: _("head not in the middle"),
    Doubt.UPSIDE_DOWN: _("perhaps upside down"),
    Doubt.NOT_FACE_LIKE: _("not sure that it is a face"),
    Doubt.NO_HEAD: _("no head found; the counter says it is right"),
    Doubt.SAME_PICTURE: _("the very same file is another person's portrait"),
}
DAMAGES: Mapping[Damage, Promise] = {
    Damage.GONE: _("The picture is gone"),
    Damage.CHANGED: _("The picture was changed"),
}
