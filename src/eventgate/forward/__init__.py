"""Delivery: reads the journal and moves one cursor per sink.

Touches the network through its transports, and the journal and the sinks it is handed.
"""
