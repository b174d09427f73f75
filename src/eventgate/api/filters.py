"""The filter parameter, described from the one table of fields and operators.

Pure.
"""

from eventgate.api.parameters import Parameter
from eventgate.query import FIELDS, OPERATORS, SEPARATOR


def _described() -> str:
    operators = "\n".join(
        f"| `{name}` | {operator.takes.value} | {operator.meaning} |" for name, operator in OPERATORS.items()
    )
    fields = "\n".join(
        f"| `{name}` | {field.type.name} | "
        + ", ".join(f"`{word}`" for word, operator in OPERATORS.items() if operator.fits_type(field.type))
        + " |"
        for name, field in FIELDS.items()
    )
    return (
        f"`field{SEPARATOR}operator{SEPARATOR}value`; the separator is the middle dot U+00B7. May be repeated: all "
        "must hold. Strings in double quotes, numbers as they are, JSON arrays of 1 to 100 values, dates as "
        "`YYYY-MM-DD HH:mm` (UTC) or RFC 3339, without quotes. A path inside data is a field too, as in "
        '`data.bssid` or `data."a.b"`.\n\n'
        f"| field | type | operators |\n|---|---|---|\n{fields}\n\n"
        f"| operator | takes | meaning |\n|---|---|---|\n{operators}"
    )


FILTER = Parameter("filter", _described(), {"type": "string"}, str, many=True)
