"""Refusals of packs."""

from __future__ import annotations

from collections.abc import Sequence

from furong.foundation.codes.errors import Refusal
from furong.foundation.packs.values import Finding


class PackRefused(Refusal):
    """The pack has errors; ``findings`` name file, line and mend."""

    code = "packs.refused"
    message = "The pack has %(count)s errors; nothing was changed."
    mend = "Mend what the findings name, and check again."

    def __init__(self, findings: Sequence[Finding]) -> None:
        self.findings = list(findings)
        super().__init__(count=sum(finding.is_error for finding in findings))


class PackDrift(Refusal):
    """Definitions were edited in the workbench since the pack was last written; importing would overwrite them."""

    code = "packs.drift"
    message = "%(count)s definitions were changed in the workbench and differ from the pack: %(names)s."
    mend = "Write them to the pack with “furong pack export”, merge, and import again."

    def __init__(self, names: Sequence[str]) -> None:
        self.names = list(names)
        super().__init__(count=len(names), names=", ".join(names[:10]))


class PackIsOlder(Refusal):
    """The pack holds earlier versions of definitions than are in force."""

    code = "packs.older"
    message = "%(count)s definitions in the pack are earlier versions than those published: %(names)s."
    mend = "Bring the pack up to date, or import with older versions allowed to go back to them."

    def __init__(self, names: Sequence[str]) -> None:
        self.names = list(names)
        super().__init__(count=len(names), names=", ".join(names[:10]))


class DefinitionMissing(Refusal):
    """No such definition is published."""

    code = "packs.definition_missing"
    message = "There is no such definition."
    mend = "Check the code and the date."


class KindUnknown(Refusal):
    """No room registered this kind of definition."""

    code = "packs.kind_unknown"
    message = "No room knows the kind of definition “%(kind)s”."
    mend = "Use one of the registered kinds."
