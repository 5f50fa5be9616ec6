"""What is wrong with a gateway, in plain words: each thing that serving needs is tried, and said with what to do."""

from __future__ import annotations

import json
import socket
import time
import urllib.request
from base64 import b64encode
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from urllib.error import HTTPError
from urllib.parse import urlsplit

from furong_link.centre import Centre, CentreError
from furong_link.configuration import Configuration
from furong_link.errors import ConfigurationError, LinkError
from furong_link.evidence import EvidenceLog
from furong_link.handover import KeyName
from furong_link.keys import SoftwareKey, Verifier
from furong_link.message import Settings
from furong_link.mode_settings import read_modes
from furong_link.operator_key import Operator

_AGES = {
    "fresh": "",
    "late": "",
    "old": "it is over an hour old; is the centre reachable?",
    "ending": "it is near its end; then the gateway stops. Call the operator.",
    "expired": "it has expired, the gateway refuses everything. Reach the centre, or bring the file by hand.",
}


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was tried: ``trouble`` is empty when it is well."""

    what: str
    trouble: str = ""


def run(
    settings: Settings,
    key: SoftwareKey,
    operator: Verifier | KeyName,
    *,
    centre: str = "",
    clock: Callable[[], float] = time.time,
    runs: bool = True,
) -> Iterator[Finding]:
    """Try everything, one thing after another, and tell each as it is known. Costs some seconds where nothing answers.

    ``runs``: the gateway itself should answer; before its start it is not asked.
    """
    probe = b64encode(b"probe")
    yield Finding(
        "key 密钥", "" if key.verifier().verify(probe, key.sign(probe)) else "it does not verify what it signs"
    )
    found: Configuration | None = None
    path = settings.folder / "configuration.json"
    if not path.exists():
        yield Finding(
            "configuration 配置", "none yet; the operator has not approved this gateway, or it has not run since"
        )
    else:
        try:
            found = Operator(settings.folder, operator).read(path.read_bytes(), now=clock())
            yield Finding(f"configuration 配置 {found.serial}", _AGES[found.staleness(clock())])
        except ConfigurationError as error:
            yield Finding("configuration 配置", str(error))
    if found is not None:
        yield from _registered(settings, key, found, clock())
    if centre:
        yield from _centre(centre, key, found, clock)
    if runs:
        yield _listens(settings)
    yield from _log(settings, key, clock)


def _registered(settings: Settings, key: SoftwareKey, found: Configuration, now: float) -> Iterator[Finding]:
    known = found.gateways.get(settings.id)
    yield Finding(
        "gateway is registered 网关已登记",
        ""
        if known == settings.authority
        else f"callers are told {known}, gateway.toml says {settings.authority}"
        if known
        else "it is not in the configuration; the operator has not approved it, or has revoked it",
    )
    own = found.keys.get(key.key_id)
    if own is None:
        trouble = "it is not in the configuration: callers cannot believe a reply. Was it made anew? Enrol again."
    elif not own.verifier.verify(b"probe", key.sign(b"probe")):
        trouble = "another key is registered under its name. Enrol again."
    elif own.revoked:
        trouble = "it was revoked by the operator"
    elif not own.is_valid(now):
        trouble = "it is not valid at this time; is the clock right?"
    else:
        trouble = ""
    yield Finding("key is registered 密钥已登记", trouble)
    if own is not None and own.member in found.suspended:
        yield Finding("member 成员", f"{own.member} is suspended: its systems are refused everywhere")
    mine = [service for service in found.services.values() if service.gateway == settings.id]
    try:
        modes = read_modes(settings.folder)
    except ConfigurationError as error:
        modes = {}
        yield Finding("files and events 文件与事件", str(error))
    for service in mine:
        if service.id in modes:
            yield Finding(f"{type(modes[service.id]).__name__.lower()} {service.id} 文件与事件", "")
        else:
            yield Finding(f"system behind {service.id} 后端系统", _reach(settings.upstreams.get(service.id)))
    for name in sorted((set(settings.upstreams) | modes.keys()) - {service.id for service in mine}):
        yield Finding(f"system behind {name} 后端系统", "the operator has published no such service at this gateway")


def _reach(address: str | None) -> str:
    if address is None:
        return "gateway.toml names no address for it under [upstreams]"
    parts = urlsplit(address)
    try:
        socket.create_connection((parts.hostname or "", parts.port or 80), timeout=3).close()
    except OSError as error:
        return f"{parts.hostname}:{parts.port or 80} does not answer ({error.strerror or type(error).__name__})"
    return ""


def _centre(
    address: str, key: SoftwareKey, held: Configuration | None, clock: Callable[[], float]
) -> Iterator[Finding]:
    """The centre's door, and its clock against ours: a signed message is refused when they are a minute apart."""
    try:
        apart = _clock_apart(address, clock)
    except OSError as error:
        yield Finding("centre 中心", f"{urlsplit(address).netloc} does not answer ({type(error).__name__})")
        return
    yield Finding(
        "clock 时钟",
        f"it is {abs(apart)} s {'ahead' if apart > 0 else 'behind'}; messages are refused beyond 60 s. Set it by NTP."
        if abs(apart) > 30
        else "",
    )
    asked = Centre(address, signer=key, clock=clock)
    try:
        asked.configuration(held.serial if held else None)
        yield Finding("centre 中心")
    except CentreError as error:
        yield Finding("centre 中心", str(error))
    finally:
        asked.close()


def _clock_apart(address: str, clock: Callable[[], float]) -> int:
    """Seconds by which our clock is ahead of the centre's, from the Date of its answer."""
    try:
        with urllib.request.urlopen(f"{address.rstrip('/')}/healthz", timeout=5) as answer:  # noqa: S310 - from gateway.toml
            stated = answer.headers.get("Date")
    except HTTPError as error:
        stated = error.headers.get("Date")
    return int(clock() - parsedate_to_datetime(stated).timestamp()) if stated else 0


def _listens(settings: Settings) -> Finding:
    """Whether the gateway answers where callers look for it, and is this one."""
    what = f"{settings.authority} answers 端口可达"
    parts = urlsplit(f"//{settings.authority}")
    try:
        socket.create_connection((parts.hostname or "", parts.port or 443), timeout=3).close()
    except OSError as error:
        reason = error.strerror or type(error).__name__
        return Finding(
            what, f"it cannot be reached ({reason}). Does furong-gateway run? Does a firewall stand between?"
        )
    try:
        with urllib.request.urlopen(f"http://{settings.authority}/.furong/health", timeout=5) as answer:
            found = json.loads(answer.read())
    except (OSError, ValueError):
        return Finding(what)  # TLS with client certificates: reachable is all that can be said from here
    if found.get("gateway") != settings.id:
        return Finding(what, f"another gateway answers there: {found.get('gateway')}")
    return Finding(what, "" if found.get("ready") else f"it runs and is not ready: {found}")


def _log(settings: Settings, key: SoftwareKey, clock: Callable[[], float]) -> Iterator[Finding]:
    try:
        log = EvidenceLog(settings.folder / "evidence", signer=key, clock=clock)
    except LinkError:
        yield Finding("evidence 存证, held by the gateway that runs")
        return
    try:
        log.open()
        yield Finding(f"evidence 存证, {log.tree.size} records")
    except LinkError as error:
        yield Finding("evidence 存证", str(error))
    finally:
        log.abandon()
