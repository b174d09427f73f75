"""The processes of a running EventGate: the parent, its lock on the data directory, its children.

Touches processes, signals, pipes and ports; knows the rooms only through app.
"""
