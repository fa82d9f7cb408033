"""Build and parse links that open CloudFormation in the AWS console with all values filled in.

Source: CloudFormation User Guide, "Create quick-create links": names of parameters are
case-sensitive; unknown ones and ``NoEcho`` ones are ignored; the user can edit every value.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

from orchestrator.errors import ConfigError

_CONSOLES = {
    "aws": "console.aws.amazon.com",
    "aws-cn": "console.amazonaws.cn",
    "aws-us-gov": "console.amazonaws-us-gov.com",
    "aws-eusc": "eusc-de-east-1.console.amazonaws-eusc.eu",
}
_PREFIX = "param_"


@dataclass(frozen=True)
class QuickCreate:
    """The content of a quick-create link; ``parameters`` may hold the external id."""

    region: str
    stack_name: str
    template_url: str
    parameters: Mapping[str, str] = field(repr=False)
    partition: str = "aws"

    @property
    def url(self) -> str:
        """Build the link."""
        query = {
            "templateURL": self.template_url,
            "stackName": self.stack_name,
            **{_PREFIX + name: value for name, value in self.parameters.items()},
        }
        return f"{_home(self.region, self.partition)}#/stacks/create/review?{_encoded(query)}"


def parse(url: str) -> QuickCreate:
    """Read a quick-create link as the console does.

    Raises:
        ValueError: it is not a quick-create link.
    """
    parts = urlsplit(url)
    partition = next((p for p, host in _CONSOLES.items() if parts.hostname == host), None)
    path, _, query = parts.fragment.partition("?")
    values = dict(parse_qsl(query, keep_blank_values=True))
    region = dict(parse_qsl(parts.query)).get("region")
    if partition is None or not region or path != "/stacks/create/review":
        raise ValueError("not a quick-create link")
    return QuickCreate(
        region,
        values["stackName"],
        values["templateURL"],
        {n.removeprefix(_PREFIX): v for n, v in values.items() if n.startswith(_PREFIX)},
        partition,
    )


def stack_page(region: str, stack_id: str, partition: str = "aws") -> str:
    """Build the link to a stack's page, by its ARN; its *Delete* is there."""
    return f"{_home(region, partition)}#/stacks/stackinfo?{_encoded({'stackId': stack_id})}"


def create_page(region: str, partition: str = "aws") -> str:
    """Build the link to the page that takes an uploaded template."""
    return f"{_home(region, partition)}#/stacks/create"


def check_console(region: str, partition: str) -> None:
    """Refuse a partition whose AWS console has no known address.

    Raises:
        ConfigError: it has none.
    """
    if partition not in _CONSOLES:
        raise ConfigError(
            f"the address of the AWS console in the partition {partition} is not known",
            where=region,
            hint="Register the account with Terraform: octo-tf apply. If stacks have registered it,"
            " update those with the AWS CLI.",
        )


def _home(region: str, partition: str) -> str:
    check_console(region, partition)
    return f"https://{_CONSOLES[partition]}/cloudformation/home?region={region}"


def _encoded(query: Mapping[str, str]) -> str:
    return urlencode(query, quote_via=quote)
