"""Who may do what: companies, users, API keys; authenticate and authorize.

Touches PostgreSQL (owns the tables of access).
"""
