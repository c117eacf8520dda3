"""docs/specifications.md names tests as proof: they exist, and no test of a conformance plan is left out."""

import re

from tests.support.processes import ROOT

ROW = re.compile(r"^\| (?P<name>[^|]+) \| (?P<status>[^|]+) \| (?P<proof>[^|]+) \|$")
PATH = re.compile(r"`(tests/[^`]+)`")


def rows() -> list[re.Match[str]]:
    """Return the rows of the tables, without headings and rules."""
    lines = (ROOT / "docs/specifications.md").read_text().splitlines()
    found = [row for line in lines if (row := ROW.match(line))]
    return [
        row for row in found if set(row["status"]) != {"-"} and row["name"] not in {"Specification", "Plan", "Library"}
    ]


def test_every_row_names_tests_that_exist() -> None:
    for row in rows():
        paths = PATH.findall(row["proof"])
        assert paths, row["name"]
        for path in paths:
            assert (ROOT / path).exists(), f"{row['name']}: {path}"


def test_no_specification_stands_twice() -> None:
    names = [row["name"] for row in rows()]
    assert len(names) > 20
    assert len(names) == len(set(names))


def test_every_walk_through_a_plan_is_named() -> None:
    named = {path for row in rows() for path in PATH.findall(row["proof"])}
    walks = {str(path.relative_to(ROOT)) for path in (ROOT / "tests/conformance").glob("test_*.py")}
    assert walks <= named
