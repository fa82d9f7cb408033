"""How a person gets to the page that creates a stack: the one place that decides the template's.

CloudFormation reads a quick-create link's template from S3, as the person who is signed in. So a
private object in a bucket of the same account is enough.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from pathlib import Path as File

from orchestrator.app.console.flow import ConsoleFlow
from orchestrator.aws.errors import ServiceError, explained, is_denied
from orchestrator.aws.s3 import bucket_region
from orchestrator.aws.session import Aws
from orchestrator.errors import ConfigError, Refused
from orchestrator.files import write_atomically
from orchestrator.stacks import links
from orchestrator.stacks.steps import Wanted

_SUFFIXES = {"aws-cn": "amazonaws.com.cn"}


@dataclass(frozen=True)
class LaunchLink:
    """The page to open.

    ``url`` may hold the external id. ``file`` is the template to upload there, where the link
    cannot name one; then ``parameters`` are to be typed, and the external id is not among them.
    """

    wanted: Wanted
    url: str = field(repr=False)
    file: File | None = None

    @property
    def typed(self) -> dict[str, str]:
        """What a person types after an upload; the external id is copied from Octo."""
        return {n: v for n, v in self.wanted.parameters.items() if n != "ExternalId"}


def launch_link(
    flow: ConsoleFlow, wanted: Wanted, *, bucket: str | None = None, octos_template: bool = False
) -> LaunchLink:
    """The page for a stack, and what is needed there.

    Args:
        flow: the account.
        wanted: the stack.
        bucket: a bucket of the account's own that the template is put into.
        octos_template: take Octo's own launch link, where there is one for the stack.

    Raises:
        ConfigError: there is no such bucket, or no credentials for Octo.
        Refused: the bucket is somebody else's, or Octo's link gives other values.
        OctoError: Octo cannot be asked.
    """
    if octos_template and wanted.template == "api-access":
        return LaunchLink(wanted, _octos_link(flow, wanted))
    text = flow.template(wanted.template)
    if bucket is not None:
        account_id = flow.account.account_id
        url = publish(
            flow.context.cloud.connect(), account_id, bucket, wanted.template, text, flow.partition
        )
        return LaunchLink(wanted, wanted.link(url, flow.partition).url)
    file = flow.context.folder / "console" / f"{wanted.template}.yaml"
    write_atomically(file, text.encode())
    return LaunchLink(wanted, links.create_page(wanted.region, flow.partition), file)


def _octos_link(flow: ConsoleFlow, wanted: Wanted) -> str:
    """Octo's own launch link, once it is seen to give the values that were agreed on."""
    api = flow.context.octo.api
    if api is None:
        raise ConfigError(
            "needs credentials for Octo's API",
            where="--octo-template",
            hint="Set ALPHAUS_CLIENT_ID and ALPHAUS_CLIENT_SECRET, or leave the option out.",
        )
    url = api.template().launch_url.get_secret_value()
    try:
        given = links.parse(url).parameters
    except (ValueError, KeyError):
        given = {}
    other = [n for n in ("ExternalId", "Principal") if given.get(n) != wanted.parameters[n]]
    if other:
        raise Refused(
            f"Octo's launch link gives another {' and '.join(other)}",
            where="--octo-template",
            hint="Leave the option out: the link is then made here.",
        )
    return url


def publish(
    aws: Aws, account_id: str, bucket: str, name: str, text: str, partition: str = "aws"
) -> str:
    """Puts a template into the account's own bucket, private; its address, by region.

    Raises:
        ConfigError: there is no such bucket.
        Refused: the bucket is another account's, or may not be used.
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
                    hint="Name a bucket of this account, or leave the option out.",
                )
            aws.client("s3", region).put_object(
                Bucket=bucket, ExpectedBucketOwner=account_id, Key=key, Body=content
            )
        except ServiceError as error:
            if is_denied(error):
                raise Refused(
                    f"the bucket is not of account {account_id}, or may not be used; nothing was"
                    " written",
                    where=f"--template-bucket {bucket}",
                    hint="Name a bucket of this account with s3:GetBucketLocation and s3:PutObject,"
                    " or leave the option out: the template is then uploaded by hand.",
                ) from None
            raise
    host = f"s3.{region}.{_SUFFIXES.get(partition, 'amazonaws.com')}"
    # A certificate for *.s3.<region> does not fit a bucket name with dots.
    return f"https://{host}/{bucket}/{key}" if "." in bucket else f"https://{bucket}.{host}/{key}"
