"""A witness: somebody outside the operator's hands who looks at gateways' logs and co-signs heads that only grew.

It holds each gateway's public key and the last head that it co-signed, in a file of its own. A head that is smaller, of
another log, not signed by the gateway, of the same size with another root, or not proven to go on from the last one is not
co-signed; the witness raises an alarm and keeps both heads as the proof. What it co-signed stands in its file before
anybody is told. The twin ships: ``furong-gateway witness run FOLDER``.
"""

from __future__ import annotations

import json
import os
import re
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from furong_link.archive import Head, canonical, sync_folder
from furong_link.errors import ConfigurationError, KeyFileError, LinkError, UnverifiedReplyError
from furong_link.evidence import text_of_time
from furong_link.handover import line_of
from furong_link.keys import Signer, Verifier, verifier
from furong_link.tree import verify_consistency
from furong_link.verification import Receipt, Report, check_head, verify_log

CONTEXT = "furong.exchange.witness.v1"
NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
MOST_BYTES = 1024 * 1024


class WitnessError(LinkError):
    """A gateway's log is not what it was, or its head is not its own. ``cause`` names it in one word."""

    code = "witness"

    def __init__(self, cause: str, text: str) -> None:
        super().__init__(text)
        self.cause = cause


class AwayError(LinkError):
    """A gateway could not be reached, or did not answer in the form it should."""

    code = "witness_away"


@dataclass(frozen=True, slots=True)
class Cosigned:
    """A gateway's signed head with the witness's signature over it."""

    head: Head
    witness: str
    at: str
    key_id: str
    algorithm: str
    signature: bytes

    def signed_bytes(self) -> bytes:
        return _signed_bytes(self.head, self.witness, self.at)

    def as_json(self) -> dict[str, object]:
        return {
            "witness": self.witness,
            "at": self.at,
            "key": self.key_id,
            "algorithm": self.algorithm,
            "signature": self.signature.hex(),
            "head": self.head.as_json(),
        }

    @classmethod
    def from_json(cls, found: Mapping[str, Any]) -> Cosigned:
        """Read what `as_json` wrote. Raises ValueError, KeyError or TypeError when it is none."""
        return cls(
            Head.from_json(found["head"]),
            str(found["witness"]),
            str(found["at"]),
            str(found["key"]),
            str(found["algorithm"]),
            bytes.fromhex(found["signature"]),
        )


def _signed_bytes(head: Head, witness: str, at: str) -> bytes:
    return canonical({"context": CONTEXT, "witness": witness, "at": at, "head": head.as_json()}).encode()


def check_cosigned(found: Cosigned, *, key: Verifier) -> bool:
    """Say whether the witness's key signed this head."""
    return found.algorithm == key.algorithm and key.verify(found.signed_bytes(), found.signature)


@dataclass(frozen=True, slots=True)
class Watched:
    """A gateway to look at: its code, its address, its public key."""

    id: str
    address: str
    key: Verifier


# What a gateway answers at a path below /.furong/, as JSON. Raises AwayError.
Ask = Callable[[Watched, str], Any]


def ask(watched: Watched, path: str) -> Any:
    """Ask a gateway over HTTP."""
    try:
        with urllib.request.urlopen(f"{watched.address}/.furong/{path}", timeout=10) as answer:  # noqa: S310 - from witness.toml
            return json.loads(answer.read(MOST_BYTES))
    except (urllib.error.URLError, OSError, ValueError) as error:
        raise AwayError(f"{watched.id} did not answer: {type(error).__name__}.") from error


