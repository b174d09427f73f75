"""The catalogue is whole, and says what an alert is worth whose sensor does not."""

from eventgate.alerts.catalogue import CATEGORIES, CODES, OTHER, defaults


def test_every_code_has_a_category_a_severity_and_words() -> None:
    categories = {category.id for category in CATEGORIES}
    assert categories == set(range(1, 7))
    for code, known in CODES.items():
        assert code == known.code == code.upper()
        assert known.category in categories - {OTHER}
        assert 0 <= known.severity <= 10
        assert known.title
        assert known.description.endswith(".")


def test_defaults() -> None:
    assert defaults("DEAUTHFLOOD") == (1, 8)
    assert defaults("SOMETHING-OF-OURS") == (OTHER, 5)
