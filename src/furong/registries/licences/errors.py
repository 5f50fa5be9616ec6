"""What the licence register refuses, and the faults its operator must mend. None of them carries personal data."""

from __future__ import annotations

from typing import ClassVar

from furong.foundation.codes.errors import Fault, Refusal


class LicenceNotFound(Refusal):
    """No licence by that key, or none that the asker may know of."""

    code: ClassVar[str] = "licences.not_found"
    message = "No such licence was found."


class LicenceTypeUnknown(Refusal):
    """No licence type of that code is in force."""

    code: ClassVar[str] = "licences.type_unknown"
    message = "The licence type %(type_code)s is not in force."
    mend = "Publish the type, or correct its code."


class LicenceDataIncomplete(Refusal):
    """A field that the type requires is missing or not of its kind."""

    code: ClassVar[str] = "licences.data_incomplete"
    message = "The licence cannot be issued: the field %(field)s is missing or not valid."
    mend = "Complete the field and issue again."


class LicenceNumberTaken(Refusal):
    """A licence of this type bears the number that another system allotted: it was issued before."""

    code: ClassVar[str] = "licences.number_taken"
    message = "A licence with this number was issued before."
    mend = "Look it up; a lost one is printed again, a wrong one is revoked and replaced."


class LicenceAlreadyRevoked(Refusal):
    """The licence was revoked before."""

    code: ClassVar[str] = "licences.already_revoked"
    message = "The licence is revoked already."


class ReasonMissing(Refusal):
    """A revocation without a reason."""

    code: ClassVar[str] = "licences.reason_missing"
    message = "State the reason for which the licence is revoked."
    mend = "The holder sees the reason with the licence."


class FileNotReadable(Refusal):
    """What was uploaded to be checked is no PDF, or one that nothing can open."""

    code: ClassVar[str] = "licences.file_not_readable"
    message = "The file is not a PDF that can be checked."
    mend = "Choose the PDF as you received it, not a scan or a photograph."


class GlyphMissingError(Fault):
    """No font here can show a character: the document is not made rather than made with a hole in a name.

    ``characters`` holds code points (U+4E00), never a name.
    """

    code: ClassVar[str] = "licences.glyph_missing"

    def __init__(self, characters: tuple[str, ...]) -> None:
        self.characters = characters
        super().__init__(f"No installed font shows {', '.join(characters)}; install one (docs: fonts) and try again.")


class TypesettingError(Fault):
    """A template does not compile with the data it was given."""

    code: ClassVar[str] = "licences.typesetting"


class SealingError(Fault):
    """A document could not be signed."""

    code: ClassVar[str] = "licences.sealing"


class EffectReusedError(Fault):
    """The same effect was asked for twice with different content: a defect of the caller."""

    code: ClassVar[str] = "licences.effect_reused"
