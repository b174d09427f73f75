"""Rate limits: how much a key and a company may ask, counted once for all workers of a gate.

Touches one file in the data directory.
"""
