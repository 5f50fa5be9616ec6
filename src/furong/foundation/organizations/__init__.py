"""Divisions, organisations, units, posts and appointments.

Divisions follow GB/T 2260 (six digits) and GB/T 10114 (nine and twelve); organisations carry a unified social credit code
(GB 32100). A post gives rights and an appointment puts an account into a post, so a transfer moves the rights with it. The
province's own divisions, departments and posts are pack content; administrators add and change organisations afterwards.
"""
