"""Files, content-addressed by SHA-256, in an object store: a folder by default, S3 where ``FURONG_STORAGE_URL`` says so.

The store holds bytes under their digest; PostgreSQL holds digest, size and media type. Owner of a file: the room that
keeps its digest.
"""
