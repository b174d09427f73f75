"""Composition root: builds a running service from its configuration; the only module that knows every room."""
