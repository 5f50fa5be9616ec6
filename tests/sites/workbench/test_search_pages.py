"""Looking after imported pages: how imports went, what is kept, what is removed and stays out."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from tests.domains.search.conftest import follow, held, index_home  # noqa: F401
from tests.domains.search.feeding import HeldSource
from tests.domains.search.store.test_import import NOW, OPERATOR, SITE, simple, take
from tests.sites.workbench.staff import links, staff, tree, words

from furong.domains.search import queries, sources
from furong.domains.search.store import queries as store
from furong.domains.search.store.commands import remove_page
from furong.domains.search.store.errors import PageMissing, WhyNeeded
from furong.domains.search.store.source import PageSource
from furong.domains.search.store.values import Reason
from furong.domains.search.values import Query
from furong.foundation.access.values import Actor
from furong.foundation.codes.ids import new_id

Follow = Callable[[], None]
HOME = "/work/search/sites"


@pytest.mark.usefixtures("platform")
def test_editors_see_imports_and_kept_texts_and_what_they_remove_stays_out(
    tmp_path: Path,
    held: HeldSource,  # noqa: F811
    follow: Follow,  # noqa: F811
) -> None:
    sources.register_source(PageSource())
    for number in range(20):
        (tmp_path / f"{number}.html").write_bytes(simple(number, words="关于公租房申请的通知。"))
    (tmp_path / "run.html").write_bytes(b"#!/bin/sh\nrm -rf /\n")
    (tmp_path / "leak.html").write_bytes(simple(99, words="名单公示，误将证件号码一并公布。"))
    take(tmp_path)
    follow()
    editor = staff("administrator")
    assert SITE.name in words(editor.get(HOME).content)
    home = f"{HOME}/{SITE.code}"
    first = editor.get(home)
    assert len(links(first.content, "/work/search/pages/")) == 20
    assert len(links(editor.get(home, {"page": "2"}).content, "/work/search/pages/")) == 1
    (run,) = set(links(first.content, f"{home}/imports/")) - {
        one for one in links(first.content, f"{home}/imports/") if "?" in one
    }
    noted = words(editor.get(run).content)
    assert "run.html" in noted
    assert "是脚本而不是网页" in noted
    assert "run.html" not in words(editor.get(run, {"reason": Reason.PICTURE.value}).content)
    found = links(editor.get(home, {"q": "名单公示"}).content, "/work/search/pages/")
    address = f"{SITE.base_address}leak.html"
    assert found == links(editor.get(home, {"q": address}).content, "/work/search/pages/")
    assert len(found) == 1
    assert links(editor.get(home, {"q": "……"}).content, "/work/search/pages/") == []
    assert "误将证件号码" in words(editor.get(found[0]).content)
    stranger = Actor.anonymous()
    asked = Query(text="误将证件号码一并公布", today=NOW.date())
    assert queries.search(query=asked, actor=stranger).page.hits[0].address == address
    assert editor.post(f"{found[0]}/remove", {"why": " "}).status_code == 422
    assert editor.post(f"{found[0]}/remove", {"why": "公布了证件号码"}).status_code == 302
    # At once, before the index knows; and for good, whatever the next import brings.
    assert address not in {one.address for one in queries.search(query=asked, actor=stranger).page.hits}
    assert editor.get(found[0]).status_code == 404
    again = take(tmp_path)
    assert store.find_page(address=address) is None
    assert ("leak.html", Reason.KEPT_OUT) in {
        (one.path, one.reason) for one in store.list_notes(import_id=again.import_id)
    }
    shown = editor.get(home)
    assert "公布了证件号码" in words(shown.content)
    assert tree(shown.content).xpath("//form[contains(@action, '/admit')]")
    assert editor.post(f"{home}/admit", {"address": address}).status_code == 302
    assert editor.post(f"{home}/admit", {"address": address}).status_code == 404
    assert store.list_kept_out(site=SITE.code) == []
    clerk = staff("hospital")
    for path in (HOME, home, run, found[0], f"{home}/remove"):
        assert clerk.get(path).status_code == 403, path
    assert editor.get(f"{HOME}/no-such").status_code == 404
    assert editor.get(f"{home}/imports/{again.import_id}").status_code == 200
    assert editor.post(f"{home}/remove").status_code == 302
    assert store.find_site(code=SITE.code) is None
    assert editor.get(home).status_code == 404
    with pytest.raises(WhyNeeded):
        remove_page(page_id=new_id(), why=" ", actor=OPERATOR, now=NOW)
    with pytest.raises(PageMissing):
        remove_page(page_id=new_id(), why="公布了证件号码", actor=OPERATOR, now=NOW)
