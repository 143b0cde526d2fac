"""docs/technician.md shows the screens as they are printed, and every code."""

from tests.provisioning.screens import PAGE, page


def test_the_screens_and_the_table_of_codes_are_those_of_the_tool() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert page(text) == text, "run: python -m tests.provisioning.screens"
