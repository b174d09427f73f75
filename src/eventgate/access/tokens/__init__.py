"""OAuth2 tokens: which issuers are trusted, whether a token is good, and telling whose one is.

Touches PostgreSQL (reads companies and users) and, for an issuer's keys, the network by what it is handed. Keeps none.
"""