class Witness:
    """One witness and its folder: a file of co-signed heads for each gateway, and one of alarms."""

    def __init__(
        self, folder: Path, *, id_: str, signer: Signer, own_key: Verifier, clock: Callable[[], float], ask: Ask = ask
    ) -> None:
        self._folder, self._id, self._signer, self._clock, self._ask = folder, id_, signer, clock, ask
        self._heads = folder / "heads"
        self._heads.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._last: dict[str, Cosigned] = {}
        for path in self._heads.glob("*.jsonl"):
            kept = path.read_bytes()
            whole = kept[: kept.rfind(b"\n") + 1]
            if len(whole) != len(kept):  # torn by a crash: nobody was told of it
                os.truncate(path, len(whole))
            if whole:
                self._last[path.stem] = self._own(whole.splitlines()[-1], own_key, path.name)

    @staticmethod
    def _own(line: bytes, key: Verifier, name: str) -> Cosigned:
        try:
            found = Cosigned.from_json(json.loads(line))
        except (ValueError, KeyError, TypeError) as error:
            raise WitnessError("own_file", f"{name} cannot be read.") from error
        if not check_cosigned(found, key=key):
            raise WitnessError("own_file", f"{name} does not end with a head that this witness co-signed.")
        return found

    def last(self, gateway: str) -> Cosigned | None:
        """Give the last head of a gateway that was co-signed."""
        return self._last.get(gateway)

    def path(self, gateway: str) -> Path:
        return self._heads / f"{gateway}.jsonl"

    def look(self, watched: Watched) -> Cosigned | None:
        """Look at a gateway's log and co-sign its head; the last one when nothing was added, None of an empty log.

        Raises WitnessError, after it stands among the alarms, when the log is not what it was; AwayError when the gateway
        cannot be asked, which is no alarm.
        """
        if not NAME.fullmatch(watched.id):
            raise ValueError("A gateway's code has small letters, digits and hyphens.")
        answer = self._ask(watched, "head")
        if answer == {}:
            if watched.id in self._last:
                raise self._alarm(watched, "rolled_back", "The log is empty.", answer)
            return None
        try:
            head = Head.from_json(answer)
        except (ValueError, KeyError, TypeError) as error:
            raise AwayError(f"{watched.id} gave no head.") from error
        try:
            new = self._grown(watched, head)
        except WitnessError as error:
            raise self._alarm(watched, error.cause, str(error), answer) from error
        if not new:
            return self._last[watched.id]
        at = text_of_time(self._clock())
        signature = self._signer.sign(_signed_bytes(head, self._id, at))
        found = Cosigned(head, self._id, at, self._signer.key_id, self._signer.algorithm, signature)
        _append(self.path(watched.id), found.as_json())
        self._last[watched.id] = found
        return found

    def _grown(self, watched: Watched, head: Head) -> bool:
        """Say whether the head is new. Raises WitnessError when it does not go on from the last one."""
        if not check_head(head, key=self._key_of(watched)) and not check_head(head, key=self._followed(watched)):
            raise WitnessError("not_signed", "The head is not signed by the gateway.")
        last = self._last.get(watched.id)
        if last is None:
            return True
        known = last.head
        if head.log != known.log:
            raise WitnessError("other_log", "It is another log than before.")
        if head.size < known.size:
            raise WitnessError("rolled_back", f"The log had {known.size} records and has {head.size}.")
        if head.size == known.size:
            if head.root != known.root:
                raise WitnessError("forked", f"There are two logs of {head.size} records.")
            return False
        answer = self._ask(watched, f"consistency/{known.size}/{head.size}")
        try:
            proof = [bytes.fromhex(part) for part in answer["proof"]]
        except (ValueError, KeyError, TypeError) as error:
            raise AwayError(f"{watched.id} gave no proof.") from error
        if not verify_consistency(
            earlier=known.size, earlier_root=known.root, size=head.size, root=head.root, proof=proof
        ):
            raise WitnessError("forked", "The log does not go on from what it was.")
        return True

    def _key_of(self, watched: Watched) -> Verifier:
        """The gateway's key, with what it was seen to hand over to: kept here, so that it is known for longer than given."""
        place = self._handovers(watched)
        try:
            return line_of(watched.key, json.loads(place.read_text())) if place.exists() else watched.key
        except (OSError, ValueError, ConfigurationError):
            return watched.key

    def _followed(self, watched: Watched) -> Verifier:
        """Ask the gateway whether its key was renewed, and hold what follows from a key that is known."""
        try:
            sent = self._ask(watched, "handovers")["handovers"]
            found = line_of(self._key_of(watched), sent, now=self._clock())
        except (AwayError, ConfigurationError, KeyError, TypeError):
            return watched.key
        place = self._handovers(watched)
        known = json.loads(place.read_text()) if place.exists() else []
        new = [one for one in sent if one not in known]
        if found is not watched.key and new:
            draft = place.with_suffix(".draft")
            draft.write_text(json.dumps([*known, *new]))
            draft.replace(place)
        return found

    def _handovers(self, watched: Watched) -> Path:
        return self._folder / f"{watched.id}.handovers.json"

    def _alarm(self, watched: Watched, cause: str, text: str, answer: object) -> WitnessError:
        last = self._last.get(watched.id)
        _append(
            self._folder / "alarms.jsonl",
            {
                "at": text_of_time(self._clock()),
                "gateway": watched.id,
                "cause": cause,
                "answer": answer,
                "last": last.as_json() if last else None,
            },
        )
        return WitnessError(cause, f"{watched.id}: {text}")

    def alarms(self) -> list[dict[str, Any]]:
        """Give every alarm, the oldest first. They stay until somebody has looked and moves the file away."""
        path = self._folder / "alarms.jsonl"
        return [json.loads(line) for line in path.read_bytes().splitlines()] if path.exists() else []


