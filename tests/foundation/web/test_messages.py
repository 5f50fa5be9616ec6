"""English message ids, Chinese beside them, compiled without gettext's tools."""

from __future__ import annotations

import gettext as stdlib_gettext
import io
from pathlib import Path

import pytest
from django.conf import settings
from django.utils import translation
from hypothesis import given
from hypothesis import strategies as st

from furong.foundation.web import messages

words = st.text(st.characters(codec="utf-8", exclude_characters="\x00\x04"), min_size=1, max_size=40)


@given(st.dictionaries(words, words, max_size=30))
def test_python_reads_back_what_was_compiled(pairs: dict[str, str]) -> None:
    catalogue = stdlib_gettext.GNUTranslations(io.BytesIO(messages.compile_mo({k: [v] for k, v in pairs.items()})))
    for key, value in pairs.items():
        assert catalogue.gettext(key) == value


def test_counted_messages_have_one_form_in_chinese() -> None:
    parsed = messages.parse_po('msgid "%(n)s thing"\nmsgid_plural "%(n)s things"\nmsgstr[0] "%(n)s 件"\n')
    catalogue = stdlib_gettext.GNUTranslations(io.BytesIO(messages.compile_mo(parsed)))
    assert catalogue.ngettext("%(n)s thing", "%(n)s things", 1) == "%(n)s 件"
    assert catalogue.ngettext("%(n)s thing", "%(n)s things", 5) == "%(n)s 件"


def test_context_and_long_lines_and_fuzzy_are_understood() -> None:
    parsed = messages.parse_po(
        'msgctxt "verb"\nmsgid "Open"\nmsgstr "打开"\n\nmsgid ""\n"long "\n"one"\nmsgstr "长"\n\n'
        '#, fuzzy\nmsgid "doubtful"\nmsgstr "存疑"\n\nmsgid "empty"\nmsgstr ""\n'
    )
    assert parsed == {"verb\x04Open": ["打开"], "long one": ["长"]}


@pytest.mark.parametrize("broken", ['msgid "a\n', "nonsense\n", 'msgid "a"\nmsgstr "b"c"\n'])
def test_broken_file_is_told_with_its_line(broken: str) -> None:
    with pytest.raises(messages.MessageFileError, match=r"some\.po:\d"):
        messages.parse_po(broken, "some.po")


def test_one_message_translated_twice_is_refused() -> None:
    with pytest.raises(messages.MessageFileError, match="twice"):
        messages.parse_po('msgid "a"\nmsgstr "甲"\nmsgid "a"\nmsgstr "乙"\n')


def test_code_is_searched_for_calls_and_refusals() -> None:
    source = (
        "class Closed(Refusal):\n    code = 'x'\n    message = 'It is closed.'\n    mend: ClassVar[str] = 'Open it.'\n"
        "class Other:\n    message = 'not a refusal'\n"
        "x = _('called')\ny = pgettext('verb', 'open')\nz = ngettext('one', 'many', 2)\n"
    )
    found = {(context, message) for _, context, message in messages.messages_of_python(source)}
    assert found == {("", "It is closed."), ("", "Open it."), ("", "called"), ("verb", "open"), ("", "one\x00many")}


def test_a_planted_message_without_chinese_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    room = tmp_path / "sites" / "shop"
    (room / "templates/jinja2/shop").mkdir(parents=True)
    (room / "templates/jinja2/shop/page.jinja").write_text("{% trans %}Buy nothing{% endtrans %}")
    (room / "views.py").write_text("label = _('Sell nothing')\n")
    monkeypatch.setattr(settings, "SOURCE", tmp_path)
    assert {str(m) for m in messages.check_messages()} == {
        "sites/shop/templates/jinja2/shop/page.jinja:1: 'Buy nothing' has no zh-CN text",
        "sites/shop/views.py:1: 'Sell nothing' has no zh-CN text",
    }


def test_frame_and_portal_speak_chinese_throughout() -> None:
    assert [str(m) for m in messages.check_messages() if m.file.startswith(("foundation/web", "sites/portal"))] == []


def test_django_itself_speaks_chinese_where_we_are_silent() -> None:
    with translation.override("zh-hans"):
        assert translation.gettext("This field is required.") != "This field is required."
        assert translation.gettext("Sign in") == "登录"
