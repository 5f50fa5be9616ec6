"""Signatures behind one port: Ed25519 now, SM2 (GM/T 0003) when a module is at hand; and the seal of documents.

Keys are files under ``FURONG_HOME/keys``, readable by their owner only, made at first use. Owner: the operator.
"""
