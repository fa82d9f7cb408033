"""Every route answers as the published protobuf says, and every confirmation is a real probe."""

from __future__ import annotations

import json

import jsonschema
import pytest
import requests

from orchestrator.sandbox import control
from tests.contract.octo import schemas
from tests.registered import ROLE, trust

STANDALONE = "222222222222"
PAYER = "111111111111"


def check(response: requests.Response, schema: dict, status: int = 200) -> dict:
    assert response.status_code == status, response.text
    jsonschema.validate(response.json(), schema)
    return response.json()


def test_a_token_is_given_to_a_known_client_only(sandbox, state):
    url = sandbox.octo_token_url
    form = {
        "client_id": state.client.client_id,
        "client_secret": state.client.secret,
        "grant_type": "client_credentials",
        "scope": "openid",
    }
    check(requests.post(url, data=form, timeout=60), schemas.TOKEN)
    wrong = requests.post(url, data={**form, "client_secret": "wrong"}, timeout=60)
    assert (wrong.status_code, wrong.json()) == (401, {"error": "invalid_client"})


def test_every_route_answers_with_its_message(raw, account, sandbox):
    account("standalone", "standalone")
    check(raw("GET", "/v1/me"), schemas.USER)
    check(raw("GET", "/v1/aws/acctaccess"), schemas.TEMPLATE)
    register = {"accountId": STANDALONE, "accountName": "Acme"}
    check(raw("POST", "/v1/aws/account", register), schemas.EMPTY)
    check(raw("POST", "/v1/aws/account", register), schemas.ERROR, 409)
    body = {"target": STANDALONE, "fromTerraform": True}
    access = check(raw("POST", "/v1/aws/acctaccess", body), schemas.ACCOUNT_ACCESS)
    assert access["registrationStatus"]["apiAccess"] is True
    control.deliver(sandbox.endpoint_url)
    access = check(raw("POST", "/v1/aws/acctaccess/cur", body), schemas.ACCOUNT_ACCESS)
    assert access["registrationStatus"]["curExport"] is True
    status = check(raw("GET", f"/v1/account/{STANDALONE}?vendor=aws"), schemas.DATA_ACCESS)
    assert status["awsOptions"]["RegistrationMethod"] == "terraform"
    streamed = raw("POST", "/v1/account/all:read", {}).text.splitlines()
    assert len(streamed) == 1
    jsonschema.validate(json.loads(streamed[0]), schemas.STREAMED)
    refused = check(raw("PUT", f"/v1/aws/acctaccess/{STANDALONE}"), schemas.ERROR, 400)
    assert "not outdated" in refused["message"]  # "only call this API if ... 'outdated'"
    check(raw("DELETE", f"/v1/acctaccess/{STANDALONE}?vendor=aws"), schemas.DELETED)
    check(raw("GET", f"/v1/account/{STANDALONE}?vendor=aws"), schemas.ERROR, 404)
    check(raw("GET", "/v1/nowhere"), schemas.ERROR, 404)


def test_without_a_token_nothing_is_answered(sandbox):
    response = requests.get(f"{sandbox.endpoint_url}/m/blue/cover/v1/me", timeout=60)
    assert check(response, schemas.ERROR, 401)["code"] == 16


def test_confirming_fails_where_the_trust_has_another_external_id(raw, account):
    made = account("standalone", "standalone")
    raw("POST", "/v1/aws/account", {"accountId": STANDALONE, "accountName": ""})
    iam = made.client("iam")
    body = {"target": STANDALONE, "fromTerraform": True}
    iam.update_assume_role_policy(RoleName=ROLE, PolicyDocument=trust("of-somebody-else"))
    error = check(raw("POST", "/v1/aws/acctaccess", body), schemas.ERROR, 400)
    assert "cannot assume" in error["message"]
    iam.update_assume_role_policy(RoleName=ROLE, PolicyDocument=trust())
    check(raw("POST", "/v1/aws/acctaccess", body), schemas.ACCOUNT_ACCESS)


