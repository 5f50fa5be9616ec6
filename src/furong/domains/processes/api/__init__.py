"""Processes for programs: definitions, instances, tasks, messages, incidents. Translation only: rights and rules lie below.

Staff see what their posts administer or supervise; a task needs the right that it names. Lists are paged by key: ``after`` of an
answer asks for the next page and is empty on the last. What a program may send twice takes an ``Idempotency-Key``.
"""

from __future__ import annotations

from ninja import Router

from furong.domains.processes.api import definitions, incidents, instances, messages, tasks

router = Router()
router.add_router("", definitions.router)
router.add_router("", instances.router)
router.add_router("", tasks.router)
router.add_router("", messages.router)
router.add_router("", incidents.router)
