"""The write path: one signed request in, committed events and an answer out.

authenticate -> admit -> verify -> decode -> append -> answer; who asks is settled at the door. Owns no table.
"""

from eventgate.ingest.disk import Disk
from eventgate.ingest.limits import Limits
from eventgate.ingest.walk import Walk

__all__ = ["Disk", "Limits", "Walk"]
