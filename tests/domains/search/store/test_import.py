"""Importing folders and archives: pages come, change and go with their source; what cannot be read is noted."""

from __future__ import annotations

import io
import os
import tarfile
import zipfile
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from furong.domains.search.store import commands, models, queries
from furong.domains.search.store.errors import (
    ImportRuns,
    ImportShrank,
    ManifestRefused,
    SiteMissing,
    SiteRefused,
    SourceUnreadable,
)
from furong.domains.search.store.extractor import Extractor
from furong.domains.search.store.importing import Imported, import_pages
from furong.domains.search.store.source import PageSource
from furong.domains.search.store.values import Extract, Reason, SiteFacts
from furong.domains.search.values import Kind
from furong.entrypoints.cli import main
from furong.foundation.access.errors import AccessRefused, SignInNeeded
from furong.foundation.access.values import Actor, ActorKind
from furong.foundation.codes.ids import new_id
from tests.domains.search.store import samples

pytestmark = pytest.mark.usefixtures("database")

NOW = datetime(2026, 6, 30, 8, 0, tzinfo=UTC)
SITE = SiteFacts(
    code="changsha-zjj",
    name="长沙市住建局",
    base_address="https://www.changsha.example/",
    department="长沙市住房和城乡建设局",
)
OPERATOR = Actor.system("furong search import")


def take(path: Path, **other: Any) -> Imported:
    given: dict[str, Any] = {"site": SITE, "actor": OPERATOR, "clock": lambda: NOW}
    return import_pages(path=path, **{**given, **other})


def notes(done: Imported) -> set[tuple[str, Reason]]:
    return {(one.path, one.reason) for one in queries.list_notes(import_id=done.import_id)}


def addresses() -> set[str]:
    return set(models.Page.objects.values_list("address", flat=True))


