"""Figures of people on record: portraits, matching, statistics; each part is a module with ``measure``."""
