"""A problem document can always be made, whatever it quotes."""

import json

from eventgate.api.problem import problem


def test_bytes_that_are_no_text_are_quoted_as_question_marks() -> None:
    response = problem(415, "media-type-unsupported", "Content-Type is \udcff\u00e9", "r1")
    assert isinstance(response.body, bytes)
    assert json.loads(response.body)["detail"] == "Content-Type is ?\u00e9"
