"""Keys: UUIDv7 that keep their order within a process, one at a time and many at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from uuid import RFC_4122, UUID

from furong.foundation.codes.ids import new_id, new_ids


def test_later_keys_sort_after_earlier_ones_however_they_are_minted() -> None:
    keys = [new_id(), *(UUID(one) for one in new_ids(10_000)), new_id(), *(UUID(one) for one in new_ids(3)), new_id()]
    assert keys == sorted(keys)
    assert {(one.version, one.variant) for one in keys} == {(7, RFC_4122)}


def test_threads_get_different_keys() -> None:
    with ThreadPoolExecutor(8) as threads:
        many = [one for found in threads.map(new_ids, [2_000] * 16) for one in found]
    assert len({one[:16] for one in many}) == len(many), "two share a stamp, and their order is chance"
