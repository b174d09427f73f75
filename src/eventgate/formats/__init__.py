"""Events as text for sinks: one module a format, each a function from an event and its sensor's names to bytes.

Pure. Every byte that came from a sensor is hostile: a format lets none of it forge a field or a line.
"""

from collections.abc import Callable

from eventgate.event import Event, SensorNames

Format = Callable[[Event, SensorNames], bytes]
