"""Sessions, principals and permissions as IAM and STS have them."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import replace

import boto3
import pytest
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import ClientError

from orchestrator.sandbox import control

ISSUER = "token.actions.githubusercontent.com"
KEYS = ("AccessKeyId", "SecretAccessKey", "SessionToken")
TEMPLATE = json.dumps({"Resources": {"B": {"Type": "AWS::S3::Bucket"}}})


def document(**statement: object) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **statement}]})


def error(call, **arguments) -> dict:
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    return caught.value.response["Error"]


@pytest.fixture(autouse=True)
def restored(sandbox) -> Iterator[None]:
    control.snapshot(sandbox.endpoint_url, "before")
    yield
    control.restore(sandbox.endpoint_url, "before")


@pytest.fixture
def iam(session):
    return session("payer").client("iam")


@pytest.fixture
def user(iam) -> Callable[..., boto3.Session]:
    """Makes a user of the payer's account with one policy: its session."""

    def make(*statements: dict) -> boto3.Session:
        iam.create_user(UserName="limited")
        text = json.dumps({"Version": "2012-10-17", "Statement": statements})
        iam.put_user_policy(UserName="limited", PolicyName="p", PolicyDocument=text)
        key = iam.create_access_key(UserName="limited")["AccessKey"]
        return boto3.Session(key["AccessKeyId"], key["SecretAccessKey"], region_name="us-east-1")

    return make


def role(iam, name: str, principal: dict, **more: object) -> str:
    trust = document(Principal=principal, Action=more.pop("action", "sts:AssumeRole"))
    made = iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust, **more)
    return str(made["Role"]["Arn"])


@pytest.mark.parametrize(
    ("service", "operation", "code"),
    [
        ("sts", "get_caller_identity", "ExpiredToken"),
        ("s3", "list_buckets", "ExpiredToken"),
        ("organizations", "describe_organization", "ExpiredTokenException"),
    ],
)
def test_a_session_ends_when_its_time_is_over(sandbox, session, service, operation, code):
    keys = session("payer").client("sts").get_session_token()["Credentials"]
    held = sandbox.state.sessions[keys["AccessKeyId"]]
    sandbox.state.sessions[keys["AccessKeyId"]] = replace(held, expires=time.time())
    expired = boto3.Session(*(keys[n] for n in KEYS), region_name="us-east-1").client(service)
    assert error(getattr(expired, operation))["Code"] == code


def test_a_deleted_role_becomes_its_id_in_policies_and_a_new_one_is_not_meant(iam, session):
    arn = role(iam, "named", {"Service": "ec2.amazonaws.com"})
    unique = iam.get_role(RoleName="named")["Role"]["RoleId"]
    role(iam, "trusts", {"AWS": arn})
    s3 = session("payer").client("s3")
    s3.create_bucket(Bucket="names-a-role")
    policy = document(
        Principal={"AWS": arn}, Action="s3:GetObject", Resource="arn:aws:s3:::names-a-role/*"
    )
    s3.put_bucket_policy(Bucket="names-a-role", Policy=policy)
    iam.delete_role(RoleName="named")
    role(iam, "named", {"Service": "ec2.amazonaws.com"})
    trust = iam.get_role(RoleName="trusts")["Role"]["AssumeRolePolicyDocument"]
    assert trust["Statement"][0]["Principal"] == {"AWS": unique}
    found = s3.get_bucket_policy(Bucket="names-a-role")["Policy"]
    assert json.loads(found)["Statement"][0]["Principal"] == {"AWS": unique}


def test_a_session_is_limited_by_its_own_policy(iam, session):
    arn = role(iam, "wide", {"AWS": "arn:aws:iam::111111111111:root"})
    iam.attach_role_policy(RoleName="wide", PolicyArn="arn:aws:iam::aws:policy/AdministratorAccess")
    keys = (
        session("payer")
        .client("sts")
        .assume_role(
            RoleArn=arn,
            RoleSessionName="narrow",
            Policy=document(Action="iam:ListRoles", Resource="*"),
        )["Credentials"]
    )
    own = boto3.Session(
        keys["AccessKeyId"], keys["SecretAccessKey"], keys["SessionToken"], "us-east-1"
    )
    own.client("iam").list_roles()
    assert "because no session policy allows" in error(own.client("iam").list_users)["Message"]


