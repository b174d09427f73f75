"""EventGate: the gate between security sensors and everyone who needs what they see."""
