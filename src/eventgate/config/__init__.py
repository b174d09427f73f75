"""The configuration: what there is to configure, and where it comes from.

Read by cli, processes and app alone; rooms get plain values from them.
"""

from eventgate.config.sections import Configuration, Http, Mail, Sink, TokenIssuer, Writes
from eventgate.config.sources import load

__all__ = ["Configuration", "Http", "Mail", "Sink", "TokenIssuer", "Writes", "load"]
