"""A configuration, read and checked as a whole: what every room would say of it before anything starts or changes.

Touches the files that it is put together from and those that it names.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from eventgate.app.issuers import check_issuers
from eventgate.app.sinks import plans
from eventgate.app.tls import mail_context, tls_context
from eventgate.config import Configuration, load
from eventgate.errors import ConfigurationError, FieldError
from eventgate.forward.plan import Plan


def load_checked(path: Path | None = None, told: Mapping[str, Any] | None = None) -> tuple[Configuration, list[Plan]]:
    """The configuration and its sinks. Raises ConfigurationError with every room's mistakes at once."""
    configuration, source = load(path, told), str(path or "configuration")
    problems: list[FieldError] = []
    sinks: list[Plan] = []
    checks: tuple[Callable[[], object], ...] = (
        lambda: sinks.extend(plans(configuration, source)),
        lambda: tls_context(configuration.http, source),
        lambda: mail_context(configuration.mail, source),
        lambda: check_issuers(configuration, source),
    )
    for check in checks:
        try:
            check()
        except ConfigurationError as error:
            problems.extend(error.problems)
    if problems:
        raise ConfigurationError(source, problems)
    return configuration, sinks
