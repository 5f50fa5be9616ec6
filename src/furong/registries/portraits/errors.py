"""What the portrait register refuses. None of it carries personal data."""

from __future__ import annotations

from typing import ClassVar

from furong.foundation.codes.errors import Refusal


class PortraitRefused(Refusal):
    """A picture that cannot be a portrait."""


class NotAPortraitFile(PortraitRefused):
    """The file is no JPEG picture, or one whose colours no printer of cards knows."""

    code: ClassVar[str] = "portraits.not_a_picture"
    message = "A portrait is a JPEG picture in colour, and this is %(found)s."
    mend = "Take the picture again, or save it as JPEG."


class PictureDamaged(PortraitRefused):
    """The picture cannot be decoded to its end, or carries something behind its end."""

    code: ClassVar[str] = "portraits.damaged"
    message = "The picture is damaged: it cannot be read to its end, or something else hangs behind it."
    mend = "Copy it from the camera again, or take it again."


class SeveralPictures(PortraitRefused):
    """The file holds several pictures, as an animation or a pair for both eyes does."""

    code: ClassVar[str] = "portraits.several_pictures"
    message = "The file holds several pictures."
    mend = "Save the one that is wanted by itself, as JPEG."


class PictureTurned(PortraitRefused):
    """The picture lies on its side, or says that it must be turned to be seen."""

    code: ClassVar[str] = "portraits.turned"
    message = "The picture is turned: it lies on its side, or only its notes say which way is up."
    mend = "Turn it upright and save it so."


class PictureSizeWrong(PortraitRefused):
    """Too few or too many points, bytes or scans, or not of a portrait's shape."""

    code: ClassVar[str] = "portraits.size_wrong"
    message = "The picture measures %(width)s × %(height)s points in %(kb)s KB, which is not a portrait's size."
    mend = "A portrait is upright, about four to five, at least 295 × 360 and at most 3,000 × 4,000 points, and at most 2 MB."


class NoHeadFound(PortraitRefused):
    """Nothing in the picture has the size and colour of a face."""

    code: ClassVar[str] = "portraits.no_head"
    message = "Nothing of a face's size is seen in the picture."
    mend = "Take it again: face to the camera, evenly lit, a plain background. If it is right as it is, have a person look."


class PortraitNotFound(Refusal):
    """No portrait by that key, or none that the asker may know of."""

    code: ClassVar[str] = "portraits.not_found"
    message = "There is no such portrait."


class LinkOver(Refusal):
    """The link to a portrait is too old, or another account uses it."""

    code: ClassVar[str] = "portraits.link_over"
    message = "This link to a portrait is over."
    mend = "Open the page again; a link lasts two minutes and serves one account."


class PersonNotOnRecord(Refusal):
    """Nobody is registered under this key."""

    code: ClassVar[str] = "portraits.person_unknown"
    message = "This person does not stand in the population register."
    mend = "Register the person first, or look again who it is."


class NotForReview(Refusal):
    """The portrait does not wait for anybody's eye."""

    code: ClassVar[str] = "portraits.not_for_review"
    message = "This portrait does not wait to be looked at any more."


class ReasonMissing(Refusal):
    """A portrait refused, or a damage settled, without a word why."""

    code: ClassVar[str] = "portraits.reason_missing"
    message = "Say why."
    mend = "The person is told this reason."
