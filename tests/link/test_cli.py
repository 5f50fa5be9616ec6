"""furong-gateway: made in one sitting, checked, run as a process, killed, verified."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from furong_link.cli import main, read_settings
from furong_link.client import Link
from furong_link.keys import SoftwareKey
from furong_link.verification import verify_log
from tests.link.conftest import Exchange


def _init(exchange: Exchange, folder: Path) -> None:
    operator = f"{exchange.operator.algorithm}:{exchange.operator.public}"
    arguments = ["init", str(folder), "--id", "hospital-1", "--authority", exchange.authority, "--operator", operator]
    assert main(arguments) == 0


def test_a_new_gateway_says_what_it_still_lacks(
    prepared: Exchange, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "new"
    _init(prepared, folder)
    public = SoftwareKey.read(folder / "gateway.key").public
    assert public in capsys.readouterr().out
    assert main(["check", str(folder)]) == 1
    assert "the operator has not approved" in capsys.readouterr().out
    (folder / "configuration.json").write_bytes(prepared.file())
    assert main(["check", str(folder)]) == 1
    said = capsys.readouterr().out
    assert "✓ gateway is registered" in said
    assert "✗ key is registered" in said
    assert "✗ system behind births" in said


@pytest.mark.parametrize("operator", ["rsa:AAAA", "ed25519:AAAA", "ed25519"])
def test_a_wrong_operator_key_is_said_at_once(
    tmp_path: Path, operator: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["init", str(tmp_path / "g"), "--id", "g", "--authority", "a:1", "--operator", operator]) == 1
    assert "furong-gateway:" in capsys.readouterr().err


def test_nothing_that_a_killed_gateway_acknowledged_is_missing(prepared: Exchange, tmp_path: Path) -> None:
    folder = tmp_path / "new"
    _init(prepared, folder)
    prepared.hospital = SoftwareKey.read(folder / "gateway.key")
    (folder / "configuration.json").write_bytes(prepared.file())
    base = f"http://127.0.0.1:{prepared.provider.server_port}/api"
    with (folder / "gateway.toml").open("a") as file:
        file.write(f'births = "{base}/births"\nfiles = "{base}/files"\n')
    assert main(["check", str(folder)]) == 0
    told = []
    for _ in range(2):
        process = subprocess.Popen(
            [sys.executable, "-m", "furong_link.cli", "run", str(folder)],
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": "src"},
        )
        assert process.stdout
        assert "listens" in process.stdout.readline()
        with Link(
            f"http://{prepared.authority}", signer=prepared.housing, gateway_key=prepared.hospital.verifier()
        ) as link:
            told += [link.get("/births/list", grant="births-for-housing") for _ in range(20)]
        process.send_signal(signal.SIGKILL)
        process.wait()
        process.stdout.close()
    _, key, _, _ = read_settings(folder)
    report = verify_log(folder / "evidence", key=key.verifier())
    assert report.findings == []
    assert report.records == len(told)
    assert [answer.record.index for answer in told] == list(range(len(told)))
    assert main(["verify", str(folder)]) == 0


def test_every_command_of_a_member_is_on_the_page_of_the_command_line(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--help"])
    commands = capsys.readouterr().out.partition("{")[2].partition("}")[0].split(",")
    page = (
        (Path(__file__).parents[2] / "docs" / "reference" / "cli.md").read_text().partition("### `furong-gateway`")[2]
    )
    told = set(re.findall(r"`([a-z-]+)[` ]", page.partition("\n## ")[0]))
    assert len(commands) > 10
    assert set(commands) <= told
