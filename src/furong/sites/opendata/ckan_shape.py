"""Datasets, organisations, groups and tags in the shape that CKAN 2.11's API gives them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any

from furong.domains.catalogue.licence import Licence
from furong.domains.catalogue.published import HARVESTED, Published
from furong.foundation.web.texts import text
from furong.sites.opendata import words
from furong.sites.opendata.ckan_query import group_name
from furong.sites.opendata.exporting import FORMATS

Names = Mapping[str, Mapping[str, str]]
UNSPECIFIED = "notspecified"


class Shaper:
    """Shapes what was found; holds the names of departments and sources, and the address that links begin with."""

    def __init__(self, *, root: str, departments: Names, sources: Names, licence: Licence | None = None) -> None:
        self.root = root
        self.licence = licence
        self.departments = departments
        self.sources = sources
        self._organizations: dict[str, dict[str, Any]] = {}
        self._groups: dict[str, dict[str, Any]] = {}

    @property
    def licence_id(self) -> str:
        """The code of the licence that our own datasets carry."""
        return self.licence.code if self.licence is not None else UNSPECIFIED

    def package(self, line: Published, *, note: str = "") -> dict[str, Any]:
        """Give a dataset. ``id`` is its name, which never changes."""
        created = stamp(line.issued_on) or stamp(line.changed_at)
        modified = stamp(line.changed_at) or created
        page = f"{self.root}/opendata/datasets/{line.name}"
        resources = self.resources(line, modified)
        tags = [
            {"id": tag, "name": tag, "display_name": tag, "state": "active", "vocabulary_id": None} for tag in line.tags
        ]
        return {
            "id": line.name,
            "name": line.name,
            "title": text(line.title),
            "notes": note or text(line.summary),
            "url": line.detail.get("landing_page") or page,
            "type": "dataset",
            "state": "active",
            "private": False,
            **self._licence(line),
            "author": None,
            "author_email": None,
            "maintainer": None,
            "maintainer_email": None,
            "creator_user_id": None,
            "version": str(line.version) if line.version else None,
            "metadata_created": created,
            "metadata_modified": modified,
            "owner_org": line.department,
            "organization": self._organization(line.department),
            "groups": [self._group(line.class_item)] if line.class_item else [],
            "tags": tags,
            "num_tags": len(tags),
            "resources": resources,
            "num_resources": len(resources),
            "extras": self.extras(line),
            "relationships_as_object": [],
            "relationships_as_subject": [],
        }

    def _licence(self, line: Published) -> dict[str, Any]:
        """Give the licence: the pack's for what is ours, for what was harvested what its source calls it."""
        own = self.licence if not line.origin else None
        if own is None:
            title = line.detail.get("licence") or "License not specified"
            return {"isopen": False, "license_id": UNSPECIFIED, "license_title": title}
        return {
            "isopen": own.conforms,
            "license_id": own.code,
            "license_title": text(own.name),
            "license_url": own.url,
        }

    def _organization(self, name: str) -> dict[str, Any]:
        if name not in self._organizations:
            self._organizations[name] = self.organization(name)
        return self._organizations[name]

    def _group(self, class_item: str) -> dict[str, Any]:
        if class_item not in self._groups:
            self._groups[class_item] = self.group(class_item)
        return self._groups[class_item]

    def extras(self, line: Published) -> list[dict[str, str]]:
        """Give what CKAN has no field for."""
        found = {"openness": line.openness, "update_cycle": line.cycle, "class": line.class_kind}
        found |= {f"title_{language}": value for language, value in line.title.items()}
        found |= {f"notes_{language}": value for language, value in line.summary.items()}
        if line.origin:
            found |= {"harvest_source_id": line.origin, "guid": str(line.detail.get("identifier", ""))}
            found["harvest_source_title"] = text(self.sources.get(line.origin, {}))
        return [{"key": key, "value": value} for key, value in sorted(found.items()) if value]

    def resources(self, line: Published, modified: str | None) -> list[dict[str, Any]]:
        """Give a dataset's files: ours in each format, a harvested one's where its source has them."""
        if line.origin:
            given = [
                (
                    f"{line.name}.{n}",
                    one.get("title") or line.name,
                    one.get("format", ""),
                    one.get("media_type"),
                    one["url"],
                )
                for n, one in enumerate(line.detail.get("distributions", ()))
            ]
        else:
            given = [
                (f"{line.name}.{one.code}", f"{text(line.title)} ({one.label})", one.label.upper(), one.media_type,
                 f"{self.root}/opendata/data/{line.name}.{one.code}")
                for one in FORMATS.values()
                if line.has_data
            ]  # fmt: skip
        return [
            {
                "id": identifier,
                "package_id": line.name,
                "name": name,
                "description": "",
                "format": kind,
                "mimetype": media_type.partition(";")[0] if media_type else None,
                "url": url,
                "url_type": None,
                "resource_type": None,
                "position": position,
                "state": "active",
                "hash": "",
                "size": None,
                "created": modified,
                "last_modified": modified,
                "metadata_modified": modified,
                "cache_url": None,
                "cache_last_updated": None,
                "mimetype_inner": None,
                "datastore_active": False,
            }
            for position, (identifier, name, kind, media_type, url) in enumerate(given)
        ]

    def organization(self, name: str, count: int | None = None) -> dict[str, Any]:
        """Give a department, or the source of what was harvested."""
        title = words.value_words("department", name, self.departments, self.sources)
        found = {
            "id": name,
            "name": name,
            "title": title,
            "display_name": title,
            "type": "organization",
            "description": "",
            "image_url": "",
            "image_display_url": "",
            "is_organization": True,
            "approval_status": "approved",
            "state": "active",
            "created": None,
            "extras": [{"key": "harvested", "value": "true"}] if name.startswith(f"{HARVESTED}-") else [],
        }
        return found if count is None else {**found, "package_count": count}

    def group(self, class_item: str, count: int | None = None) -> dict[str, Any]:
        """Give a subject of the catalogue (类 and 项)."""
        title = text(words.subject(class_item, self.departments))
        found = {
            "id": group_name(class_item),
            "name": group_name(class_item),
            "title": title,
            "display_name": title,
            "description": "",
            "image_url": "",
            "image_display_url": "",
        }
        if count is None:
            return found
        return {**found, "type": "group", "is_organization": False, "approval_status": "approved", "state": "active",
                "package_count": count}  # fmt: skip


def stamp(value: datetime | date | None) -> str | None:
    """Give a moment as CKAN writes it: UTC without a zone, microseconds always there."""
    if value is None:
        return None
    if isinstance(value, datetime):
        moment = value.astimezone(UTC).replace(tzinfo=None)
    else:
        moment = datetime(value.year, value.month, value.day)  # noqa: DTZ001 - a day without a zone
    return moment.isoformat(timespec="microseconds")
