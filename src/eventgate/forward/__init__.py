"""Delivery: reads the journal and moves one cursor per sink.

Who is who: a *sink* is a destination as configured; its *transport* moves bytes; *drafts* turn the journal into windows
for one sink; the *delivery loop* carries them over and moves the cursor; the *supervisor* runs one loop per sink, each
while this process owns that sink's cursor, and brings people's requests to them.

Touches the network through its transports, and the journal and the sinks it is handed.
"""
