"""The command line: one module per subcommand.

Touches the terminal, and EventGate over HTTP like any other caller; serve, check and migrate run it.
"""
