"""What a gateway holds of its operator: the key it began with (``gateway.toml``), and what that handed over to since."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

from furong_link.configuration import Configuration, read_configuration, take_configuration
from furong_link.enrolment import fingerprint
from furong_link.errors import ConfigurationError
from furong_link.handover import KeyName, Trust
from furong_link.keys import Verifier

NAME = "operator.json"
_OPERATOR = re.compile(r"(?ms)^\[operator\].*?(?=^\[|\Z)")


class Operator:
    """Reads configurations by what is trusted. With a bare verifier, as in tests, no hand-over is followed."""

    def __init__(self, folder: Path, known: Verifier | KeyName) -> None:
        self._place, self._verifier = folder / NAME, None if isinstance(known, KeyName) else known
        self._began = known if isinstance(known, KeyName) else None
        self._trust = Trust(known) if isinstance(known, KeyName) else None
        self._after = self._trust
        if self._began is None or not self._place.exists():
            return
        try:
            kept = json.loads(self._place.read_text())
            if kept.get("began") == str(self._began):  # of another beginning nothing counts: the member named a new key
                self._trust = self._after = Trust.of_json(kept["trust"])
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise ConfigurationError(f"{NAME} cannot be read: {type(error).__name__}.") from error

    @property
    def number(self) -> int:
        """The number of the operator's key that is held."""
        return self._trust.number if self._trust else 1

    def read(self, file: bytes, *, now: float, held: Configuration | None = None) -> Configuration:
        """Read a configuration's file. What it hands over counts once it is `keep`-t. Raises ConfigurationError."""
        if self._trust is None or self._verifier is not None:
            assert self._verifier is not None  # noqa: S101 - one of the two was given
            return read_configuration(file, operator=self._verifier, held=held)
        found, self._after = take_configuration(file, trust=self._trust, now=now, held=held)
        return found

    def keep(self) -> bool:
        """Trust what the last file handed over, from now on and after a restart; say whether that is more. Call it once the file
        itself is on the disk: a start in between follows the hand-over again. Raises OSError.
        """
        if self._after is None or self._after == self._trust:
            return False
        draft = self._place.with_suffix(".draft")
        with draft.open("w") as out:
            json.dump({"began": str(self._began), "trust": self._after.as_json()}, out)
            out.flush()
            os.fsync(out.fileno())
        draft.rename(self._place)
        self._trust = self._after
        return True


def name_operator(folder: Path, key: str) -> str:
    """Hold another operator's key in ``gateway.toml``, ``ALGORITHM:BASE64``; give its fingerprint. Raises ConfigurationError."""
    found = KeyName.of(key)
    place = folder / "gateway.toml"
    text = f'algorithm = "{found.algorithm}"\npublic = "{found.public}"\n'
    table = f"[operator]  # whose signature makes a configuration valid\n{text}\n"
    whole, count = _OPERATOR.subn(lambda _: table, place.read_text(), count=1)
    if count != 1:
        raise ConfigurationError("gateway.toml has no [operator].")
    draft = place.with_suffix(".draft")
    draft.write_text(whole)
    draft.rename(place)
    (folder / NAME).unlink(missing_ok=True)
    return fingerprint(algorithm=found.algorithm, public=found.public)
