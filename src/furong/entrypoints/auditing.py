"""`furong audit`: verify the log in the databases or in a file, or export it for somebody who has only the public key."""

from __future__ import annotations

import sys
from pathlib import Path

from furong.foundation.audit import verification
from furong.foundation.audit.errors import ExportDamagedError


def verify(file: Path | None, *, key: Path | None, head: Path | None) -> int:
    """Print the verdict on each log; exit code 0 when every log is whole, 1 when anything was changed."""
    public_key = key.read_text() if key else None
    try:
        earlier = verification.read_head(head) if head else None
        if file is None:
            logs = verification.verify_all(public_key=public_key) if earlier is None else {}
            verdicts = logs or {"default": verification.verify_database(public_key=public_key, earlier=earlier)}
        else:
            verdicts = {str(file): verification.verify_file(file, public_key=public_key, earlier=earlier)}
    except ExportDamagedError as exc:
        print(f"furong audit: {exc}", file=sys.stderr)
        return 1
    for name, verdict in verdicts.items():
        state = "sound" if verdict.is_sound else f"{len(verdict.findings) + verdict.more_findings} findings"
        print(
            f"{name}: {state}; {verdict.size} entries sealed under {verdict.heads} heads, {verdict.unsealed} not sealed yet"
        )
        for finding in verdict.findings:
            print(f"  {finding}")
    return 0 if all(verdict.is_sound for verdict in verdicts.values()) else 1


def export(file: Path | None) -> int:
    """Write the logs of every database below ``file`` (one file each), for offline verification."""
    from django.conf import settings

    if file is None:
        print("furong audit export: name the file to write.", file=sys.stderr)
        return 2
    for alias in settings.DATABASES:
        target = file.with_name(f"{file.stem}-{alias}{file.suffix or '.jsonl'}")
        verification.export_log(target, alias=alias)
        print(f"written: {target}")
    return 0
