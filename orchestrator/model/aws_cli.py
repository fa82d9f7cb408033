"""Commands of the AWS CLI that messages show; whoever runs one reaches what octo-tf meant."""

from __future__ import annotations

import shlex


def aws_command(
    *words: str, profile: str | None = None, region: str | None = None
) -> tuple[str, ...]:
    """Write a command of the AWS CLI, as words.

    Args:
        words: service, operation and the options of its own.
        profile: the profile whose identity it is for; without one, that of the environment.
        region: where it acts; without one, the profile's or the environment's.
    """
    own = {"--region": region, "--profile": profile}
    given = [word for option, value in own.items() if value for word in (option, value)]
    return ("aws", *words, *given)


def aws_line(*words: str, profile: str | None = None, region: str | None = None) -> str:
    """Write a command of the AWS CLI as a shell takes it; see ``aws_command``."""
    return shlex.join(aws_command(*words, profile=profile, region=region))
