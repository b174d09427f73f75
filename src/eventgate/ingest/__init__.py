"""The write path: a signed request comes in, its events are committed, then it is answered.

Touches HTTP and what it is handed (authenticator, directory, appender); owns no table.
"""