def _append(path: Path, value: object) -> None:
    new = not path.exists()
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "wb") as file:
        file.write(canonical(value).encode() + b"\n")
        file.flush()
        os.fsync(file.fileno())
    if new:
        sync_folder(path.parent)


# --- for those who check ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class WitnessFile:
    """A witness's file of co-signed heads, as it was handed over, and the witness's public key."""

    path: Path
    algorithm: str
    public: str


@dataclass(frozen=True, slots=True)
class Witnessed:
    """What witnesses say of a log: the records that at least as many as were asked for have co-signed, and by whom."""

    records: int
    witnesses: tuple[str, ...]


def verify_witnessed(
    folder: Path, *, key: Verifier, witnesses: Sequence[WitnessFile], needed: int, archives: Sequence[Path] = ()
) -> tuple[Report, Witnessed]:
    """Check a log's folder as `verify_log` does, and that at least ``needed`` different witnesses co-signed it.

    Every head that a witness co-signed must be one of this log: a log that was rolled back, or of which there are two, is
    found. Two files under one key are one witness.
    """
    heads: list[Head] = []
    sizes: dict[str, int] = {}  # by name and key
    findings: list[str] = []
    for witness in witnesses:
        cosigned = _read_file(witness, findings)
        if not cosigned:
            continue
        heads += [each.head for each in cosigned]
        name = f"{cosigned[0].witness} ({witness.algorithm}:{witness.public})"
        sizes[name] = max(sizes.get(name, 0), *(each.head.size for each in cosigned))
    report = verify_log(folder, key=key, known_heads=heads, archives=archives)
    report.findings += findings
    if len(sizes) < needed:
        report.findings.append(f"{len(sizes)} witnesses co-signed this log, {needed} are needed")
    ranked = sorted(sizes.values(), reverse=True)
    covered = ranked[needed - 1] if 0 < needed <= len(ranked) else 0
    return report, Witnessed(covered, tuple(sorted(sizes)))


def _read_file(witness: WitnessFile, findings: list[str]) -> list[Cosigned]:
    name = witness.path.name
    try:
        key = verifier(algorithm=witness.algorithm, public=witness.public)
        found = [Cosigned.from_json(json.loads(line)) for line in witness.path.read_bytes().splitlines()]
    except (OSError, ValueError, KeyError, TypeError, KeyFileError):
        findings.append(f"witness {name}: cannot be read")
        return []
    if not found or any(not check_cosigned(each, key=key) for each in found):
        findings.append(f"witness {name}: holds a head that this witness did not co-sign, or none")
        return []
    if len({each.witness for each in found}) != 1:
        findings.append(f"witness {name}: is of more than one witness")
        return []
    return found


def check_witnessed(
    receipt: Receipt,
    *,
    gateway_key: Verifier,
    cosigned: Sequence[tuple[Cosigned, Sequence[bytes]]],
    keys: Mapping[str, Verifier],
    needed: int,
) -> tuple[str, ...]:
    """Check that ``needed`` witnesses co-signed heads that hold the receipt's record; give who did.

    With each co-signed head comes the proof of consistency between it and the receipt's head, the smaller first; it is
    empty when both are the same. Raises UnverifiedReplyError when fewer hold it.
    """
    found: dict[str, Verifier] = {}
    for each, proof in cosigned:
        key = keys.get(each.witness)
        if key is None or not check_cosigned(each, key=key) or not check_head(each.head, key=gateway_key):
            continue
        earlier, later = sorted((receipt.head, each.head), key=lambda head: head.size)
        if each.head.log != receipt.head.log or each.head.size <= receipt.index:
            continue
        if verify_consistency(
            earlier=earlier.size, earlier_root=earlier.root, size=later.size, root=later.root, proof=proof
        ):
            found[each.witness] = key
    if len(found) < needed:
        raise UnverifiedReplyError(f"{len(found)} witnesses co-signed the record, {needed} are needed.")
    return tuple(sorted(found))
