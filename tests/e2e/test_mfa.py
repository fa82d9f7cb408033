"""A profile that asks for an MFA code, from the question to Terraform's apply."""

from __future__ import annotations

from tests.e2e.conftest import RunningSandbox

CODE = "123456"


def test_a_code_is_typed_once_and_terraform_acts_by_its_session(sandbox: RunningSandbox):
    iam = sandbox.client("payer", "iam")
    device = iam.create_virtual_mfa_device(VirtualMFADeviceName="me")["VirtualMFADevice"]
    iam.enable_mfa_device(
        UserName="administrator",
        SerialNumber=device["SerialNumber"],
        AuthenticationCode1=CODE,
        AuthenticationCode2=CODE[::-1],
    )
    project = sandbox.project("linked-1")
    octo_yaml = project.folder / "octo.yaml"
    octo_yaml.write_text(octo_yaml.read_text().replace("profile: linked-1", "profile: mfa"))
    config = project.folder / "config"
    config.write_text(
        "[profile mfa]\nsource_profile = payer\nregion = us-east-1\n"
        f"role_arn = arn:aws:iam::{project.account_id}:role/OrganizationAccountAccessRole\n"
        f"mfa_serial = {device['SerialNumber']}\n"
    )
    home = {"AWS_CONFIG_FILE": str(config), "HOME": str(project.folder)}
    project.environ = {**project.environ, **home}
    without = project("plan")
    assert without.returncode == 1
    assert "there is no terminal to ask for it" in without.stderr
    assert "aws sts get-caller-identity --profile mfa" in without.stderr
    code, shown = project.on_terminal("apply", "--yes", answers=(("Enter MFA code", CODE),))
    assert code == 0, shown
    assert shown.count("Enter MFA code") == 1
    assert CODE not in shown
    again = project("plan", "--detailed-exitcode")  # within the session's hour, on no terminal
    assert again.returncode == 0, again.stderr
