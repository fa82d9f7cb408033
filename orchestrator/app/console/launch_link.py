"""Make the link by which the user deploys a stack, with the address of its template.

CloudFormation reads a quick-create link's template from S3 with the permissions of the user who is
signed in. So a private object in a bucket of the same account is enough.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace
from pathlib import Path

from orchestrator.app.console.flow import ConsoleFlow
from orchestrator.app.steps import refuse_report
from orchestrator.aws.errors import ServiceError, explained, is_denied
from orchestrator.aws.s3 import bucket_region
from orchestrator.aws.session import Aws
from orchestrator.detection import limits
from orchestrator.errors import ConfigError, Refused
from orchestrator.files import read_regular, write_atomically
from orchestrator.stacks import links
from orchestrator.stacks.steps import ExpectedStack

_LONGEST_NAME = 100  # bytes; the name of a bucket has 63 characters at most
_SUFFIXES = {"aws-cn": "amazonaws.com.cn", "aws-eusc": "amazonaws.eu"}


@dataclass(frozen=True)
class LaunchLink:
    """The page to open.

    Attributes:
        url: the page; it may contain the external id.
        file: the template to upload there, if the link cannot name one; the user then types the
            parameters.
    """

    stack: ExpectedStack
    url: str = field(repr=False)
    file: Path | None = None

    @property
    def typed(self) -> dict[str, str]:
        """The parameters that the user types after an upload, without the external ids."""
        return {n: v for n, v in self.stack.parameters.items() if not n.startswith("ExternalId")}


def launch_link(
    flow: ConsoleFlow,
    stack: ExpectedStack,
    *,
    bucket: str | None = None,
    octos_template: bool = False,
) -> LaunchLink:
    """Make the link of a stack: a quick-create link if its template has an address in S3.

    Args:
        bucket: a bucket of the account for the template; None uses the one of an earlier link.
        octos_template: use Octo's own template, if it has one for the stack.

    Raises:
        ConfigError: the bucket does not exist, or there are no credentials for Octo.
        Refused: the bucket belongs to another account, Octo's link has other values, or the stack
            would create a report that AWS refuses or does not deliver.
    """
    if stack.step == "cur":
        _check_report(flow)
    if octos_template and stack.template == "api-access":
        return LaunchLink(stack, _octos_link(flow, stack))
    folder = flow.context.folder / "console"
    remembered = folder / "template-bucket"
    if bucket is not None:
        url = _published(flow, stack, bucket)
        write_atomically(remembered, f"{bucket}\n".encode())
        return LaunchLink(stack, url)
    if remembered.is_file():
        try:
            earlier = read_regular(remembered, limit=_LONGEST_NAME).decode().strip()
            return LaunchLink(stack, _published(flow, stack, earlier))
        except (ConfigError, Refused, OSError, ValueError) as error:
            flow.context.events.warn(f"{error}. Upload the template by hand instead.")
            remembered.unlink()
    file = folder / f"{stack.template}.yaml"
    write_atomically(file, flow.template(stack.template).encode())
    return LaunchLink(stack, links.create_page(stack.region, flow.partition), file)


def _check_report(flow: ConsoleFlow) -> None:
    """Refuse a report that the stack would create and AWS refuses, or does not deliver."""
    prefix, payer = flow.inputs.cur_s3_prefix, flow.account.billing.paid_by
    if (payer or not limits.takes_prefix(prefix)) and not flow.has_report():
        if payer:
            refuse_report(flow.account)
        limits.refuse_prefix(prefix)


def _published(flow: ConsoleFlow, stack: ExpectedStack, bucket: str) -> str:
    """Put the stack's template into the bucket, and make the quick-create link."""
    text, account_id = flow.template(stack.template), flow.account.account_id
    aws = flow.context.cloud.connect()
    url = publish(aws, account_id, bucket, stack.template, text, flow.partition)
    return stack.link(url, flow.partition).url


def _octos_link(flow: ConsoleFlow, stack: ExpectedStack) -> str:
    """Link to Octo's own template, in the stack's region, once its values are checked."""
    api = flow.context.octo.api
    if api is None:
        raise ConfigError(
            "needs credentials for Octo's API",
            where="--octo-template",
            hint="Set ALPHAUS_CLIENT_ID and ALPHAUS_CLIENT_SECRET, or omit the option.",
        )
    url = api.template().launch_url.get_secret_value()
    try:
        given = links.parse(url)
    except (ValueError, KeyError):
        raise Refused(
            "Octo's launch link is not a quick-create link",
            where="--octo-template",
            hint="Omit the option: octo-tf then makes the link.",
        ) from None
    names = ("ExternalId", "Principal")
    other = [n for n in names if given.parameters.get(n) != stack.parameters[n]]
    if given.partition != flow.partition:
        other.append("partition")
    if other:
        raise Refused(
            f"Octo's launch link gives another {' and '.join(other)}",
            where="--octo-template",
            hint="Omit the option: octo-tf then makes the link.",
        )
    return replace(given, region=stack.region, stack_name=stack.name).url


def publish(
    aws: Aws, account_id: str, bucket: str, name: str, text: str, partition: str = "aws"
) -> str:
    """Put a template into a bucket of the account, as a private object.

    Returns:
        Its address.

    Raises:
        ConfigError: the bucket does not exist.
        Refused: the bucket belongs to another account, or access is denied.
    """
    content = text.encode()
    key = f"octo-tf/{name}-{hashlib.sha256(content).hexdigest()[:12]}.yaml"
    with explained(f"putting the template into bucket {bucket}"):
        try:
            region = bucket_region(aws, bucket, account_id)
            if region is None:
                raise ConfigError(
                    "does not exist",
                    where=f"--template-bucket {bucket}",
                    hint="Name a bucket of this account, or omit the option.",
                )
            aws.client("s3", region).put_object(
                Bucket=bucket, ExpectedBucketOwner=account_id, Key=key, Body=content
            )
        except ServiceError as error:
            if is_denied(error):
                raise Refused(
                    f"the bucket does not belong to account {account_id}, or access is denied;"
                    " nothing was written",
                    where=f"--template-bucket {bucket}",
                    hint="Name a bucket of this account with s3:GetBucketLocation and s3:PutObject,"
                    " or omit the option: the template is then uploaded by hand.",
                ) from None
            raise
    host = f"s3.{region}.{_SUFFIXES.get(partition, 'amazonaws.com')}"
    # A certificate for *.s3.<region> does not match a bucket name with dots.
    return f"https://{host}/{bucket}/{key}" if "." in bucket else f"https://{bucket}.{host}/{key}"
