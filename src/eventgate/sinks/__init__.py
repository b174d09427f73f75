"""What sinks are: definitions, state, requests to the delivery loop, dead letters, the ledger.

Touches PostgreSQL (owns the tables of sinks).
"""
