"""A stack that owns a role is found in whatever region it is."""

from __future__ import annotations

from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from orchestrator.aws import cloudformation
from orchestrator.aws.session import Aws
from orchestrator.model.observed import OwningStack

ROLE = "AlphausAcctAccessRole"
REGIONS = ("ap-northeast-1", "me-south-1", "us-east-1")


def refusal(code: str, message: str = "") -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": message}}, "DescribeStackResources")


class Regions:
    """Stands for the session: in each region a stack's name, none, or an error."""

    region = "us-east-1"

    def __init__(self, **has: Any) -> None:
        self.has = {name.replace("_", "-"): value for name, value in has.items()}

    def regions(self, service: str) -> list[str]:
        assert service == "cloudformation"
        return [*REGIONS]

    def client(self, service: str, region: str) -> Any:
        return Region(self.has.get(region))


class Region:
    def __init__(self, has: Any) -> None:
        self.has = has

    def describe_stack_resources(self, *, PhysicalResourceId: str) -> dict[str, Any]:  # noqa: N803
        if isinstance(self.has, Exception):
            raise self.has
        if self.has is None:
            raise refusal("ValidationError", f"Stack for {PhysicalResourceId} does not exist")
        return {"StackResources": [{"StackName": self.has}]}


def owners(aws: Regions, **how: Any) -> Any:
    return cloudformation.owning_stacks(aws, [ROLE], **how)  # type: ignore[arg-type]


def test_a_stack_in_another_region_is_found_with_its_region():
    found = owners(Regions(ap_northeast_1="AlphausAccountAccess"))
    assert found.stacks == {ROLE: OwningStack("AlphausAccountAccess", "ap-northeast-1")}
    assert found.regions == REGIONS
    assert found.skipped == ()


@pytest.mark.parametrize(
    "error",
    [
        refusal("InvalidClientTokenId"),
        refusal("OptInRequired"),
        refusal("AccessDenied"),
        EndpointConnectionError(endpoint_url="https://cloudformation.me-south-1.amazonaws.com"),
    ],
)
def test_a_region_that_cannot_be_asked_is_named_and_the_others_are_asked(error):
    found = owners(Regions(me_south_1=error, ap_northeast_1="theirs"))
    assert found.stacks[ROLE].name == "theirs"
    assert found.regions == ("ap-northeast-1", "us-east-1")
    assert found.skipped == ("me-south-1",)
    assert found.searched == (
        "Stacks were looked for in ap-northeast-1, us-east-1, and not in me-south-1 (disabled,"
        " denied, or out of reach)."
    )


def test_a_fault_of_a_region_is_no_absence():
    with pytest.raises(ClientError, match="Throttling"):
        owners(Regions(me_south_1=refusal("Throttling")))


def test_the_region_of_the_session_must_answer():
    with pytest.raises(ClientError, match="AccessDenied"):
        owners(Regions(us_east_1=refusal("AccessDenied")))


def test_a_region_that_was_named_must_answer():
    with pytest.raises(ClientError, match="AccessDenied"):
        owners(Regions(me_south_1=refusal("AccessDenied")), regions=["me-south-1"])


def test_without_a_resource_no_region_is_asked():
    assert cloudformation.owning_stacks(Regions(), []).regions == ()  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("region", "others"),
    [("cn-north-1", {"cn-northwest-1"}), ("us-east-1", {"ap-northeast-1", "me-south-1"})],
)
def test_the_regions_are_those_of_the_sessions_partition(region, others):
    found = {*Aws(boto3.Session(region_name=region)).regions("cloudformation")}
    assert {region, *others} <= found
    assert not {"cn-north-1", "us-east-1"} <= found