def token(**claims: object) -> str:
    """An unsigned token with these claims, as a pipeline gets one."""
    every = {"iss": f"https://{ISSUER}", "exp": time.time() + 60, **claims}
    parts = [json.dumps(part).encode() for part in ({"alg": "RS256"}, every)]
    return ".".join([*(base64.urlsafe_b64encode(p).decode().rstrip("=") for p in parts), "x"])


def test_a_pipeline_assumes_a_role_by_its_token_and_another_repository_does_not(iam, session):
    provider = iam.create_open_id_connect_provider(
        Url=f"https://{ISSUER}", ClientIDList=["sts.amazonaws.com"], ThumbprintList=["a" * 40]
    )["OpenIDConnectProviderArn"]
    trust = document(
        Principal={"Federated": provider},
        Action="sts:AssumeRoleWithWebIdentity",
        Condition={"StringEquals": {f"{ISSUER}:sub": "repo:octo/infra:ref:refs/heads/main"}},
    )
    arn = iam.create_role(RoleName="pipeline", AssumeRolePolicyDocument=trust)["Role"]["Arn"]
    sts = boto3.client("sts", config=Config(signature_version=UNSIGNED), region_name="us-east-1")

    def assume(repository: str) -> dict:
        return sts.assume_role_with_web_identity(
            RoleArn=arn,
            RoleSessionName="run",
            WebIdentityToken=token(
                aud="sts.amazonaws.com", sub=f"repo:{repository}:ref:refs/heads/main"
            ),
        )

    assert assume("octo/infra")["AssumedRoleUser"]["Arn"].endswith("assumed-role/pipeline/run")
    assert error(assume, repository="somebody/else")["Code"] == "AccessDenied"


def test_roles_may_be_created_only_with_a_boundary_where_a_policy_says_so(iam, user):
    boundary = iam.create_policy(
        PolicyName="boundary", PolicyDocument=document(Action="s3:*", Resource="*")
    )["Policy"]["Arn"]
    own = user(
        {
            "Effect": "Allow",
            "Action": "iam:CreateRole",
            "Resource": "*",
            "Condition": {"StringEquals": {"iam:PermissionsBoundary": boundary}},
        }
    ).client("iam")
    trust = document(Principal={"Service": "ec2.amazonaws.com"}, Action="sts:AssumeRole")
    denied = error(own.create_role, RoleName="without", AssumeRolePolicyDocument=trust)
    assert denied["Code"] == "AccessDenied"
    own.create_role(RoleName="with", AssumeRolePolicyDocument=trust, PermissionsBoundary=boundary)


def test_a_region_may_be_required(user):
    own = user(
        {
            "Effect": "Allow",
            "Action": "s3:*",
            "Resource": "*",
            "Condition": {"StringEquals": {"aws:RequestedRegion": "us-east-1"}},
        }
    )
    own.client("s3").list_buckets()
    elsewhere = own.client("s3", region_name="eu-west-1")
    assert error(elsewhere.list_buckets)["Code"] == "AccessDenied"


def test_a_stack_gets_a_role_only_from_who_may_pass_it_to_cloudformation(iam, user):
    passed = role(iam, "stacks", {"Service": "cloudformation.amazonaws.com"})
    anything = {"Effect": "Allow", "Action": ["cloudformation:*", "s3:*"], "Resource": "*"}
    passing = {
        "Effect": "Allow",
        "Action": "iam:PassRole",
        "Resource": passed,
        "Condition": {"StringEquals": {"iam:PassedToService": "ec2.amazonaws.com"}},
    }
    own = user(anything, passing).client("cloudformation")
    denied = error(own.create_stack, StackName="s", TemplateBody=TEMPLATE, RoleARN=passed)
    assert "iam:PassRole on resource: " + passed in denied["Message"]
