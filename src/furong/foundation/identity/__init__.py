"""Who is signed in, how surely, in which post, and for whom they act.

Residents, agents of enterprises and staff have accounts. An account is bound to a person through the real-name port, which
answers only whether number and name belong together. Acting for a child, a parent or an enterprise needs a recorded mandate.
Sessions are kept per device so that a person can end each of them; second factors are django-allauth's (RFC 6238).
"""
