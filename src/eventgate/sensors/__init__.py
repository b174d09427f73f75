"""The registry of sensors.

Touches PostgreSQL (owns the table of sensors).
"""
