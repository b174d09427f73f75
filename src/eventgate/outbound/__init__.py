"""The one connector for HTTP that the gate makes itself: whom it may reach, and how much of the answer it takes.

Touches the network. Rooms hand over addresses that the operator configured, never one that a caller named.
"""

from eventgate.outbound.connector import Answer, Outbound, OutboundError
from eventgate.outbound.reach import AddressRefused, Reach

__all__ = ["AddressRefused", "Answer", "Outbound", "OutboundError", "Reach"]
