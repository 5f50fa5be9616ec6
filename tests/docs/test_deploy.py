"""What ships for a real machine is consistent with what runs."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from furong.entrypoints import cli
from furong.entrypoints.postgres import SERVER_SETTINGS
from tests.docs import tables
from tests.docs.tables import ROOT

DEPLOY = ROOT / "deploy"
UNITS = sorted(DEPLOY.glob("*.service"))


def _environment() -> dict[str, str]:
    lines = (DEPLOY / "furong.env.example").read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


@pytest.mark.parametrize("unit", UNITS, ids=lambda path: path.name)
def test_a_unit_starts_a_command_that_is_there(unit: Path) -> None:
    (start,) = re.findall(r"^ExecStart=\S*/furong (.*)$", unit.read_text(), re.MULTILINE)
    assert callable(cli._parser().parse_args(start.split()).run)


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd-analyze is not on this machine")
def test_systemd_finds_nothing_wrong_with_the_units(tmp_path: Path) -> None:
    for unit in UNITS:
        # the programs of the real machine are not on this one
        text = re.sub(r"^ExecStart=\S+", "ExecStart=/bin/true", unit.read_text(), flags=re.MULTILINE)
        (tmp_path / unit.name).write_text(text)
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *sorted(map(str, tmp_path.iterdir()))],
        capture_output=True,
        text=True,
        check=False,
    )
    named = [line for line in done.stderr.splitlines() if any(unit.name in line for unit in UNITS)]
    assert not named


def test_the_example_environment_names_variables_that_are_read() -> None:
    given = _environment()
    assert set(given) <= tables.environment_variables()
    assert given["FURONG_ENV"] == "production"
    assert given["FURONG_SECRET_KEY"] == ""  # nobody runs with a published key


def test_the_example_environment_makes_settings(tmp_path: Path) -> None:
    import os
    import sys

    given = {**_environment(), "FURONG_SECRET_KEY": "s" * 40, "FURONG_HOME": str(tmp_path)}
    script = (
        "from furong.entrypoints import settings as s; print(s.PRODUCTION, s.REQUIRE_TOTP, s.HTTPS, s.TRUSTED_PROXIES)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        env={"PATH": os.environ["PATH"], **given},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == ["True", "True", "True", "1"]


def test_production_does_not_start_without_a_secret_key(tmp_path: Path) -> None:
    import os
    import sys

    done = subprocess.run(
        [sys.executable, "-c", "import furong.entrypoints.settings"],
        env={"PATH": os.environ["PATH"], "FURONG_ENV": "production", "FURONG_HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode != 0
    assert "FURONG_SECRET_KEY" in done.stderr


def test_nginx_hands_on_what_the_settings_believe() -> None:
    text = (DEPLOY / "nginx.conf").read_text()
    bare = re.sub(r"#.*|'[^']*'", "", text)
    assert bare.count("{") == bare.count("}")
    for line in bare.splitlines():
        assert not line.strip() or line.strip()[-1] in ";{}", line
    for header in ("Host", "X-Forwarded-For", "X-Forwarded-Proto", "X-Request-ID"):
        assert re.search(rf"proxy_set_header {header}\s", text)
    assert "$request_uri'" not in text.split("log_format")[1].split(";")[0]  # no query string in the log


@pytest.mark.skipif(not shutil.which("nginx"), reason="nginx is not on this machine")
def test_nginx_accepts_the_configuration(tmp_path: Path) -> None:
    from datetime import UTC, datetime, timedelta

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key

    key, now = generate_private_key(SECP256R1()), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "services.example")])
    certificate = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(1)
    )
    certificate = certificate.not_valid_before(now).not_valid_after(now + timedelta(days=1))
    pem = certificate.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
    (tmp_path / "fullchain.pem").write_bytes(pem)
    plain = serialization.NoEncryption()
    private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
    (tmp_path / "privkey.pem").write_bytes(private)
    text = (DEPLOY / "nginx.conf").read_text().replace("/etc/ssl/furong", str(tmp_path))
    (tmp_path / "furong.conf").write_text(text.replace("/var/log/nginx", str(tmp_path)))
    whole = f"pid {tmp_path}/pid;\nerror_log stderr;\nevents {{}}\nhttp {{ include {tmp_path}/furong.conf; }}\n"
    (tmp_path / "nginx.conf").write_text(whole)
    done = subprocess.run(
        ["nginx", "-t", "-c", str(tmp_path / "nginx.conf")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert "syntax is ok" in done.stderr


def test_production_and_demo_agree_on_what_the_database_must_have() -> None:
    rows = dict(re.findall(r"^(\w+) = '?([^'\n]*)'?$", (DEPLOY / "postgresql.conf").read_text(), re.MULTILINE))
    for name in ("wal_level", "max_prepared_transactions", "max_replication_slots", "max_wal_senders", "timezone"):
        assert rows[name] == SERVER_SETTINGS[name]
    assert {rows["fsync"], rows["synchronous_commit"], rows["full_page_writes"]} == {"on"}
