"""`furong audit verify FOLDER`: a gateway's log by the exchange's own verifier, which members have without the platform."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from furong_link import auditing
from furong_link.errors import LinkError


def verify(folder: Path, *, key: Path | None, archives: Sequence[Path], witnesses: Sequence[str], needed: int) -> int:
    """Print the verdict on a gateway's log; exit code 0 when everything holds, 1 when anything was changed."""
    if not auditing.is_exchange_log(folder):
        print(f"furong audit: {folder} is no gateway's folder and holds no evidence of one.", file=sys.stderr)
        return 2
    try:
        lines, sound = auditing.verify(
            folder, key=str(key or ""), archives=archives, witnesses=witnesses, needed=needed
        )
    except (LinkError, OSError) as error:
        print(f"furong audit: {error}", file=sys.stderr)
        return 1
    print("\n".join([f"{folder}: {'sound' if sound else 'not sound'}", *lines]))
    return 0 if sound else 1
