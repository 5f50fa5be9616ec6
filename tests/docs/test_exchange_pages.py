"""The pages about the exchange: every command is run by a shell with curl, every program as it stands, on a real gateway."""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from furong_link.client import Refused
from furong_link.keys import SoftwareKey
from furong_link.provider import Provider
from tests.docs.tables import ROOT
from tests.link.conftest import Exchange, _free_port, prepared, provider  # noqa: F401 - fixtures
from tests.link.modes import Modes

HOW_TO = ROOT / "docs" / "how-to"
_BLOCK = re.compile(r"^```(console|python)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
FIELDS = {"name": "name", "division": "keep", "weight_g": "keep"}


@dataclass
class Place:
    """A reader's folder beside a running gateway."""

    folder: Path
    exchange: Exchange
    modes: Modes

    @property
    def address(self) -> str:
        return f"http://{self.exchange.authority}"

    @property
    def key(self) -> str:
        return f"ed25519:{self.exchange.hospital.public}"

    def shell(self, body: str) -> list[tuple[str, str, str]]:
        """Run the commands of a block in one shell; give each with what the page says and what it gave."""
        steps = [part.partition("\n") for part in re.split(r"^\$ ", body, flags=re.MULTILINE)[1:]]
        script = "".join(f"{command}\necho\necho @@@@\n" for command, _, _ in steps)
        found = subprocess.run(
            ["bash", "-o", "pipefail", "-c", script],
            cwd=self.folder,
            env={
                **os.environ,
                "GATEWAY": self.address,
                "KEY": self.key,
                "PATH": f"{self.folder / 'bin'}:{os.environ['PATH']}",
                "PYTHONPATH": str(ROOT / "src"),
                "NO_PROXY": "127.0.0.1",
            },
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        gave = found.stdout.split("@@@@\n")
        assert len(gave) == len(steps) + 1, found.stdout + found.stderr
        return [(step[0], step[2].strip(), text.strip()) for step, text in zip(steps, gave, strict=False)]

    def reconfigure(self, *, rows_at: str = "items") -> None:
        """Have the operator list the keys that are in the folder, and what the pages ask for."""
        found = self.modes.changes()
        found["services"][0]["rows_at"] = rows_at
        basis = next(grant for grant in found["grants"] if grant["id"] == "born-for-housing")
        mine = {
            "births": {"service": "births", "paths": ["/list", "/one/*"], "methods": ["GET"]},
            "files": {"service": "files", "paths": ["/**"], "methods": ["POST"], "fields": None, "rows": []},
            "born": {"service": "born", "paths": ["/births"], "methods": ["GET"]},
            "births-files": {"service": "births-files", "paths": ["/**"], "methods": ["GET"]},
        }
        found["grants"] = [basis | {"fields": FIELDS} | grant | {"id": name} for name, grant in mine.items()]
        self.exchange.reconfigure(**found)


@pytest.fixture
def place(prepared: Exchange, tmp_path: Path) -> Iterator[Place]:  # noqa: F811 - the fixture imported above
    folder = tmp_path / "reader"
    folder.mkdir()
    modes = Modes(prepared)
    modes.prepare()
    prepared.start()
    (folder / "gateway").symlink_to(prepared.folder)
    prepared.hospital.write(prepared.folder / "gateway.key")
    prepared.housing.write(folder / "housing.key")
    command = folder / "bin" / "furong-gateway"
    command.parent.mkdir()
    command.write_text(f'#!/bin/sh\nexec {sys.executable} -m furong_link.cli "$@"\n')
    command.chmod(0o755)
    (folder / "births.csv").write_text("name,division,weight_g,phone\n周芷沅,430290,3200,1\n陈一,430190,1,1\n")
    yield Place(folder, prepared, modes)
    prepared.stop()


def _blocks(page: str) -> list[tuple[str, str]]:
    return _BLOCK.findall((HOW_TO / page).read_text())


def test_the_page_on_curl_gives_what_it_says(place: Place) -> None:
    place.modes.desk.write(place.folder / "hospital.key")
    place.reconfigure()
    with place.modes.provider() as link:
        link.publish("births-files", "births", version=1, file=place.folder / "births.csv")
    body = "".join(text for kind, text in _blocks("ask-the-exchange-with-curl.md") if kind == "console")
    steps = place.shell(body)
    assert len(steps) >= 10
    for command, said, gave in steps:
        assert gave.replace("\r\n", "\n") == said, command


def test_the_page_on_providing_runs_as_it_stands(
    place: Place, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(place.folder)
    blocks = _blocks("provide-through-the-exchange.md")
    programs = {text.partition("\n")[0].removeprefix("# "): text for kind, text in blocks if kind == "python"}
    consoles = [text for kind, text in blocks if kind == "console"]
    assert place.shell(consoles[0])[0][2].startswith("hospital/desk/1 ed25519:")
    place.modes.desk = SoftwareKey.read(place.folder / "hospital.key")
    place.reconfigure()
    names = {"GATEWAY": place.address, "GATEWAY_KEY": place.exchange.hospital.public, "PORT": _free_port()}
    # A provider in ten lines, behind the gateway as its upstream.
    with _serving(monkeypatch) as served:
        exec(programs["provider"], dict(names))  # noqa: S102 - the page's own program
        place.exchange.stop()
        place.exchange.upstreams["births"] = f"http://127.0.0.1:{served[0].server_port}"
        place.exchange.start()
        place.reconfigure(rows_at="")
        with place.exchange.link() as link:
            found = link.get("/births/one/2026-0001", grant="births").json()
            assert found == {"name": "周**", "division": "430290", "weight_g": 3200}
            with pytest.raises(Refused) as caught:
                link.get("/births/one/none", grant="births")
            assert caught.value.problem.status == 404
    exec(programs["publish"], dict(names))  # noqa: S102
    exec(programs["publish"], dict(names))  # noqa: S102 - both may be repeated
    assert place.shell(consoles[1])[0][2].startswith("births 2 csv: ")
    capsys.readouterr()
    exec(programs["take"], dict(names))  # noqa: S102
    assert capsys.readouterr().out.split() == ["1", "1", "1"]
    assert (place.folder / "got.csv").read_text().splitlines() == ["name,division,weight_g", "周**,430290,3200"]


@contextlib.contextmanager
def _serving(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Any]]:
    """Have `Provider.serve` go on in a thread, and end with the block."""
    servers: list[Any] = []
    threads: list[threading.Thread] = []

    def serve(self: Provider, *, port: int) -> None:
        servers.append(self.server(port=port))
        threads.append(threading.Thread(target=servers[-1].serve_forever, kwargs={"poll_interval": 0.02}))
        threads[-1].start()

    monkeypatch.setattr(Provider, "serve", serve)
    yield servers
    for server, thread in zip(servers, threads, strict=True):
        server.shutdown()
        server.server_close()
        thread.join()


def test_the_page_on_witnesses_gives_what_it_says(place: Place) -> None:
    with place.modes.exchange.link() as link, contextlib.suppress(Refused):
        link.get("/births/list", grant="births-for-housing")
    body = "".join(text for kind, text in _blocks("witness-the-exchange.md") if kind == "console")
    steps = place.shell(body)
    assert len(steps) == 3
    for command, said, gave in steps:
        if "init" in command:
            assert gave.splitlines()[-1].startswith("audit-office/witness/1 ed25519:")
            continue
        assert re.sub(r"ed25519:[^)]+", "ed25519:PUBLIC", re.sub(r"\d+ heads", "1 heads", gave)) == said, command
