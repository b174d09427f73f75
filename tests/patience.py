"""How long a test waits for what must come.

Pure. Only a failure waits so long; beside five other things that a machine does, everything takes five times as long.
"""

PATIENCE = 120.0
"""Seconds."""
