"""What sinks are: definitions, state, requests to the delivery loop, dead letters, the ledger.

Touches PostgreSQL (owns the tables of sinks).
"""

from eventgate.sinks.dead_letters import DeadLetter, DeadLetters, Letter
from eventgate.sinks.definition import SinkDefinition, State, reader
from eventgate.sinks.requests import CHANNEL, Answer, Request, Requests, Verb
from eventgate.sinks.store import Ledger, SinkStatus, SinkStore

__all__ = [
    "CHANNEL",
    "Answer",
    "DeadLetter",
    "DeadLetters",
    "Ledger",
    "Letter",
    "Request",
    "Requests",
    "SinkDefinition",
    "SinkStatus",
    "SinkStore",
    "State",
    "Verb",
    "reader",
]
