"""Composition root: builds a running service from its configuration; the only room that knows every other.

Dramatis personae. ``prepare`` runs once in the parent, before any child. A *worker* takes writes and answers searches;
there are several, alike, on one port. The *forward* process owns the delivery loops and the housekeeping.
"""
