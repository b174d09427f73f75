"""The append-only log of committed batches: append, read, cursors, chain, retention.

Touches PostgreSQL; the only writer of events.

Dramatis personae. The ``Appender`` gathers writes into a ``Group``, of which a ``Committer`` makes one *batch* with one
position; the ``Announcer`` says that there is news. ``Journal`` reads batches, ``Tail`` reads them once for all readers
of a process. A reader owns its ``Cursor`` by a lease in ``Cursors``. ``Housekeeping`` makes partitions ahead of time,
cools and drops them; ``chain.verify`` holds everything stored against the hash chain.
"""
