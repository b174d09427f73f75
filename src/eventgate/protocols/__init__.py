"""Framing and acknowledgement as state machines without input or output.

Pure: bytes in, bytes and outcomes out.
"""
