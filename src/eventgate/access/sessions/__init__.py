"""Sessions: which browsers are signed in, and telling by its cookie whose one is.

Touches PostgreSQL (owns sessions; reads companies and users) and, in the data directory, the gate's own secret.
"""
