"""The database: an embedded PostgreSQL or somebody's own, its pool, its migrations.

Touches PostgreSQL and the data directory; knows nothing of events.
"""
