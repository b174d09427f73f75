"""Events as text for sinks.

Pure: an event in, bytes out.
"""
