"""The provider that a root folder is locked to, compared with the one that is asked for.

``terraform init`` fails where they differ, and asks for ``-upgrade``, which would change every
provider and may put an older one under a state that a newer one wrote: that state may then be
unreadable ("managed by newer provider version"). What is the right way out depends on which of the
two is newer.
"""

from __future__ import annotations

import re
from pathlib import Path

from orchestrator.errors import EngineError
from orchestrator.files import read_regular
from orchestrator.model.version_constraint import OF_THE_MODULE, Constraint, Version

NAME = ".terraform.lock.hcl"
# S3 itself sets a bucket's blocked_encryption_types, which these plan to remove in every run
# (docs/decisions/0041).
_WITHOUT_END = Constraint.parse(">= 6.22.0, < 6.40.0")


def check(folder: Path, provider: str, wanted: Constraint) -> None:
    """Make sure that a root folder's lock file names a version that is wanted, or none.

    Args:
        provider: the provider's full address, e.g. ``registry.terraform.io/hashicorp/aws``.

    Raises:
        EngineError: the folder is locked to another version.
    """
    found = _locked(folder, provider)
    if found is None or wanted.admits(found[0]):
        return
    locked, line = found
    name = provider.partition("/")[2]
    raise EngineError(
        f"the folder is locked to {name} {locked}, and this run asks for {wanted}"
        " (provider_version)",
        where=f"{folder / NAME}:{line}",
        hint=_way_out(locked, wanted),
    )


def version_with_endless_changes(folder: Path, provider: str) -> Version | None:
    """Return the locked version if each plan of it shows changes, even right after an apply."""
    found = _locked(folder, provider)
    return found[0] if found and _WITHOUT_END.admits(found[0]) else None


def _locked(folder: Path, provider: str) -> tuple[Version, int] | None:
    """The version that a folder locks a provider to, and its line; None where it does not.

    Terraform writes the file, in one form; python-hcl2 would take a second to load and read it.
    """
    try:
        text = read_regular(folder / NAME).decode()
    except (OSError, ValueError):
        return None  # there is none, or Terraform says what is wrong with it
    block = re.compile(
        rf'^provider "{re.escape(provider)}" \{{\s*?\n(?:(?!\}}).*\n)*?\s*version\s*=\s*"([^"]*)"',
        re.MULTILINE,
    )
    match = block.search(text)
    if match is None:
        return None
    try:
        return Version.parse(match[1]), text.count("\n", 0, match.start(1)) + 1
    except ValueError:
        return None


def _way_out(locked: Version, wanted: Constraint) -> str:
    works = OF_THE_MODULE.admits(locked)
    keep = f"set provider_version: '{locked}' in octo.yaml (or --provider-version {locked})"
    move = f"delete {NAME} and run the same command again: init then takes {wanted}"
    if Constraint.parse(f">= {locked}").overlaps(wanted):  # init takes the newest that is wanted
        readable = f"{_sentence(move)}, which reads what an older provider wrote to the state."
        return f"{readable} To go on with {locked}, {keep}." if works else readable
    if works:
        return (
            f"If {locked} has applied anything here, {keep}: an older provider may be unable to"
            f" read the state. If it has not, {move}."
        )
    return (
        f"If {locked} has applied anything here, use the release of octo-tf that did it: this one's"
        f" module needs {OF_THE_MODULE}. If it has not, {move}."
    )


def _sentence(text: str) -> str:
    return text[0].upper() + text[1:]
