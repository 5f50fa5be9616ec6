"""Service items, their forms, and the life events that compose them; the proof that nobody is asked twice.

Items follow GB/T 39554.1-2020 (basic item and implementation list, 12- and 31-digit codes), integrated handling follows
GB/T 45836-2025 (one form for several items). All of it is pack content, read from immutable releases; this room has no tables.
Owner of the data: the implementing departments.
"""
