"""Contents of questions and answers, kept beside the evidence when the member wants it: sealed, and erasable by the day or month.

What is kept stands in the record's detail, sealed once more under the key of its partition. Destroying that key erases the
contents; the detail with both digests and the caller's signature stays, and the log verifies as before.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from furong_link.message import BodySettings
from furong_link.sealing import PartitionKeys, cipher_of

FOLDER = "bodies"  # in the folder of the evidence
_LENGTH = 4


def partition_of(at: float, *, by: str) -> str:
    """Give the partition of a time in Unix seconds: its day or month (UTC)."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d" if by == "day" else "%Y-%m")


def end_of(partition: str) -> datetime:
    """Give when a day or a month is over. Raises ValueError for another partition."""
    if len(partition) == len("2026-11-23"):
        return datetime.strptime(partition, "%Y-%m-%d").replace(tzinfo=UTC) + timedelta(days=1)
    first = datetime.strptime(partition, "%Y-%m").replace(tzinfo=UTC)
    return (first + timedelta(days=32)).replace(day=1)


class Bodies:
    """Seals and opens contents. ``algorithm`` is the gateway's signature suite, which fixes the cipher."""

    def __init__(self, folder: Path, *, settings: BodySettings, algorithm: str) -> None:
        self._settings = settings
        self.keys = PartitionKeys(folder / FOLDER, cipher=cipher_of(algorithm))

    def seal(self, *, question: bytes, answer: bytes, at: float) -> dict[str, str] | None:
        """Give what a detail holds of two contents; None when they are not kept, being too large. Raises EvidenceError."""
        if len(question) + len(answer) > self._settings.most_bytes:
            return None
        partition = partition_of(at, by=self._settings.partition)
        sealed = self.keys.seal(len(question).to_bytes(_LENGTH, "big") + question + answer, partition=partition)
        return {"partition": partition, "sealed": b64encode(sealed).decode()}

    def open(self, kept: Mapping[str, Any]) -> tuple[bytes, bytes] | None:
        """Give question and answer of what `seal` gave; None when they were erased. Raises EvidenceError when changed."""
        opened = self.keys.open(b64decode(kept["sealed"]), partition=kept["partition"])
        if opened is None:
            return None
        length = int.from_bytes(opened[:_LENGTH], "big")
        return opened[_LENGTH : _LENGTH + length], opened[_LENGTH + length :]

    def due(self, now: float) -> list[str]:
        """Give the partitions that are over for longer than they are to be kept."""
        limit = datetime.fromtimestamp(now, UTC) - timedelta(days=self._settings.days)
        return [one for one in self.keys.partitions() if end_of(one) <= limit]
