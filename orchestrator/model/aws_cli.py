"""Commands of the AWS CLI for messages, with the profile and the region that octo-tf uses."""

from __future__ import annotations

import shlex


def aws_command(
    *words: str, profile: str | None = None, region: str | None = None
) -> tuple[str, ...]:
    """Return a command of the AWS CLI as a list of arguments.

    Args:
        words: the service, the operation and its options.
        profile: the profile to use; None leaves the choice to the environment.
        region: the region to call; None leaves it to the profile or the environment.
    """
    own = {"--region": region, "--profile": profile}
    given = [word for option, value in own.items() if value for word in (option, value)]
    return ("aws", *words, *given)


def aws_line(*words: str, profile: str | None = None, region: str | None = None) -> str:
    """Return a command of the AWS CLI as a line for the shell; see ``aws_command``."""
    return shlex.join(aws_command(*words, profile=profile, region=region))
