"""What the author of a sensor imports: sign, send, retry.

Touches the network through the standard library; needs none of the server.

    client = Client("https://gate.example", auth_key, SigningKey.from_pem(pem), verify_key_id)
    answer = client.send({"timestamp": "2026-11-22T09:30:00Z", "alertCode": "DEAUTHFLOOD", "message": "…"})
"""

from eventgate.errors import CallerError, Unavailable
from eventgate.sdk.answer import Answer, Outcome, Receipt
from eventgate.sdk.client import Client
from eventgate.signing.keys import SigningKey

__all__ = ["Answer", "CallerError", "Client", "Outcome", "Receipt", "SigningKey", "Unavailable"]
