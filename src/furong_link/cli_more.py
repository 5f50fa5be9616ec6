"""More of ``furong-gateway``: sign (for curl and the like), publish (a file on the gateway's own machine), witness."""

from __future__ import annotations

import argparse
import secrets
import sys
import time
import uuid
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from furong_link import cli_witness, profile
from furong_link.batch_store import FORMATS, Place, Store
from furong_link.errors import ConfigurationError, Refusal
from furong_link.keys import SUITES, SoftwareKey, verifier
from furong_link.operator_key import name_operator


def add_commands(commands: Any) -> None:
    """Add this module's commands to the parser's."""
    sign = commands.add_parser(
        "sign", help="print the header fields of one signed message, for curl -H @- · 为一条消息签名"
    )
    sign.add_argument("url", help="http(s)://host:port/SERVICE/path?query")
    sign.add_argument("--key", type=Path, required=True, help="the file of the caller's key")
    sign.add_argument("--grant", required=True, help="the grant to ask under")
    sign.add_argument("-X", "--method", default="GET", choices=sorted(profile.METHODS))
    sign.add_argument("--data", default="", help="the content, or @FILE")
    sign.add_argument("--content-type", default="application/json")
    sign.add_argument("--message", default="", help="the message's id, when one is repeated")
    sign.add_argument("--authority", default="", help="the gateway's own name, when the URL goes another way")
    sign.set_defaults(run=_sign)
    key = commands.add_parser("key", help="make a key for one of your own systems · 生成系统密钥")
    key.add_argument("file", type=Path)
    key.add_argument("--id", required=True, help="the key's id, such as housing/desk/1")
    key.add_argument("--algorithm", choices=sorted(SUITES), default="ed25519")
    key.set_defaults(run=_key)
    publish = commands.add_parser("publish", help="publish a file on the gateway's own machine · 在本机发布数据文件")
    publish.add_argument("folder", type=Path, help="the gateway's folder")
    publish.add_argument("service")
    publish.add_argument("dataset")
    publish.add_argument("file", type=Path)
    publish.add_argument("--version", type=int, required=True)
    publish.add_argument("--since", type=int, default=0, help="the file is the delta from this version")
    publish.add_argument("--format", choices=sorted(FORMATS), default="csv")
    publish.set_defaults(run=_publish)
    operator = commands.add_parser(
        "operator", help="hold another key of the operator, compared by its fingerprint · 更换运营方公钥"
    )
    operator.add_argument("folder", type=Path)
    operator.add_argument("key", metavar="ALGORITHM:BASE64", help="as the operator's page of nodes shows it")
    operator.set_defaults(run=_operator)
    cli_witness.add_commands(commands)


def add_verify_options(parser: argparse.ArgumentParser) -> None:
    """Add what checking a log can be given: a key, witnesses, where archived files are."""
    parser.add_argument(
        "--key", default="", metavar="KEY", help="ALGORITHM:BASE64 or a file of it, for a log from elsewhere"
    )
    parser.add_argument("--archive", type=Path, action="append", default=[], help="where archived files are kept")
    parser.add_argument(
        "--witness", action="append", default=[], metavar="FILE=KEY", help="a witness's heads and its public key"
    )
    parser.add_argument("--needed", type=int, default=0, metavar="K", help="so many witnesses must have co-signed")


def _sign(given: argparse.Namespace) -> int:
    parts = urlsplit(given.url)
    if parts.scheme not in ("http", "https") or not parts.netloc:
        raise ConfigurationError("A URL is http(s)://host:port/SERVICE/path.")
    signer = SoftwareKey.read(given.key)
    content = Path(given.data[1:]).read_bytes() if given.data.startswith("@") else given.data.encode()
    request = profile.Request(
        given.method,
        (given.authority or parts.netloc).lower(),
        (parts.path or "/") + (f"?{parts.query}" if parts.query else ""),
        given.content_type,
        profile.content_digest(content, algorithm=signer.algorithm),
        given.grant,
        given.message or str(uuid.uuid4()),
    )
    try:
        profile.check_values(request)
    except Refusal as refusal:
        raise ConfigurationError(f"{refusal.title} {refusal.detail}") from refusal
    signed = profile.sign_request(request, signer=signer, created=int(time.time()), nonce=secrets.token_urlsafe(16))
    headers = {
        "Host": request.authority,
        "Content-Type": request.content_type,
        "Content-Digest": request.content_digest,
        "Furong-Grant": request.grant,
        "Furong-Message": request.message,
        **{name.title(): value for name, value in signed.headers().items()},
    }
    sys.stdout.write("".join(f"{name}: {value}\n" for name, value in headers.items()))
    return 0


def _key(given: argparse.Namespace) -> int:
    key = SoftwareKey.generate(key_id=given.id, algorithm=given.algorithm)
    verifier(algorithm=key.algorithm, public=key.public)
    key.write(given.file)
    print(f"{key.key_id} {key.algorithm}:{key.public}")
    return 0


def _operator(given: argparse.Namespace) -> int:
    print("Compare its fingerprint with the operator, then start the gateway anew · 请与运营方核对指纹，然后重启网关：")
    print(f"    {name_operator(given.folder, given.key)}")
    return 0


def _publish(given: argparse.Namespace) -> int:
    key = SoftwareKey.read(given.folder / "gateway.key")
    folder = given.folder / "batch" / given.service
    if not folder.is_dir():
        raise ConfigurationError(f"{given.service} is no service in batch mode here, or the gateway never ran.")
    if not 0 <= given.since < given.version:
        raise ConfigurationError("A version is 1 or more, and a delta is from an earlier one.")
    store = Store(folder, algorithm=SUITES[key.algorithm].digest)
    try:
        place = Place(given.dataset, given.version, given.format, given.since)
        file = store.publish_copy(place, given.file, now=time.time())
    except Refusal as refusal:
        raise ConfigurationError(f"{refusal.title} {refusal.detail}") from refusal
    finally:
        store.close()
    print(f"{given.dataset} {given.version} {given.format}: {file.size} bytes, {file.field(store.algorithm)}")
    return 0
