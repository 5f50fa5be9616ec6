"""More of ``furong-gateway``: certificate and renew-key (by which others know this one), erase and body (contents kept)."""

from __future__ import annotations

import argparse
import json
import sys
import time
from base64 import b64decode, b64encode
from hashlib import sha256
from pathlib import Path
from typing import Any

from furong_link import erasing, renewal
from furong_link.auditing import read_toml
from furong_link.bodies import Bodies
from furong_link.centre import Centre
from furong_link.certificates import make_certificate
from furong_link.enrolment import fingerprint
from furong_link.errors import ConfigurationError
from furong_link.evidence import DetailKeys
from furong_link.keys import SoftwareKey
from furong_link.message import BodySettings


def add_commands(commands: Any) -> None:
    """Add this module's commands to the parser's."""
    one = commands.add_parser("certificate", help="make the certificate that other gateways know · 生成网关互联证书")
    one.add_argument("folder", type=Path, help="the gateway's folder")
    one.add_argument("--name", default="peer", help="the files' name, to make a second one before the first ends")
    one.set_defaults(run=_certificate)
    one = commands.add_parser("renew-key", help="renew the gateway's own key by the old one · 换发网关签名密钥")
    one.add_argument("folder", type=Path, help="the gateway's folder")
    one.add_argument(
        "--at-once", action="store_true", help="the old one may be known to others: it ends in ten minutes"
    )
    one.add_argument("--centre", default="", metavar="URL", help="another centre than gateway.toml names")
    one.set_defaults(run=_renew_key)
    one = commands.add_parser("erase", help="destroy the key of a day or month · 销毁某日或某月的内容密钥")
    one.add_argument("folder", type=Path, help="the gateway's folder")
    one.add_argument("what", choices=erasing.KINDS)
    one.add_argument("partition", help="2026-11-23 or 2026-11, as it is kept")
    one.add_argument("--service", default="", help="whose files or events")
    one.add_argument("--reason", required=True, help="in a few words; it goes on record")
    one.set_defaults(run=_erase)
    one = commands.add_parser("body", help="print the contents kept with a record · 查看留存的内容")
    one.add_argument("folder", type=Path, help="the gateway's folder")
    one.add_argument("index", type=int)
    one.set_defaults(run=_body)


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


def _renew_key(given: argparse.Namespace) -> int:
    """Make the next key, tell the centre by the old one; the running gateway signs by it as soon as all can know it."""
    found = read_toml(given.folder / "gateway.toml")
    centre, gateway = found.get("centre"), str(found.get("id", ""))
    address = given.centre or str(centre.get("address", "") if isinstance(centre, dict) else "")
    if not address or not gateway:
        raise ConfigurationError("gateway.toml names no centre; give --centre.")
    waiting = renewal.begin(given.folder, gateway=gateway, at_once=given.at_once, now=time.time())
    with Centre(address, signer=SoftwareKey.read(given.folder / renewal.KEY)) as asked:
        asked.renew_key(waiting.handover)
    key = waiting.key
    print(f"The next key · 新密钥：{key.key_id} {key.algorithm}:{key.public}")
    print(f"    {fingerprint(algorithm=key.algorithm, public=key.public)}")
    if waiting.at_once:
        print(
            "The running gateway signs by it within seconds; the old one ends in ten minutes · 数秒内启用，旧密钥十分钟后失效"
        )
    else:
        print("The running gateway signs by it in a day, once every gateway has it · 一天后（各网关均已知晓时）启用")
        print(
            "Systems and witnesses follow by themselves; give them the new key within ninety days · 九十天内请更新其配置"
        )
    return 0


def _erase(given: argparse.Namespace) -> int:
    key = SoftwareKey.read(given.folder / "gateway.key")
    gone = erasing.erase(
        given.folder,
        what=given.what,
        partition=given.partition,
        service=given.service,
        reason=given.reason,
        now=time.time(),
        algorithm=key.algorithm,
    )
    print(f"Erased {given.what} of {given.partition}: {gone} keys and files · 已销毁")
    print("Digests stay, and the log verifies as before; the erasure goes on record · 摘要保留，日志仍可验证")
    return 0


def _body(given: argparse.Namespace) -> int:
    """Print the contents of one record, for who keeps them and is asked for them."""
    folder = given.folder / "evidence"
    key = SoftwareKey.read(given.folder / "gateway.key")
    lines, found = [folder / "records.log", *sorted((folder / "archive").glob("*.log"))], None
    for path in lines:
        if path.exists():
            with path.open("rb") as file:
                found = next((line for line in file if line.startswith(f'{{"index":{given.index},'.encode())), found)
    if found is None:
        raise ConfigurationError(f"There is no record {given.index} here.")
    text, _, sealed = found.partition(b"\t")
    opened = DetailKeys(folder / "details").open(b64decode(sealed.strip()), day=json.loads(text)["at"][:10])
    kept = json.loads(opened[1]).get("bodies") if opened and opened[1] else None
    contents = Bodies(folder, settings=BodySettings(), algorithm=key.algorithm).open(kept) if kept else None
    if contents is None:
        print("Not kept, or erased · 未保留或已销毁", file=sys.stderr)
        return 1
    for content in contents:
        sys.stdout.write(content.decode("utf-8", "replace") + "\n")
    return 0
