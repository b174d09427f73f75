"""Alerts as analysts ask for them: search, counts, export, the catalogue of categories and codes.

Touches PostgreSQL (reads events, owns the counts of past days).
"""
