"""The registry of sensors.

Touches PostgreSQL (owns the table sensors).
"""

from eventgate.sensors.directory import Directory, Sensor
from eventgate.sensors.registry import register

__all__ = ["Directory", "Sensor", "register"]
