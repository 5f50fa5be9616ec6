"""People on record: each part's figures, one line of JSON at the end; 1 when a limit is missed.

python -m benchmarks.people [PART …] [--quick]
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import sys

PARTS = ("matching", "portraits")


def main() -> int:
    """Measure the parts that are named, all without a name."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else "")
    parser.add_argument("parts", nargs="*", metavar="PART", help=", ".join(PARTS))
    parser.add_argument("--quick", action="store_true", help="fewer people")
    given = parser.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "furong.entrypoints.settings")
    import django

    django.setup()
    figures: dict[str, object] = {}
    missed: list[str] = []
    for part in given.parts or PARTS:
        found, wrong = importlib.import_module(f"benchmarks.people.{part}").measure(quick=given.quick)
        figures |= found
        missed += wrong
    print(json.dumps({**figures, "missed": missed}, ensure_ascii=False))
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
