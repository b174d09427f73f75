"""What the author of a sensor imports: sign, send, retry.

Touches the network through the standard library; needs none of the server.
"""
