"""Who may do what: companies, users, API keys; authenticate and authorize, and the log of every change.

Touches PostgreSQL (owns companies, users, api_keys, verify_keys, sessions, second factors, the throttle, audit) and, in
the data directory, what the first start tells, what the rate limits count, and the sessions' key.
"""

from eventgate.access.actor import Actor
from eventgate.access.asked import Asked
from eventgate.access.audit import Audit, Change
from eventgate.access.audit_lines import AUDIT_LINES, AuditLine
from eventgate.access.audit_log import AuditLog, forget_lines
from eventgate.access.authenticator import Authenticator
from eventgate.access.first_start import Bootstrap, bootstrap
from eventgate.access.key_authenticator import KeyAuthenticator
from eventgate.access.last_used import LastUsed
from eventgate.access.passwords import Passwords
from eventgate.access.principal import Principal
from eventgate.access.rates import Rates
from eventgate.access.scopes import READ_SCOPES, ROLES, SCOPES
from eventgate.access.tokens import TokenAuthenticator
from eventgate.access.versions import NEWEST_VERSION, VERSIONS

__all__ = [
    "AUDIT_LINES",
    "NEWEST_VERSION",
    "READ_SCOPES",
    "ROLES",
    "SCOPES",
    "VERSIONS",
    "Actor",
    "Asked",
    "Audit",
    "AuditLine",
    "AuditLog",
    "Authenticator",
    "Bootstrap",
    "Change",
    "KeyAuthenticator",
    "LastUsed",
    "Passwords",
    "Principal",
    "Rates",
    "TokenAuthenticator",
    "bootstrap",
    "forget_lines",
]
