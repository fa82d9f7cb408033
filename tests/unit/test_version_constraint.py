"""Terraform's version constraints; tests/module/test_provider_version.py asks Terraform itself."""

from __future__ import annotations

import re

import hcl2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator import assets
from orchestrator.model.version_constraint import (
    DEFAULT,
    OF_THE_MODULE,
    PATTERN,
    Constraint,
    Version,
)

NUMBERS = st.integers(0, 2)
TERMS = st.tuples(
    st.sampled_from(["", "!= ", "> ", ">= ", "< ", "<= ", "~> "]),
    st.lists(NUMBERS, min_size=1, max_size=3).map(lambda numbers: ".".join(map(str, numbers))),
    st.sampled_from(["", "", "-beta1"]),
).map("".join)
CONSTRAINTS = st.lists(TERMS, min_size=1, max_size=3).map(", ".join)
# Every version near the boundaries that the constraints above can have.
EVERY = [
    Version((major, minor, patch), pre)
    for major in range(5)
    for minor in range(5)
    for patch in range(5)
    for pre in ("", "beta1")
]


def test_versions_are_ordered_as_semver_says():
    # The order of semver.org, section 11.
    texts = "1.0.0-alpha 1.0.0-alpha.1 1.0.0-alpha.beta 1.0.0-beta 1.0.0-beta.2 1.0.0-beta.11"
    right = [*texts.split(), "1.0.0-rc.1", "1.0.0", "1.0.1", "1.10.0"]
    assert [str(version) for version in sorted(map(Version.parse, sorted(right)))] == right


@pytest.mark.parametrize(
    "text", ["", "five", "5.1.2.3", "5.", "5.1-", "v5.1.2", "5.1.2+build", "\u0665"]
)
def test_what_is_no_version_is_refused(text):
    with pytest.raises(ValueError, match="not a version"):
        Version.parse(text)


@pytest.mark.parametrize(
    ("written", "once"),
    [
        ("5.100.0", "5.100.0"),
        ("=5.100", "5.100.0"),
        ("~>6", "~> 6.0"),
        ("~> 6.1", "~> 6.1"),
        ("~> 6.1.2", "~> 6.1.2"),
        (">=5.100.0 ,<7", ">= 5.100.0, < 7.0.0"),
        ("6.0.0-beta1", "6.0.0-beta1"),
    ],
)
def test_a_constraint_is_written_in_one_form(written, once):
    assert str(Constraint.parse(written)) == once


@given(text=CONSTRAINTS)
def test_the_one_form_means_what_was_written(text):
    written = Constraint.parse(text)
    once = Constraint.parse(str(written))
    assert [v for v in EVERY if once.admits(v)] == [v for v in EVERY if written.admits(v)]


@given(text=st.text(alphabet='0123456789.-<>=!~, abx"${}\n', max_size=20))
def test_what_is_taken_is_harmless_in_hcl_and_right_by_the_schema(text):
    try:
        once = str(Constraint.parse(text))
    except ValueError:
        return
    assert re.fullmatch(r"[0-9A-Za-z.<>=!~, -]+", once)
    assert re.search(PATTERN, text)
    assert re.search(PATTERN, once)


@given(one=CONSTRAINTS, other=CONSTRAINTS)
def test_two_constraints_overlap_where_one_version_meets_both(one, other):
    both = Constraint.parse(one), Constraint.parse(other)
    together = Constraint.parse(f"{one}, {other}")
    assert both[0].overlaps(both[1]) == any(map(together.admits, EVERY))


def test_the_modules_range_is_the_one_in_its_versions_file():
    (terraform,) = hcl2.loads((assets.MODULE / "versions.tf").read_text())["terraform"]
    (providers,) = terraform["required_providers"]
    assert providers["aws"]["version"].strip('"') == str(OF_THE_MODULE)


def test_the_default_is_one_version_that_the_module_works_with():
    assert Constraint.parse(DEFAULT).overlaps(OF_THE_MODULE)
    assert str(Version.parse(DEFAULT)) == DEFAULT
