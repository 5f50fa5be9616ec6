"""One verifier: what a member runs alone is what `furong audit verify` runs, and neither needs a database."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from furong_link import auditing
from furong_link.errors import ConfigurationError
from tests.link.conftest import Exchange


def test_the_platforms_command_and_the_gateways_say_the_same_of_a_log(prepared: Exchange, tmp_path: Path) -> None:
    prepared.start()
    with prepared.link() as link:
        for _ in range(3):
            link.get("/births/list", grant="births-for-housing")
    prepared.stop()
    key = tmp_path / "gateway.pub"
    key.write_text(f"ed25519:{prepared.hospital.public}\n")

    def run(*words: str) -> subprocess.CompletedProcess[str]:
        # Away from the checkout, and with a database's address that leads nowhere.
        environment = {
            **os.environ,
            "PYTHONPATH": str(Path("src").absolute()),
            "FURONG_DATABASE_URL": "postgres://x:1/x",
        }
        return subprocess.run(
            [sys.executable, "-m", *words], capture_output=True, text=True, cwd=tmp_path, env=environment, check=False
        )

    folder = str(prepared.folder)
    ours = run("furong.entrypoints.cli", "audit", "verify", folder, "--key", str(key))
    theirs = run("furong_link.cli", "verify", folder, "--key", str(key))
    assert (ours.returncode, theirs.returncode) == (0, 0), ours.stderr + theirs.stderr
    assert ours.stdout.splitlines()[1:] == theirs.stdout.splitlines()
    assert theirs.stdout.startswith("3 records")
    records = prepared.folder / "evidence" / "records.log"
    records.write_bytes(records.read_bytes().replace(b'"rows":1', b'"rows":2', 1))
    for words in (("furong.entrypoints.cli", "audit", "verify"), ("furong_link.cli", "verify")):
        found = run(*words, folder, "--key", str(key))
        assert found.returncode == 1
        assert "✗" in found.stdout


def test_a_log_from_elsewhere_asks_for_its_key(tmp_path: Path) -> None:
    assert not auditing.is_exchange_log(tmp_path)
    with pytest.raises(ConfigurationError, match="--key"):
        auditing.verify(tmp_path)
    for text in ("rsa:AAAA", str(tmp_path / "none")):
        with pytest.raises(ConfigurationError):
            auditing.verify(tmp_path, key=text)
