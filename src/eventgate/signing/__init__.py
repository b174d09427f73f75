"""Who wrote it: HTTP message signatures (RFC 9421), content digests (RFC 9530), ECDSA keys, auth keys.

Pure; shared by the server and the SDK.
"""
