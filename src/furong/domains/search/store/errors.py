"""Refusals and faults of the page store."""

from __future__ import annotations

from furong.foundation.codes.errors import Fault, Refusal


class SourceUnreadable(Refusal):
    """The path is neither a folder nor an archive that can be read."""

    code = "search.source_unreadable"
    message = "This is neither a folder nor a ZIP or TAR archive that can be read."
    mend = "Name a folder, a .zip, a .tar, a .tar.gz, a .tar.bz2 or a .tar.xz."


class ManifestRefused(Refusal):
    """The list of addresses cannot be read."""

    code = "search.manifest"
    message = "The manifest cannot be read at line %(line)s: %(why)s."
    mend = (
        "A manifest is a CSV file with a first line of column names, or JSON lines; each line names at least its path."
    )


class SiteRefused(Refusal):
    """The site's code or its address is none."""

    code = "search.site"
    message = "This cannot be a site: %(why)s."
    mend = "A site's code has small letters, digits and - _ . only; its address begins with http:// or https://."


class SiteMissing(Refusal):
    """No site of this code has pages."""

    code = "search.site_missing"
    message = "There is no site of this code."
    mend = "The list of sites says which there are."


class ImportRuns(Refusal):
    """Another import of the same site is running."""

    code = "search.import_runs"
    message = "An import of this site is running."
    mend = "Wait until it ends."


class ImportShrank(Refusal):
    """The source lacks more than half of the pages that the site has."""

    code = "search.import_shrank"
    message = "The source lacks %(gone)s of the %(known)s pages that the site has; none was removed."
    mend = "Look whether it is whole. To remove them all the same, import with --allow-shrink."


class PageMissing(Refusal):
    """There is no such page."""

    code = "search.page_missing"
    message = "There is no such page."
    mend = "It may have been removed from its site."


class ImportMissing(Refusal):
    """There is no such import."""

    code = "search.import_missing"
    message = "There is no such import."
    mend = "The site's page lists its imports."


class WhyNeeded(Refusal):
    """A page is removed for a reason."""

    code = "search.why_needed"
    message = "It does not say why."
    mend = "Write in a few words why the page is removed."


class ExtractorDownError(Fault):
    """The child process that reads files does not start."""

    code = "search.extractor_down"
