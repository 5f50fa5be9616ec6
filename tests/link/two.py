"""Two gateways on loopback: the housing office's, which its own systems ask, and the hospital's, which it asks over mTLS."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from furong_link.certificates import make_certificate
from furong_link.client import Link
from furong_link.configuration import sign_configuration
from furong_link.gateway import Gateway, Settings
from furong_link.keys import SoftwareKey
from furong_link.message import PeerDoor
from tests.link.conftest import Clock, Exchange, _free_port
from tests.link.running import Running


@dataclass
class Two:
    """``near`` is the consumer's gateway, ``far`` the provider's; ``exchange`` has keys, payload and the provider."""

    exchange: Exchange
    folder: Path
    clock: Clock = field(default_factory=Clock)
    settings: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        exchange = self.exchange
        self.own = SoftwareKey.generate(key_id="housing/gateway/1", algorithm=exchange.algorithm)
        self.desk = SoftwareKey.generate(key_id="desk/1", algorithm=exchange.algorithm)
        self.serial = 1
        self.ports = {name: (_free_port(), _free_port()) for name in ("near", "far")}
        self.meets = self.ports["far"][1]  # where the configuration says that the hospital's gateway is
        self.certificates = {}
        for name in ("near", "far"):
            (self.folder / name).mkdir(parents=True)
            self.certificates[name] = self.certify(name)
        self.write()
        self.near, self.far = Running(lambda: self._gateway("near")), Running(lambda: self._gateway("far"))

    def certify(self, name: str, *, file: str = "peer", **more: Any) -> bytes:
        place = self.folder / name
        return make_certificate(place / f"{file}.pem", place / f"{file}.key", name=name, **more)

    def payload(self, **changes: Any) -> dict[str, Any]:
        found = self.exchange.payload()
        valid = {name: found["keys"][0][name] for name in ("valid_from", "valid_until")}
        keys = [
            {"id": key.key_id, "member": member, "algorithm": key.algorithm, "public": key.public, **valid}
            for key, member in ((self.exchange.hospital, "hospital"), (self.own, "housing"))
        ]
        gateways = [
            {
                "id": name,
                "authority": f"{name}.example:8601",
                "member": member,
                "key": key.key_id,
                "peer": {
                    "address": f"https://127.0.0.1:{port}",
                    "certificates": [b64encode(self.certificates[name]).decode()],
                },
            }
            for name, member, key, port in (
                ("near", "housing", self.own, self.ports["near"][1]),
                ("far", "hospital", self.exchange.hospital, self.meets),
            )
        ]
        services = [service | {"gateway": "far"} for service in found["services"]]
        return found | {
            "serial": self.serial,
            "keys": keys,
            "gateways": gateways,
            "services": services,
            "issued_at": datetime.fromtimestamp(self.clock(), UTC).isoformat(),
            **changes,
        }

    def write(self, **changes: Any) -> None:
        file = sign_configuration(self.payload(**changes), signer=self.exchange.operator)
        for name in ("near", "far"):
            (self.folder / name / "configuration.json").write_bytes(file)

    def reconfigure(self, **changes: Any) -> None:
        self.serial += 1
        file = sign_configuration(self.payload(**changes), signer=self.exchange.operator)
        for one in (self.near, self.far):
            one.do(lambda one=one: one.gateway.take_configuration(file))

    def _gateway(self, name: str, *, certificate: str = "peer") -> Gateway:
        port, meets = self.ports[name]
        place = self.folder / name
        base = f"http://127.0.0.1:{self.exchange.provider.server_port}/api"
        return Gateway(
            settings=Settings(
                id=name,
                authority=f"{name}.example:8601",
                folder=place,
                port=port,
                upstreams={"births": f"{base}/births", "files": f"{base}/files"} if name == "far" else {},
                systems={self.desk.key_id: f"{self.desk.algorithm}:{self.desk.public}"} if name == "near" else {},
                peers=PeerDoor(
                    host="127.0.0.1",
                    port=meets,
                    certificate=place / f"{certificate}.pem",
                    key=place / f"{certificate}.key",
                ),
                **self.settings,
            ),
            signer=self.own if name == "near" else self.exchange.hospital,
            operator=self.exchange.operator.verifier(),
            clock=self.clock,
        )

    def restart_near(self, *, certificate: str) -> None:
        """Start the consumer's gateway with another certificate than the configuration names."""
        self.near.stop()
        self.near = Running(lambda: self._gateway("near", certificate=certificate))
        self.near.start()

    def link(self, *, gateway: str = "", **changes: Any) -> Link:
        """Give a link of the housing office's desk to its own gateway."""
        return Link(
            gateway or f"http://127.0.0.1:{self.ports['near'][0]}",
            **{
                "signer": self.desk,
                "gateway_key": self.own.verifier(),
                "authority": "near.example:8601",
                "clock": self.clock,
                **changes,
            },
        )

    def records(self, name: str) -> list[dict[str, Any]]:
        import json

        one = self.near if name == "near" else self.far
        log = one.gateway.log
        return one.do(lambda: [json.loads(log.record_text(index)) for index in range(log.tree.size)])

    def start(self) -> None:
        self.far.start()
        self.near.start()

    def stop(self) -> None:
        try:
            self.near.stop()
        finally:
            self.far.stop()


EXPIRED = {"valid_from": datetime(2020, 1, 1, tzinfo=UTC), "valid_days": 30}
