"""Makes a house take part in the exchange: members, gateways' keys, services; for the test beside it.

    python -m tests.faults.exchange_setting FOLDER

Prints what the test needs as JSON, and leaves keys and the signed configuration in FOLDER.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path


def main(folder: Path) -> None:
    """Set the exchange up in the database that the environment names."""
    import django

    django.setup()
    from django.contrib.auth import get_user_model

    from furong.domains.exchange import issuing, shared_rows
    from furong.domains.exchange.compiling import compile_configuration
    from tests.domains.exchange.setting import make
    from tests.faults.filling import mother_of

    issuing.PUSH_SECONDS = 0.01  # nobody listens yet
    made = make()
    made.keys["province-1"].write(folder / "gateway.key")
    made.keys["rental"].write(folder / "desk.key")
    newest = issuing.newest_file(beyond=0)
    assert newest is not None
    (folder / "configuration.json").write_bytes(newest[1])
    found = compile_configuration(now=made.now).payload["grants"]
    grant = next(one["id"] for one in found if (one["consumer"], one["service"]) == ("zz-housing", "marriages"))
    mother = get_user_model().objects.get(username=mother_of(0))
    told = {
        "token": shared_rows.rows_token(),
        "operator": issuing.operator_public(),
        "grant": grant,
        "person": str(mother.person_id),
    }
    sys.stdout.write(json.dumps(told) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
