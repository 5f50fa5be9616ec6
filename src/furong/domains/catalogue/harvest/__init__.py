"""Datasets of other catalogues, kept apart with their source: DCAT feeds and CKAN's API, read at intervals.

A harvest reads the whole catalogue first, within limits, and changes what is published in one transaction; whatever stops it
leaves what was published as it was, with a finding that says why.
"""
