"""Furong: an open provincial e-government platform.

Four floors and a door: ``foundation`` carries ``registries``, which carry ``domains``, which carry ``sites``;
``entrypoints`` starts them. A floor imports only from the floors below it.
"""

__version__ = "0.1.0"
