"""Events: facts in the past tense, written to an outbox in the transaction that made them true.

They are delivered at least once and handled once: a handler's effect and its mark in the inbox (unique on source,
event and handler) commit together, in the handler's database. News travels upward only; who listens is written in
``entrypoints/wiring.py``.
"""
