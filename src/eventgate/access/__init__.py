"""Who may do what: companies, users, API keys; authenticate and authorize, and the log of every change.

Here stand the words that every room uses (``Principal``, ``Actor``, scopes), the ``Authenticator``, and the companies;
the rooms within each own their tables: ``audit``, ``keys``, ``people``, ``sessions``, ``signin``; ``tokens`` and
``rates`` own none. Touches PostgreSQL and, in the data directory, what the first start tells, what the rate limits
count, and the gate's own secret.
"""

from eventgate.access.actor import Actor
from eventgate.access.asked import Asked
from eventgate.access.audit.lines import AUDIT_LINES, AuditLine
from eventgate.access.audit.log import AuditLog, forget_lines
from eventgate.access.audit.record import Audit, Change
from eventgate.access.authenticator import Authenticator
from eventgate.access.first_start import Bootstrap, bootstrap
from eventgate.access.keys.authenticator import KeyAuthenticator
from eventgate.access.keys.last_used import LastUsed
from eventgate.access.people.passwords import Passwords
from eventgate.access.principal import Principal
from eventgate.access.rates.rates import Rates
from eventgate.access.scopes import READ_SCOPES, ROLES, SCOPES
from eventgate.access.tokens.authenticator import TokenAuthenticator
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
