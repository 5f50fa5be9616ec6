"""The platform's own web server on a free port, for browsers and for what comes over the wire."""

from __future__ import annotations

import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import suppress

import pytest
from django.conf import settings

from furong.entrypoints.postgres import free_port


@pytest.fixture
def address(platform: dict[str, str]) -> Iterator[str]:
    """Run it in a process of its own."""
    port = free_port()
    code = f"from furong.entrypoints.web import serve; serve(host='127.0.0.1', port={port}, workers=1, threads=2)"
    surroundings = {"FURONG_LOG_LEVEL": "WARNING", "FURONG_SEARCH_HOME": str(settings.SEARCH_HOME)}
    server = subprocess.Popen([sys.executable, "-c", code], env={**os.environ, **surroundings})
    found = f"http://127.0.0.1:{port}"
    try:
        for _try in range(300):
            with suppress(OSError), urllib.request.urlopen(f"{found}/about/privacy", timeout=5):
                break
            assert server.poll() is None, "the server ended at once"
            time.sleep(0.1)
        yield found
    finally:
        server.terminate()
        server.wait(20)
