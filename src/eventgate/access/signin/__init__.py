"""Signing in: what a person must show before a session begins, and how guessing it is made slow.

Touches PostgreSQL (owns throttle, known_places, second_factors and recovery_codes; reads users) and begins and ends
sessions by their room.
"""
