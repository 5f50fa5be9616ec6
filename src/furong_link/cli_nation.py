"""``furong exchange``: runs the nation's twin, and withdraws one of its grants."""

from __future__ import annotations

import argparse
import json
import sys
import threading
import urllib.request
from collections.abc import Sequence
from pathlib import Path

from furong_link.nation import Nation, Twin
from furong_link.running import die_with_parent


def withdraw(folder: Path, grant: str) -> int:
    """Tell a running twin to withdraw a grant."""
    ports = json.loads((folder / "state.json").read_text())["ports"]
    asked = urllib.request.Request(
        f"http://127.0.0.1:{ports['node']}/twin/withdraw",
        data=json.dumps({"grant": grant}).encode(),
        headers={"Authorization": f"Bearer {ports['token']}"},
    )
    with urllib.request.urlopen(asked, timeout=30) as answer:  # noqa: S310 - as above
        missed = json.loads(answer.read())["unreached"]
    print(f"Withdrawn. Not reached: {', '.join(missed) or 'none'}")
    return 0


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the twin until told to stop, or tell a running one to withdraw a grant."""
    parser = argparse.ArgumentParser(prog="furong exchange", description="The nation's node, a twin")
    parser.add_argument("action", choices=["nation-twin", "nation-withdraw"])
    parser.add_argument("folder", type=Path)
    parser.add_argument("grant", nargs="?", default="")
    for name in ("port", "gateway-port", "peer-port"):
        parser.add_argument(f"--{name}", type=int, default=0)
    parser.add_argument("--die-with-parent", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args(arguments)
    if given.action == "nation-withdraw":
        return withdraw(given.folder, given.grant)
    if given.die_with_parent:
        die_with_parent()
    nation = Nation(given.folder, port=given.port, gateway_port=given.gateway_port, peer_port=given.peer_port)
    twin = Twin(nation)
    twin.start()
    print(
        f"The nation's node answers at {nation.address}. A province joins with the code {nation.state['code']}",
        flush=True,
    )
    try:
        threading.Event().wait()
    except KeyboardInterrupt:
        twin.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
