"""The web server: granian over the WSGI application, on a port nobody else listens on."""

from __future__ import annotations

import os
import sys

from furong.entrypoints.lifeline import MASTER, die_with_parent
from furong.entrypoints.postgres import port_is_free


def serve(*, host: str, port: int, workers: int, threads: int) -> int:
    """Serve until told to stop. On a busy port granian would start happily beside the other, so the port is tried first."""
    die_with_parent()
    if host in {"127.0.0.1", "localhost"} and not port_is_free(port):
        print(f"furong: port {port} is in use; choose another with --port.", file=sys.stderr)
        return 1
    from granian import Granian
    from granian.constants import Interfaces

    from furong.entrypoints.static import collected_static

    static = collected_static()
    os.environ[MASTER] = str(os.getpid())
    Granian(
        "furong.entrypoints.wsgi:application",
        address=host,
        port=port,
        interface=Interfaces.WSGI,
        workers=workers,
        blocking_threads=threads,
        backlog=1024,
        websockets=False,
        log_access=False,
        log_level="warning",  # type: ignore[arg-type]
        respawn_failed_workers=True,
        workers_kill_timeout=10,
        static_path_route=["/static"],
        static_path_mount=[static],
        static_path_expires=31_536_000,
    ).serve()
    return 0
