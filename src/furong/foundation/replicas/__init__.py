"""What a counter's node holds of the platform, so that its staff can work while the platform is away.

The platform publishes a few of its tables (PostgreSQL's logical replication), each node takes them in under the same names, and
nobody writes to them there. A beat, written by the platform every two seconds, says how old the copy is.
"""
