"""Packs: the content of a government (services, forms, processes, divisions …) as files with a schema, a version and a checker.

A pack is a folder: ``pack.toml`` and files ``FOLDER/CODE.yaml``, or a folder ``FOLDER/CODE/`` where one definition has several
files. Rooms register the kinds they understand (`values.register_kind`). Published definitions are immutable rows addressed by
the SHA-256 of their bytes; a release says from which day one is in force. Owner of the data: the pack's data authority.
"""
