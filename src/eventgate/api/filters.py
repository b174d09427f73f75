"""The filter parameter, described from the tables of fields and operators.

Pure.
"""

from eventgate.api.parameters import Parameter
from eventgate.query import EVENTS, OPERATORS, SEPARATOR, FieldTable


def filter_over(table: FieldTable) -> Parameter:
    """The parameter of a search over the fields of a table."""
    return Parameter("filter", _described(table), {"type": "string"}, str, many=True)


def _described(table: FieldTable) -> str:
    operators = "\n".join(
        f"| `{name}` | {operator.takes.value} | {operator.meaning} |" for name, operator in OPERATORS.items()
    )
    fields = "\n".join(
        f"| `{name}` | {field.type.name} | "
        + ", ".join(f"`{word}`" for word, operator in OPERATORS.items() if operator.fits_type(field.type))
        + " |"
        for name, field in table.fields.items()
    )
    examples = "; ".join(map(table.path_example, table.documents))
    paths = f" A path inside a JSON object is a field too, as in {examples}." if examples else ""
    return (
        f"`field{SEPARATOR}operator{SEPARATOR}value`; the separator is the middle dot U+00B7. May be repeated: all "
        "must hold. Strings in double quotes, numbers as they are, JSON arrays of 1 to 100 values, dates as "
        f"`YYYY-MM-DD HH:mm` or `YYYY-MM-DD HH:mm:ss.fff` (UTC) or RFC 3339, without quotes.{paths}\n\n"
        f"| field | type | operators |\n|---|---|---|\n{fields}\n\n"
        f"| operator | takes | meaning |\n|---|---|---|\n{operators}"
    )


FILTER = filter_over(EVENTS)
