"""What comparisons refuse."""

from __future__ import annotations

from typing import ClassVar

from furong.foundation.codes.errors import Refusal


class MatchNotFound(Refusal):
    """There is no such comparison of the asker's, it is not done, or its files were thrown away."""

    code: ClassVar[str] = "population.match_not_found"
    message = "This comparison does not exist, or its answers are not kept any more."
    mend = "Send the file again."
