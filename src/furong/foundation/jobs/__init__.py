"""Jobs: work that happens after the transaction that asked for it, on procrastinate, in the platform's database only.

A job deferred inside a transaction vanishes when that is rolled back. It runs at least once: whoever writes one keys
its effects. Jobs of a killed worker are found by its missing heartbeat and run again. Arguments are identifiers and
codes, never personal data.
"""
