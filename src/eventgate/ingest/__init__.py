"""The write path: one signed request in, committed events and an answer out.

authenticate -> admit -> verify -> decode -> append -> answer. Speaks HTTP to callers and to the rooms below by what it
is handed; owns no table.
"""
