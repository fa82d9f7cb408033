"""A check of the console path reads the stacks and the account in one observation."""

from __future__ import annotations

from tests.calls import counted


def test_a_console_check_asks_for_each_role_and_the_root_once(account):
    payer = account("payer", use_stackset=True)
    payer.deploy("api-access")
    with counted() as calls:
        payer.check()
    print(f"{sum(calls.values())} calls: octo-tf console check: {dict(calls)}")
    assert calls["GetRole"] == 2, "the API access role and the CUR role"
    assert calls["ListRoots"] == calls["DescribeStackSet"] == 1
