"""What to do about a finding, as a value; the presenter puts it into words.

A remedy in plain text is the same however the account is registered. The others differ: Terraform
users run ``octo-tf apply``; users of the console update or redeploy their stack.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Restore:
    """Bring the resources back to what the registration defines.

    Attributes:
        effect: what that does, like ``it creates the role``.
        first: what to do before, like ``Set cur_s3_bucket_region: eu-west-1 in octo.yaml``.
        otherwise: what helps besides, in sentences.
    """

    effect: str = ""
    first: str = ""
    otherwise: str = ""

    def in_words(self, restoring: str) -> str:
        """Say it; ``restoring`` is how, like ``run octo-tf apply``."""
        how = f"{self.first}, then {restoring}" if self.first else restoring
        effect = f": {self.effect}." if self.effect else "."
        return f"{how[:1].upper()}{how[1:]}{effect} {self.otherwise}".rstrip()


@dataclass(frozen=True)
class ByWay:
    """A remedy that depends on how the account is registered; each text is in sentences."""

    terraform: str
    stacks: str


Remedy = str | Restore | ByWay


def for_terraform(remedy: Remedy) -> str:
    """Put a remedy into words for an account that Terraform manages."""
    if isinstance(remedy, Restore):
        return remedy.in_words("run octo-tf apply")
    return remedy.terraform if isinstance(remedy, ByWay) else remedy


def for_stacks(remedy: Remedy, restoring: str) -> str:
    """Put a remedy into words for an account whose stacks the user deploys.

    ``restoring``: how to bring the stack back, in lower case: ``delete the stack ...``.
    """
    if isinstance(remedy, Restore):
        return remedy.in_words(restoring)
    return remedy.stacks if isinstance(remedy, ByWay) else remedy
