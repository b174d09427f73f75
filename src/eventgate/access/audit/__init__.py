"""The audit log: who changed what, when, from where; before and after.

Touches PostgreSQL (owns the table audit), in the transaction of whatever changes.
"""
