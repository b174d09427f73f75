"""The filter language field·operator·value: parsed once, asked of SQL and of events in memory alike.

Pure.
"""
