"""The one connector for HTTP that the gate makes itself. Its place is kept; the first HTTP sink brings it."""
