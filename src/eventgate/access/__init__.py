"""Who may do what: companies, users, API keys; authenticate and authorize.

Touches PostgreSQL (owns companies, users, api_keys and verify_keys) and, at first start, the data directory.
"""

from eventgate.access.authenticator import Authenticator
from eventgate.access.first_start import API_VERSION, Bootstrap, bootstrap
from eventgate.access.principal import Principal
from eventgate.access.scopes import READ_SCOPES, ROLES, SCOPES

__all__ = [
    "API_VERSION",
    "READ_SCOPES",
    "ROLES",
    "SCOPES",
    "Authenticator",
    "Bootstrap",
    "Principal",
    "bootstrap",
]
