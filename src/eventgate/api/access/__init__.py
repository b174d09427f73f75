"""The REST surface of access: keys, users, passwords, sessions, companies, and the audit log.

Touches HTTP and the rooms of access it is handed; holds no SQL.
"""
