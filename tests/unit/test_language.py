"""Words that the project no longer uses: each has a plainer one that a stranger would choose."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

# Retired words and phrases, each with what to write instead.
INSTEAD = {
    "agreed to lose": "accepted removals",
    "anew": "again, a second time, recreate",
    "floor": "minimum, lowest layer",
    "half-way": "partially",
    "held against": "compared with",
    "hinder": "prevent",
    "hindered": "failed, prevented",
    "hinders": "prevents",
    "hold against": "compare with",
    "house": "project, architecture",
    "in the way": "conflicts with",
    "left over": "not managed by octo-tf, remaining",
    "let go": "release",
    "let go of": "release",
    "lets go": "releases",
    "letting go": "releasing",
    "looks at what is there": "reads what AWS has",
    "may go": "accepted removals, may be removed",
    "mend": "fix",
    "mended": "fixed",
    "mends": "fixes",
    "misbehave": "return errors",
    "misbehaves": "returns errors",
    "misbehaviour": "injected faults",
    "misfortune": "injected fault",
    "not asked for": "not enabled",
    "octo's side": "the registration service, the ledger",
    "room": "package, module",
    "rooms": "packages, modules",
    "sighting": "observed state",
    "somebody else's": "of another owner",
    "stands on": "depends on",
    "stood on": "depended on",
    "takeover": "adoption, import detection",
    "told": "notified, registered; rewrite with the effect",
    "whosever": "whoever owns it",
}
# A phrase may be broken over two lines, also of a comment; Terraform's floor() is not a word, and
# "may go on" is plain English.
_ANY = "|".join(re.escape(word).replace(r"\ ", r"(?:\s+(?:#\s+)?|_)") for word in INSTEAD)
RETIRED = re.compile(
    rf"(?<![A-Za-z])({_ANY})(?![A-Za-z])"
    r"(?!(?<=floor)\(|(?<=may go) (?:on|to|back|well)\b)",
    re.IGNORECASE,
)

PROSE = ("*.md", "docs/**/*.md", "bench/*.md", "examples/**/*", "terraform/**/*", "templates/**/*")
CODE = ("orchestrator/**/*.py", "tests/**/*.py", "bench/*.py", "docs/*.py", "docs/schemas/*.json")
SKIPPED = {ROOT / "CHANGELOG.md", Path(__file__)}  # the one is history, the other names the words


def files() -> Iterator[Path]:
    for pattern in PROSE + CODE:
        for path in sorted(ROOT.glob(pattern)):
            if path.is_file() and ".terraform" not in path.parts and path not in SKIPPED:
                yield path


def retired_words(text: str) -> Iterator[tuple[int, str]]:
    """Line number and word, in lower case."""
    for match in RETIRED.finditer(text):
        word = " ".join(re.sub("[#_]", " ", match[1]).lower().split())
        yield text.count("\n", 0, match.start()) + 1, word


@pytest.mark.parametrize("path", list(files()), ids=lambda path: str(path.relative_to(ROOT)))
def test_no_retired_word_is_used(path):
    text = path.read_text(encoding="utf-8")
    found = [
        f"{path.relative_to(ROOT)}:{line}: {word!r}: write {INSTEAD[word]}"
        for line, word in retired_words(text)
    ]
    assert not found, "\n".join(found)


@pytest.mark.parametrize(
    "text",
    [
        "It lets\ngo.",
        "# whose roles may\n    # go",
        "Mended",
        "the old state lets go of",
        "def test_it_is_told():",
    ],
)
def test_a_retired_word_is_found_in_any_case_and_across_lines(text):
    assert list(retired_words(text))


@pytest.mark.parametrize("text", ["floor(var.x) == var.x", "a recommendation", "classrooms"])
def test_other_words_are_left_alone(text):
    assert not list(retired_words(text))


# AWS and Terraform write these words so, too; the other way is found by no search for them.
_BRITISH = re.compile(
    r"\w*(?:(?:recogn|initial|summar|author|organ)is(?:e|ing)|(?:hav|fav|col)our)\w*", re.IGNORECASE
)


@pytest.mark.parametrize("path", list(files()), ids=lambda path: str(path.relative_to(ROOT)))
def test_each_word_has_one_spelling(path):
    found = _BRITISH.findall(path.read_text(encoding="utf-8"))
    assert not found