def waiting() -> set[str]:
    """The keys that the index still has to look at."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT key FROM search_change")
        return {row[0] for row in cursor.fetchall()}


def simple(number: int, *, words: str = samples.BODY) -> bytes:
    return f"<html><title>第{number}号通知全文</title><body><p>{number} {words}</p></body></html>".encode()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "site"
    (place / "zf").mkdir(parents=True)
    (place / "zf" / "gzf.html").write_bytes(samples.page("gb18030", declared="gb2312"))
    (place / "zf" / "办法.docx").write_bytes(samples.word())
    (place / "style.css").write_text("p { color: red }")
    return place


def test_a_second_run_follows_changes_and_removes_what_is_gone(folder: Path) -> None:
    (folder / "1.html").write_bytes(simple(1))
    first = take(folder)
    assert (first.tally.files, first.tally.added, first.tally.refused, first.finding) == (4, 3, 1, None)
    assert notes(first) == {("style.css", Reason.SCRIPT)}
    page = queries.find_page(address="https://www.changsha.example/zf/gzf.html")
    assert page is not None
    assert (page.title, page.published_on, page.numbers) == (
        "公租房申请指南",
        date(2024, 5, 6),
        ("长政发〔2023〕12号",),
    )
    source = PageSource()
    keys = list(source.keys())
    documents = source.documents([*keys, "page:nothing", "resource:other"])
    assert set(documents) == set(keys) <= waiting()
    assert {one.kind for one in documents.values()} == {Kind.PAGE, Kind.DOCUMENT}
    found = documents[commands.key_of(page.id)]
    assert (found.title, found.site, found.department, found.is_public) == (
        "公租房申请指南", "长沙市住建局", "长沙市住房和城乡建设局", True,
    )  # fmt: skip
    assert samples.BODY in found.text

    models_before = {row.path: row.id for row in models.Page.objects.all()}
    (folder / "1.html").unlink()
    (folder / "zf" / "gzf.html").write_bytes(samples.page(text=samples.PAGE.replace("三百元", "四百元")))
    (folder / "2.html").write_bytes(simple(2))
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM search_change")
    second = take(folder)
    tally = second.tally
    assert (tally.added, tally.changed, tally.same, tally.removed) == (1, 1, 1, 1)
    after = {row.path: row.id for row in models.Page.objects.all()}
    assert after["zf/gzf.html"] == models_before["zf/gzf.html"]
    assert waiting() == {
        commands.key_of(one) for one in (after["zf/gzf.html"], after["2.html"], models_before["1.html"])
    }
    assert source.visible([commands.key_of(models_before["1.html"])], actor=Actor.anonymous()) == set()
    assert [run.tally.changed for run in queries.list_imports(site=SITE.code)] == [1, 0]
    assert take(folder).tally.same == 3


def test_a_manifest_gives_addresses_and_facts_and_is_told_apart_where_it_is_wrong(folder: Path, tmp_path: Path) -> None:
    (folder / "notice.pdf").write_bytes(samples.pdf())
    (folder / "manifest.csv").write_text(
        "path,address,title,department,published_on,language\n"
        "zf/gzf.html,https://www.changsha.example/zwgk/1.html,公租房申请怎么办,市住建局,2099-01-01,\n"
        "notice.pdf,https://www.changsha.example/n.pdf,停车位公告,,2023-02-03,en\n"
        "lost.html,https://www.changsha.example/lost.html,,,,\n"
    )
    done = take(folder)
    assert ("zf/gzf.html", Reason.DATE_REFUSED) in notes(done)
    assert ("lost.html", Reason.MISSING) in notes(done)
    page = queries.find_page(address="https://www.changsha.example/zwgk/1.html")
    paper = queries.find_page(address="https://www.changsha.example/n.pdf")
    assert page is not None
    assert paper is not None
    assert (page.title, page.department, page.published_on) == ("公租房申请怎么办", "市住建局", None)
    assert (paper.title, paper.published_on, paper.language) == ("停车位公告", date(2023, 2, 3), "en")
    lines = tmp_path / "list.jsonl"
    lines.write_text('{"path": "notice.pdf", "address": "https://www.changsha.example/other.pdf"}\n')
    assert take(folder, manifest=lines).tally.changed >= 1
    assert "https://www.changsha.example/other.pdf" in addresses()
    for words in ("title\nx\n", "path\n../../etc/passwd\n", "path\na\na\n"):
        wrong = tmp_path / "wrong.csv"
        wrong.write_text(words)
        with pytest.raises(ManifestRefused):
            take(folder, manifest=wrong)
    lines.write_text("[1]\n")
    with pytest.raises(ManifestRefused):
        take(folder, manifest=lines)


def _zip(place: Path, members: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(place, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return place


def _tar(place: Path, members: dict[str, bytes]) -> Path:
    with tarfile.open(place, "w:gz") as archive:
        for name, data in members.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
        link = tarfile.TarInfo("passwd.html")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(link)
    return place


@pytest.mark.parametrize(("pack", "name"), [(_zip, "a.zip"), (_tar, "a.tar.gz")])
def test_an_archive_is_read_like_a_folder_and_leads_nowhere_else(
    tmp_path: Path, pack: Callable[[Path, dict[str, bytes]], Path], name: str
) -> None:
    members = {
        "manifest.jsonl": '{"path": "1.html", "title": "清单里的题目"}\n'.encode(),
        "1.html": simple(1),
        "指南/2.html": simple(2),
        "../../out.html": simple(3),
        "/etc/4.html": simple(4),
        "bomb.html": b" " * (30 << 20),
        "__MACOSX/x.html": simple(5),
    }
    done = take(pack(tmp_path / name, members))
    found = notes(done)
    assert {reason for path, reason in found if "out" in path or "etc" in path} == {Reason.PATH_OUTSIDE}
    assert ("bomb.html", Reason.BOMB if pack is _zip else Reason.TOO_LARGE) in found
    assert pack is _zip or ("passwd.html", Reason.LINK) in found
    assert addresses() == {
        "https://www.changsha.example/1.html",
        "https://www.changsha.example/%E6%8C%87%E5%8D%97/2.html",
    }
    assert models.Page.objects.get(path="1.html").title == "清单里的题目"


def test_what_is_broken_or_hostile_is_noted_and_the_rest_goes_on(folder: Path) -> None:
    with (folder / "huge.html").open("wb") as file:
        file.truncate(100 << 20)  # a hundred megabytes, without the disk's paying for it
    (folder / "bomb.docx").write_bytes(samples.office_bomb())
    (folder / "locked.pdf").write_bytes(samples.pdf(password="x"))
    (folder / "old.xls").write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600))
    os.symlink("/etc/passwd", folder / "passwd.html")
    os.mkfifo(folder / "pipe.html")
    (folder / "copy.html").write_bytes(samples.page())  # says that it is zf/gzf.html
    done = take(folder)
    assert notes(done) == {
        ("huge.html", Reason.TOO_LARGE),
        ("bomb.docx", Reason.BOMB),
        ("locked.pdf", Reason.ENCRYPTED),
        ("old.xls", Reason.OLD_OFFICE),
        ("passwd.html", Reason.LINK),
        ("pipe.html", Reason.LINK),
        ("style.css", Reason.SCRIPT),
        ("zf/gzf.html", Reason.ADDRESS_TWICE),
    }
    assert done.tally.added == 2
    # What was taken from a file stays while the file is broken, and goes when it is no page any more.
    (folder / "zf" / "办法.docx").write_bytes(b"PK\x03\x04 cut off")
    (folder / "copy.html").write_bytes(b"<html><body></body></html>")
    again = take(folder)
    assert {
        ("zf/办法.docx", Reason.DAMAGED),
        ("zf/办法.docx", Reason.KEPT_OLDER),
        ("copy.html", Reason.NO_TEXT),
    } <= notes(again)
    assert queries.find_page(address="https://www.changsha.example/zf/%E5%8A%9E%E6%B3%95.docx") is not None
    assert models.Page.objects.get(address="https://www.changsha.example/zf/gzf.html").path == "zf/gzf.html"


def test_a_source_that_lacks_most_of_a_site_removes_nothing_unless_it_is_said(tmp_path: Path) -> None:
    place = tmp_path / "site"
    place.mkdir()
    for number in range(30):
        (place / f"{number}.html").write_bytes(simple(number))
    assert take(place).tally.added == 30
    for number in range(25):
        (place / f"{number}.html").unlink()
    stopped = take(place)
    assert isinstance(stopped.finding, ImportShrank)
    assert stopped.tally.removed == 0
    assert len(addresses()) == 30
    assert take(place, allow_shrink=True).tally.removed == 25
    with pytest.raises(SourceUnreadable):
        take(place / "0.html")
    cut = _tar(tmp_path / "cut.tar.gz", {f"{number}.html": os.urandom(2000) for number in range(30)})
    cut.write_bytes(cut.read_bytes()[:-8000])
    assert isinstance(take(cut, allow_shrink=True).finding, SourceUnreadable)
    assert len(addresses()) == 5
    assert commands.remove_site(code=SITE.code, actor=OPERATOR, now=NOW) == 5
    with pytest.raises(SiteMissing):
        commands.remove_site(code=SITE.code, actor=OPERATOR, now=NOW)


def test_an_import_is_refused_to_strangers_to_odd_sites_and_beside_another_of_the_same_site(folder: Path) -> None:
    with pytest.raises(SignInNeeded):
        take(folder, actor=Actor.anonymous())
    with pytest.raises(AccessRefused):
        take(folder, actor=Actor(kind=ActorKind.STAFF, account_id=new_id(), organization_id=new_id()))
    for odd in ("../x", "A", ""):
        with pytest.raises(SiteRefused):
            take(folder, site=SiteFacts(code=odd))
    with pytest.raises(SiteRefused):
        take(folder, site=SiteFacts(code="a", base_address="javascript:alert(1)"))
    with _another_connection() as cursor:
        cursor.execute("SELECT pg_advisory_lock(hashtextextended('furong.search.site.' || %s, 0))", [SITE.code])
        with pytest.raises(ImportRuns):
            take(folder)
        cursor.execute("SELECT pg_advisory_unlock_all()")
    assert take(folder).tally.added == 2
    other = SiteFacts(code="other", base_address="https://www.changsha.example/")
    assert take(folder, site=other).tally.added == 0  # the addresses are taken


def test_a_killed_import_is_told_in_the_log_and_the_next_one_goes_on(folder: Path) -> None:
    commands.begin_import(site=SITE, source="site", actor=OPERATOR, now=NOW)
    assert take(folder).tally.added == 2
    assert [run.finding for run in queries.list_imports(site=SITE.code)] == ["", "search.import_killed"]


def test_the_reader_of_files_is_bounded_in_time_and_memory_and_comes_back() -> None:
    deep = b"<html><body>" + b"<p>" + samples.BODY.encode() * 60_000
    with Extractor(file_seconds=0.02) as slow:
        assert slow.read(deep, path="a.html") is Reason.TOO_SLOW
    with Extractor(memory_bytes=250 << 20) as small:
        assert small.read(samples.page(text=samples.PAGE + " <i>字</i>" * 900_000), path="a.html") in (
            Reason.TOO_MUCH_MEMORY,
            Reason.NO_TEXT,
        )
        assert isinstance(small.read(samples.page(), path="a.html"), Extract)


class _another_connection:  # noqa: N801 - reads as words
    def __enter__(self) -> Any:
        import psycopg

        told = connection.get_connection_params()
        kept = {name: told[name] for name in ("dbname", "host", "port", "user", "password") if told.get(name)}
        self._connection = psycopg.connect(**kept, autocommit=True)
        return self._connection.cursor()

    def __exit__(self, *_: object) -> None:
        self._connection.close()


def test_the_command_line_imports_tells_and_removes(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    asked = [
        "search",
        "import",
        str(folder),
        "--site",
        "changsha-zjj",
        "--base-address",
        "https://www.changsha.example/",
    ]
    assert main(asked) == 0
    assert "changsha-zjj: 3 files, 2 added, 0 changed, 0 the same, 0 removed, 1 refused" in capsys.readouterr().out
    assert main(["search", "page", "https://www.changsha.example/zf/gzf.html"]) == 0
    assert samples.BODY in capsys.readouterr().out
    assert main(["search", "pages"]) == 0
    assert "changsha-zjj\tchangsha-zjj\t2\t" in capsys.readouterr().out
    assert main(["search", "pages", "changsha-zjj"]) == 0
    assert "script\tstyle.css\tis a script" in capsys.readouterr().out
    assert main(["search", "pages", "changsha-zjj", "--remove"]) == 0
    capsys.readouterr()
    for wrong in (["import", "/nowhere", "--site", "x"], ["pages", "x"], ["pages", "x", "--remove"], ["page", "x"]):
        assert main(["search", *wrong]) == 1
        assert "furong search" in capsys.readouterr().err
