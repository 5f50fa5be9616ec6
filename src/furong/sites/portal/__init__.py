"""What residents and enterprises see: the home page by life event, guides, applications, and a person's own space.

Holds no rules: views call commands and queries with the request's actor and put what they return into pages.
"""
