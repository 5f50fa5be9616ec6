"""Checking an exchange's log offline, in words: what ``furong-gateway verify`` and ``furong audit verify`` print."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from pathlib import Path

from furong_link.errors import ConfigurationError
from furong_link.keys import SUITES, SoftwareKey, Verifier, verifier
from furong_link.verification import Report
from furong_link.witness import WitnessFile, verify_witnessed


def is_exchange_log(folder: Path) -> bool:
    """Say whether a folder is a gateway's, or the evidence of one."""
    return (folder / "records.log").exists() or (folder / "evidence" / "records.log").exists()


def verify(
    folder: Path,
    *,
    key: str = "",
    archives: Sequence[Path] = (),
    witnesses: Sequence[str] = (),
    needed: int = 0,
) -> tuple[list[str], bool]:
    """Check a gateway's folder, or a copy of its evidence with the gateway's public ``key`` (``ALGORITHM:BASE64``, or a
    file of it); give the lines to print, and whether everything holds.

    ``witnesses`` are ``FILE=ALGORITHM:BASE64``; ``needed`` of them must have co-signed. Raises ConfigurationError.
    """
    evidence = folder / "evidence" if (folder / "evidence").is_dir() else folder
    found, who = verify_witnessed(
        evidence,
        key=_key(folder, key),
        witnesses=[_witness(text) for text in witnesses],
        needed=needed,
        archives=archives,
    )
    lines = [_summary(found)]
    if witnesses or needed:
        names = ", ".join(who.witnesses) or "nobody"
        lines.append(f"co-signed by {names}: {who.records} records by {max(needed, 1)} or more")
    return [*lines, *(f"✗ {finding}" for finding in found.findings)], not found.findings


def _summary(report: Report) -> str:
    parts = [
        f"{report.records} records",
        f"{report.heads} heads",
        f"{report.erased} details erased",
        f"{report.unsealed} not under a head",
    ]
    if report.segments:
        parts.append(f"{report.segments} archived files")
    if report.elsewhere:
        parts.append(f"{report.elsewhere} records kept elsewhere")
    return ", ".join(parts)


def read_key(text: str) -> tuple[str, str]:
    """Read ``ALGORITHM:BASE64``, or a file of it; give algorithm and base64. Raises ConfigurationError."""
    if text.partition(":")[0] not in SUITES:
        try:
            text = Path(text).read_text().strip().split()[-1]
        except (OSError, ValueError, IndexError) as error:
            raise ConfigurationError("A public key is ALGORITHM:BASE64, or a file of it.") from error
    algorithm, _, public = text.partition(":")
    return algorithm, public


def _key(folder: Path, text: str) -> Verifier:
    if text:
        algorithm, public = read_key(text)
        return verifier(algorithm=algorithm, public=public)
    path = folder / "gateway.key"
    if not path.exists():
        raise ConfigurationError("A log from elsewhere is checked with its gateway's public key: --key.")
    return SoftwareKey.read(path).verifier()


def _witness(text: str) -> WitnessFile:
    path, found, key = text.partition("=")
    if not found:
        raise ConfigurationError("A witness is FILE=ALGORITHM:BASE64.")
    algorithm, public = read_key(key)
    return WitnessFile(Path(path), algorithm, public)


def read_toml(path: Path) -> dict[str, object]:
    """Read a file of settings. Raises ConfigurationError."""
    try:
        return tomllib.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise ConfigurationError(f"{path.name}: {type(error).__name__}: {error}") from error
