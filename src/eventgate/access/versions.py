"""The dated versions of the HTTP interface, oldest first. Each key is pinned to one.

Pure.
"""

VERSIONS = ("2026-11-22",)
NEWEST_VERSION = VERSIONS[-1]
"""What a new key is pinned to."""