def test_confirming_fails_where_the_role_is_missing_or_may_nothing(raw, account):
    made = account("standalone", "standalone")
    raw("POST", "/v1/aws/account", {"accountId": STANDALONE, "accountName": ""})
    body = {"target": STANDALONE, "fromTerraform": True}
    made.client("iam").delete_role_policy(RoleName=ROLE, PolicyName="octo-cost")
    error = check(raw("POST", "/v1/aws/acctaccess", body), schemas.ERROR, 400)
    assert "cannot ask for the organization" in error["message"]
    made.unmake()
    error = check(raw("POST", "/v1/aws/acctaccess", body), schemas.ERROR, 400)
    assert "cannot assume" in error["message"]


def test_cur_is_confirmed_only_once_a_report_is_delivered_and_can_be_read(raw, account, sandbox):
    made = account("standalone", "standalone")
    raw("POST", "/v1/aws/account", {"accountId": STANDALONE, "accountName": ""})
    body = {"target": STANDALONE, "fromTerraform": True}
    raw("POST", "/v1/aws/acctaccess", body)
    waiting = check(raw("POST", "/v1/aws/acctaccess/cur", body), schemas.ACCOUNT_ACCESS)
    assert waiting["registrationStatus"]["curExport"] is False
    assert waiting["bucketName"] == made.bucket
    control.deliver(sandbox.endpoint_url)
    done = check(raw("POST", "/v1/aws/acctaccess/cur", body), schemas.ACCOUNT_ACCESS)
    assert done["registrationStatus"]["curExport"] is True
    assert done["registrationStatus"]["isDataAvailable"] is True
    made.client("iam").delete_role_policy(
        RoleName="AlphausAcctAccessCurRole", PolicyName="octo-cur-read"
    )
    error = check(raw("POST", "/v1/aws/acctaccess/cur", body), schemas.ERROR, 400)
    assert "cannot read bucket" in error["message"]


def test_the_type_is_found_through_the_role(raw, account, sandbox):
    account("payer", "payer")
    account("linked-1", "linked")
    linked = sandbox.accounts["linked-1"]
    for account_id in (PAYER, linked):
        raw("POST", "/v1/aws/account", {"accountId": account_id, "accountName": ""})
    types = {}
    for account_id in (PAYER, linked):
        answer = check(
            raw("POST", "/v1/aws/acctaccess", {"target": account_id, "fromTerraform": True}),
            schemas.ACCOUNT_ACCESS,
        )
        types[account_id] = (answer["accountType"], answer["payerId"])
    assert types == {PAYER: ("payer", PAYER), linked: ("linked", PAYER)}


def test_a_linked_account_before_its_payer_is_refused(raw, account, sandbox):
    account("linked-1", "linked")
    linked = sandbox.accounts["linked-1"]
    raw("POST", "/v1/aws/account", {"accountId": linked, "accountName": ""})
    error = check(raw("POST", "/v1/aws/acctaccess", {"target": linked}), schemas.ERROR, 400)
    assert "register the payer before" in error["message"]


def test_the_stackset_is_confirmed_by_the_roles_in_the_linked_accounts(raw, account, sandbox):
    account("payer", "payer")
    raw("POST", "/v1/aws/account", {"accountId": PAYER, "accountName": ""})
    raw("POST", "/v1/aws/acctaccess", {"target": PAYER, "fromTerraform": True})
    body = {"target": PAYER, "region": "us-east-1"}
    error = check(raw("POST", "/v1/aws/acctaccess/stackset", body), schemas.ERROR, 400)
    assert "reached no linked account" in error["message"]
    account("linked-2", "linked")
    linked = sandbox.accounts["linked-2"]
    raw("POST", "/v1/aws/account", {"accountId": linked, "accountName": "Acme"})
    answer = check(raw("POST", "/v1/aws/acctaccess/stackset", body), schemas.ACCOUNT_ACCESS)
    assert answer["registrationStatus"]["stackSet"] is True
    status = check(raw("GET", f"/v1/account/{linked}?vendor=aws"), schemas.DATA_ACCESS)
    assert status["awsOptions"]["registrationStatus"]["apiAccess"] is True
    assert status["awsOptions"]["PayerId"] == PAYER
    assert status["awsOptions"]["AccountName"] == "linked-2"  # the earlier name is overwritten


@pytest.mark.parametrize("body", [{}, {"accountId": "1234"}, {"accountId": 7}])
def test_a_bad_account_id_is_an_error(raw, body):
    assert check(raw("POST", "/v1/aws/account", body), schemas.ERROR, 400)["code"] == 3
