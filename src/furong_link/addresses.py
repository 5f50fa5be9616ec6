"""The gateway's own addresses, below ``/.furong/``: health, metrics, heads, receipts, proofs, a new configuration."""

from __future__ import annotations

import json
from collections.abc import Awaitable
from typing import Any, Protocol

from furong_link import wire
from furong_link.configuration import Configuration
from furong_link.errors import ConfigurationError, EvidenceError, Refusal
from furong_link.evidence import EvidenceLog
from furong_link.message import OWN, unsigned


class Tells(Protocol):
    """What the addresses ask the gateway for."""

    log: EvidenceLog

    def handovers(self) -> list[Any]: ...

    def health(self) -> dict[str, object]: ...

    def metrics(self) -> str: ...

    def take_configuration(self, file: bytes) -> Awaitable[Configuration]: ...


async def answer_own(gateway: Tells, head: wire.RequestHead, content: bytes, *, close: bool) -> bytes:
    """Health, heads, receipts, proofs, counts, and the door for a new configuration, which is signed in itgateway."""
    path = head.target[len(OWN) :]
    try:
        found = await _answer(gateway, head.method, path, content)
    except (IndexError, ValueError):
        return unsigned(Refusal("not_found"), close=close)
    except ConfigurationError as error:
        return unsigned(Refusal("malformed_request", str(error)), close=close)
    except (EvidenceError, OSError):
        return unsigned(Refusal("evidence_unwritable"), close=close)
    if isinstance(found, str):
        return wire.reply_bytes(200, {"content-type": "text/plain; version=0.0.4"}, found.encode(), close=close)
    text = json.dumps(found).encode()
    return wire.reply_bytes(200, {"content-type": "application/json"}, text, close=close)


async def _answer(gateway: Tells, method: str, path: str, content: bytes) -> dict[str, object] | str:
    match (method, *path.split("/")):
        case ("GET", "health"):
            return gateway.health()
        case ("GET", "metrics"):
            return gateway.metrics()
        case ("GET", "head"):
            head = await gateway.log.seal()
            return head.as_json() if head else {}
        case ("GET", "handovers"):
            return {"handovers": gateway.handovers()}
        case ("GET", "receipts", index, leaf) if index.isdecimal():
            # Who knows the leaf was given it with the reply; the record itself names no person.
            if gateway.log.tree.leaf(int(index)).hex() != leaf:
                raise IndexError("no such record")
            return await gateway.log.receipt(int(index))
        case ("GET", "consistency", earlier, size) if earlier.isdecimal() and size.isdecimal():
            proof = gateway.log.tree.prove_consistency(earlier=int(earlier), size=int(size))
            return {"earlier": int(earlier), "size": int(size), "proof": [part.hex() for part in proof]}
        case ("PUT", "configuration"):
            taken = await gateway.take_configuration(content)
            return {"serial": taken.serial}
    raise IndexError("no such address")
