"""The append-only log of committed batches: append, read, cursors, chain, retention.

Touches PostgreSQL; the only writer of events.
"""
