"""API keys and their verify keys: what one may do and from where, making and changing them, telling whose one is.

Touches PostgreSQL (owns api_keys and verify_keys; reads companies and users).
"""
