"""Processes: Furong's own engine for BPMN 2.0 (ISO/IEC 19510). Every flow of government moves on it.

State is rows: an instance, its tokens, and for each wait one row that wakes it (a task, a timer, a subscription or a
job), so that a work list and a deadline are plain SQL. One step is one durable transaction. A definition is immutable
and addressed by its digest; a running instance keeps its own. Conditions are FEEL, decisions DMN; a diagram never reaches Python.

``values`` reads and checks diagrams and holds what queries return. ``interpreter`` moves tokens in memory and knows no database;
``gateways``, ``waits``, ``nesting``, ``catching`` and ``undoing`` are its parts, ``scopes`` the data they share.
``store`` loads and writes an instance in one statement each (``saving`` turns changes into rows), ``engine`` joins the two.
``commands`` adds who, rights, audit and news, ``intervening`` what administrators do, with ``migrating`` for another version.
``waking`` is what workers run, ``rehearsal`` runs a process in memory for tests as data.
Owner of the data: the organization that owns the process.
"""
