"""The public face of the catalogue: what the government holds, what of it is open, and the rows themselves.

Pages, downloads, DCAT-AP and the read API of CKAN. All of them read as a stranger, whoever is signed in, so that nothing they
give depends on rights and caches may keep it.
"""
