"""Entries of threads that read at the same time are committed in one statement, and none is lost with another's."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from furong.foundation.audit import together
from furong.foundation.audit.together import Gathering


class _Disk:
    """Takes its time with the first write, until eight threads wait; ``refuses`` names an entry that cannot be written."""

    def __init__(self, *, refuses: int = -1) -> None:
        self.gathering, self.refuses = Gathering(), refuses
        self.writes: list[list[int]] = []
        self.first = threading.Event()

    def write(self, rows) -> None:
        numbers = [row["entries"][0]["number"] for row in rows]
        if not self.first.is_set():
            self.first.set()
            while len(self.gathering._waiting) < 8:
                threading.Event().wait(0.001)
        if self.refuses in numbers:
            raise OSError(self.refuses)
        self.writes.append(numbers)

    def read_by(self, number: int) -> None:
        self.gathering.write([{"entries": [{"number": number}]}], writer=self.write)


def test_what_comes_while_a_write_is_under_way_is_written_by_one_thread_at_once():
    disk = _Disk()
    with ThreadPoolExecutor(9) as threads:
        leader = threads.submit(disk.read_by, 0)
        disk.first.wait()
        others = [threads.submit(disk.read_by, number) for number in range(1, 9)]
        for one in (leader, *others):
            one.result(10)
    assert disk.writes[0] == [0]
    assert len(disk.writes) == 2
    assert sorted(disk.writes[1]) == list(range(1, 9))


def test_an_entry_that_cannot_be_written_takes_no_other_along_and_the_next_reader_writes_at_once():
    disk = _Disk(refuses=5)
    with ThreadPoolExecutor(9) as threads:
        leader = threads.submit(disk.read_by, 0)
        disk.first.wait()
        others = {number: threads.submit(disk.read_by, number) for number in range(1, 9)}
        leader.result(10)
        with pytest.raises(OSError, match="5"):
            others.pop(5).result(10)
        for one in others.values():
            one.result(10)
    disk.read_by(9)
    assert sorted(number for numbers in disk.writes for number in numbers) == [0, 1, 2, 3, 4, 6, 7, 8, 9]


def test_who_leads_waits_for_those_who_shared_the_last_commit_but_never_long(monkeypatch: pytest.MonkeyPatch):
    disk = _Disk()
    with ThreadPoolExecutor(9) as threads:
        for one in [threads.submit(disk.read_by, number) for number in range(9)]:
            one.result(10)
        assert [len(numbers) for numbers in disk.writes] == [1, 8]

        monkeypatch.setattr(together, "_LONGEST_WAIT_SECONDS", 30.0)
        disk.gathering._seconds = 60.0  # the disk was slow
        for one in [threads.submit(disk.read_by, number) for number in range(10, 18)]:
            one.result(10)
    assert sorted(disk.writes[2]) == list(range(10, 18))

    monkeypatch.setattr(together, "_LONGEST_WAIT_SECONDS", 0.001)
    disk.read_by(20)  # the others do not come back
    disk.read_by(21)
    assert disk.writes[3:] == [[20], [21]]
