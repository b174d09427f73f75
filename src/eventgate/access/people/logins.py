"""What a person signs in with, in the one form in which it is stored and looked for.

Pure.
"""

import unicodedata

MOST_CHARACTERS = 320


def folded(login: str) -> str:
    """The login without regard to case and to how its characters are composed: as the table users holds it.

    PostgreSQL's ``lower`` under the "C" collation knows ASCII alone, so the folding is ours.
    """
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", login.strip()).casefold())
