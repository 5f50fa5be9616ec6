"""Suites that others wrote, run as they are where a copy is at hand."""
