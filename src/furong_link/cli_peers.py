"""More of ``furong-gateway``: certificate (by which other gateways know this one)."""

from __future__ import annotations

import argparse
from base64 import b64encode
from hashlib import sha256
from pathlib import Path
from typing import Any

from furong_link.certificates import make_certificate
from furong_link.errors import ConfigurationError


def add_commands(commands: Any) -> None:
    """Add this module's commands to the parser's."""
    one = commands.add_parser("certificate", help="make the certificate that other gateways know · 生成网关互联证书")
    one.add_argument("folder", type=Path, help="the gateway's folder")
    one.add_argument("--name", default="peer", help="the files' name, to make a second one before the first ends")
    one.set_defaults(run=_certificate)


def _certificate(given: argparse.Namespace) -> int:
    folder: Path = given.folder
    certificate, key = folder / f"{given.name}.pem", folder / f"{given.name}-tls.key"
    try:
        der = make_certificate(certificate, key, name=folder.resolve().name)
    except FileExistsError as error:
        raise ConfigurationError(f"{key.name} is there already; give another --name.") from error
    print(f"Made {certificate}. For the operator's configuration · 请交运营方写入配置：")
    print(f"    {b64encode(der).decode()}")
    print(f"SHA-256 {sha256(der).hexdigest()}")
    return 0
