"""octo-tf permissions diff: policies, modules, roles in AWS, and what octo.yaml asks for."""

from __future__ import annotations

import json
import os
import shutil
import threading
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from orchestrator import assets, cli
from orchestrator.app import permissions
from orchestrator.errors import ConfigError, ExitCode
from orchestrator.model.module_contract import documents
from orchestrator.model.module_contract.octo_names import (
    API_ROLE,
    CUR_ROLE,
    PRINCIPAL,
    UPDATER_ROLE,
)
from orchestrator.model.observed import Role
from orchestrator.report.meaning import of_roles

SCHEMA = json.loads((Path(__file__).parents[3] / "docs/schemas/permissions-v1.json").read_text())
OCTO_YAML = "account_id: '111122223333'\nexternal_id: planted-external-id\n"


def policy(*actions: str) -> str:
    return json.dumps({"Statement": [{"Effect": "Allow", "Action": actions, "Resource": "*"}]})


def read(out: str) -> Any:
    document = json.loads(out)
    jsonschema.validate(document, SCHEMA)
    return document["roles"]


def nothing(*_: object) -> None:
    raise AssertionError("AWS is not needed")


def test_two_policies_are_compared(tmp_path, capsys):
    (tmp_path / "a.json").write_text(policy("s3:ListAllMyBuckets"))
    (tmp_path / "b.json").write_text(policy("s3:ListAllMyBuckets", "s3:PutObject"))
    files = [str(tmp_path / name) for name in ("a.json", "b.json")]
    assert cli.run(["permissions", "diff", *files]) == ExitCode.DONE
    assert capsys.readouterr().out == "policy:\n  It gains s3:PutObject on * (write).\n"
    assert cli.run(["permissions", "diff", "--detailed-exitcode", *files]) == ExitCode.CHANGES
    capsys.readouterr()
    assert cli.run(["permissions", "diff", "--json", *reversed(files)]) == ExitCode.DONE
    (change,) = read(capsys.readouterr().out)
    (lost,) = change["abilities"]["lost"]
    assert (lost["patterns"], lost["counts"]) == (["s3:PutObject"], {"write": 1})
    assert [place["resource"] for place in lost["places"]] == ["*"]
    assert cli.run(["permissions", "diff", files[0], files[0]]) == ExitCode.DONE
    assert capsys.readouterr().out == "No difference.\n"


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_a_policy_may_be_written_by_windows(tmp_path, encoding):
    files = [tmp_path / "a.json", tmp_path / "b.json"]
    files[0].write_text(policy("s3:PutObject"))
    files[1].write_text(policy("s3:PutObject").replace(" ", "\r\n"), encoding=encoding)
    assert not permissions.compare(*map(str, files), load=nothing, connect=nothing)


def test_a_policy_may_come_from_a_pipe(tmp_path):
    file, pipe = tmp_path / "a.json", tmp_path / "pipe"
    file.write_text(policy("s3:PutObject"))
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_text, args=(policy("s3:PutObject"),))
    writer.start()
    assert not permissions.compare(str(file), str(pipe), load=nothing, connect=nothing)
    writer.join()


def test_as_json_what_differs_grows_with_the_policies_not_with_the_actions_of_aws(tmp_path, capsys):
    buckets = [f"arn:aws:s3:::bucket-{number}/*" for number in range(30)]
    all_of_aws = [{"Effect": "Allow", "Action": "*", "Resource": bucket} for bucket in buckets]
    some = {"Effect": "Allow", "Action": ["ec2:Describe*", "own:Thing"], "Resource": "*"}
    for name, statements in (("a", [some]), ("b", all_of_aws), ("c", [*all_of_aws, some])):
        (tmp_path / name).write_text(json.dumps({"Statement": statements}))
    changes = {}
    for before, after in ("a", "c"), ("b", "c"):
        files = [str(tmp_path / name) for name in (before, after)]
        assert cli.run(["permissions", "diff", "--json", *files]) == ExitCode.DONE
        out = capsys.readouterr().out
        assert len(out) < 100_000  # 8 MB of actions
        changes[before] = read(out)[0]["abilities"]["gained"]
    (of_buckets,) = changes["a"]  # all but the actions of ec2 that are allowed already
    assert {"iam:*", "s3:*"} < {*of_buckets["patterns"]}
    assert "ec2:*" not in of_buckets["patterns"]
    assert of_buckets["counts"]["PassRole"] == 1
    assert [place["resource"] for place in of_buckets["places"]] == sorted(buckets)
    (everywhere,) = changes["b"]
    assert everywhere["patterns"] == ["ec2:Describe*", "own:Thing"]
    assert everywhere["counts"]["unknown"] == 1


def test_as_json_all_of_aws_is_one_pattern(tmp_path, capsys):
    for name, actions in (("a", ["own:Thing"]), ("b", ["own:Thing", "own:Other", "*"])):
        (tmp_path / name).write_text(policy(*actions))
    files = [str(tmp_path / name) for name in ("a", "b")]
    assert cli.run(["permissions", "diff", "--json", *files]) == ExitCode.DONE
    (change,) = read(capsys.readouterr().out)
    (gained,) = change["abilities"]["gained"]
    assert gained["patterns"] == ["*", "own:Other"]


def test_a_policy_is_compared_with_the_permissions_of_a_role_and_a_trust_policy_with_its_trust(
    tmp_path,
):
    files = [tmp_path / "a.json", tmp_path / "b.json"]
    octo = documents.trust(f"arn:aws:iam::{PRINCIPAL}:root", "planted")
    files[0].write_text(policy("s3:PutObject"))
    files[1].write_text(json.dumps(octo))
    role = Role(API_ROLE, "", trust=octo, inline={"own": json.loads(policy("s3:PutObject"))})
    for file in files:
        assert not permissions.compare(
            API_ROLE,
            str(file),
            load=nothing,
            connect=lambda: Account(role),  # type: ignore[arg-type,return-value]
        )
    with pytest.raises(ConfigError, match="nothing can be compared"):
        permissions.compare(*map(str, files), load=nothing, connect=nothing)


def test_an_external_id_in_a_condition_is_not_shown(tmp_path, capsys):
    files = [tmp_path / "a.json", tmp_path / "b.json"]
    allowed = json.loads(policy("s3:PutObject"))
    files[0].write_text(json.dumps(allowed))
    allowed["Statement"][0]["Condition"] = {"StringLike": {"STS:ExternalId": "planted*"}}
    files[1].write_text(json.dumps(allowed))
    for options in ([], ["--json"]):
        assert cli.run(["permissions", "diff", *map(str, files), *options]) == ExitCode.DONE
        written = capsys.readouterr().out
        assert "STS:ExternalId" in written
        assert "planted" not in written


def test_two_trust_policies_are_compared(tmp_path):
    octo = f"arn:aws:iam::{PRINCIPAL}:root"
    files = [tmp_path / "a.json", tmp_path / "b.json"]
    files[0].write_text(json.dumps(documents.trust(octo, "planted")))
    files[1].write_text(json.dumps(documents.trust(octo)))
    changes = permissions.compare(*map(str, files), load=nothing, connect=nothing)
    assert of_roles(changes)[0].sentences == (
        f"Account {PRINCIPAL} may assume policy; before: with the external id.",
    )


def test_two_versions_of_the_module_are_compared_role_by_role(tmp_path):
    newer = tmp_path / "newer"
    shutil.copytree(assets.MODULE, newer)
    cost = newer / "policies/cost.json"
    cost.write_text(cost.read_text().replace('"Action": [', '"Action": ["s3:PutObject",', 1))
    (change,) = permissions.compare(str(assets.MODULE), str(newer), load=nothing, connect=nothing)
    assert change.name == API_ROLE
    assert [a.actions for a in change.abilities.gained] == [("s3:PutObject",)]
    assert not change.abilities.lost


def test_the_boundary_of_execution_is_taken_into_account(tmp_path):
    newer = tmp_path / "newer"
    shutil.copytree(assets.MODULE, newer)
    updater = newer / "policies/ssm_updater.json.tftpl"
    text = updater.read_text()
    updater.write_text(text.replace('"Action": [', '"Action": ["iam:CreateUser",', 1))
    (change,) = permissions.compare(str(assets.MODULE), str(newer), load=nothing, connect=nothing)
    assert change.name == UPDATER_ROLE
    assert not change.abilities.gained
    assert [a.actions for a in change.abilities.bounded] == [("iam:CreateUser",)]


class Account:
    """An account with one role in it."""

    def __init__(self, role: Role) -> None:
        self.cloud, self._role = self, role

    def describe_role(self, name: str) -> Role | None:
        return self._role if name == self._role.name else None

    def read_policies(self, arns):
        return dict.fromkeys(arns)


@pytest.mark.parametrize("name", [API_ROLE, f"arn:aws:iam::111122223333:role/{API_ROLE}"])
def test_a_role_in_aws_is_compared_with_what_octo_yaml_asks_for(tmp_path, name):
    from orchestrator.config.load import load

    path = tmp_path / "octo.yaml"
    path.write_text(OCTO_YAML)
    octo = f"arn:aws:iam::{PRINCIPAL}:root"
    hand = {"hand": json.loads(policy("s3:*"))}
    found = Role(API_ROLE, "", trust=documents.trust(octo, "another-id"), inline=hand)
    (change,) = permissions.compare(
        name,
        str(path),
        load=lambda file: load(file, {}, {}),
        connect=lambda: Account(found),  # type: ignore[arg-type,return-value]
    )
    assert change.name == API_ROLE
    assert [a.patterns for a in change.abilities.lost] == [("s3:*",)]
    assert any(a.service == "ce" for a in change.abilities.gained)
    assert not change.trust
    assert "planted" not in repr(change)


def test_what_octo_yaml_asks_for_is_compared_with_what_another_one_asks_for(tmp_path):
    from orchestrator.config.load import load

    files = [tmp_path / "a.yaml", tmp_path / "b.yaml"]
    files[0].write_text(OCTO_YAML)
    files[1].write_text(OCTO_YAML + "cur_role_trust: principal_only\n")
    (change,) = permissions.compare(
        *map(str, files), load=lambda file: load(file, {}, {}), connect=nothing
    )
    assert change.name == CUR_ROLE
    assert change.trust.weakened


@pytest.mark.parametrize(
    ("name", "what"),
    [
        ("nothing.json", "does not exist"),
        ("broken.json", "cannot be read as JSON"),
        ("empty.json", "is not a policy"),
        ("nested.json", "cannot be read as JSON"),
        ("large.json", "larger than 100,000 bytes"),
        ("binary.json", "it is no JSON text"),
        ("lower_case.json", "Statement.0.Effect: Input should be 'Allow' or 'Deny'"),
        ("no_action.json", "Statement.0: must have Action or NotAction"),
        ("null_action.json", "Statement.0.Action.0"),
        ("condition.json", "Statement.0.Condition.StringEquals"),
        ("escape.json", "Statement.0.Resource.0"),
        ("bucket.json", "Policies of resources|neither a trust policy"),
        ("folder", "is not the folder of a module"),
        ("broken_module", "is not the folder of a module"),
        ("no_policies", "is not the folder of a module"),
        ("NoSuchRole", "no such file, folder or role"),
        ("absent.yaml", "does not exist"),
        ("x" * 5000, "does not exist"),
        (f"arn:aws:iam::444455556666:role/{API_ROLE}", "is not in this account"),
    ],
)
def test_what_cannot_be_compared_is_named_with_what_can(tmp_path, monkeypatch, name, what):
    monkeypatch.chdir(tmp_path)
    Path("folder").mkdir()
    Path("broken.json").write_text("{")
    Path("empty.json").write_text("{}")
    Path("nested.json").write_text("[" * 50_000)
    Path("large.json").write_text(" " * 100_001)
    Path("binary.json").write_bytes(b"\x80\x81")
    statement = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}
    for file, element in {
        "lower_case": {"Effect": "allow"},
        "null_action": {"Action": None},
        "condition": {"Condition": {"StringEquals": "planted"}},
        "escape": {"Resource": "\x1b[31m"},
        "bucket": {"Principal": "*"},
    }.items():
        Path(f"{file}.json").write_text(json.dumps({"Statement": {**statement, **element}}))
    Path("no_action.json").write_text('{"Statement": {"Effect": "Allow", "Resource": "*"}}')
    Path("broken_module").mkdir()
    Path("broken_module/features.yaml").write_text("a: [")
    shutil.copytree(assets.MODULE, "no_policies", ignore=shutil.ignore_patterns("policies"))
    here = Role(API_ROLE, f"arn:aws:iam::111122223333:role/{API_ROLE}")
    with pytest.raises(ConfigError, match=what) as refused:
        permissions.compare(
            name,
            name,
            load=nothing,
            connect=lambda: Account(here),  # type: ignore[arg-type,return-value]
        )
    assert "planted" not in str(refused.value)
    assert "a file with a policy in JSON" in refused.value.hint


def test_two_trust_policies_are_compared_by_their_external_ids_which_are_never_shown(
    tmp_path, capsys
):
    files = [tmp_path / "a.json", tmp_path / "b.json"]
    for file, ids in zip(files, (["planted-one"], ["planted-one", "planted-two"]), strict=True):
        file.write_text(json.dumps(documents.trust(f"arn:aws:iam::{PRINCIPAL}:root", *ids)))
    assert cli.run(["permissions", "diff", *map(str, files)]) == ExitCode.DONE
    out = capsys.readouterr().out
    assert "policy accepts other external ids than before." in out
    assert "planted" not in out


def test_roles_of_octo_yaml_are_of_the_partition_of_its_region(tmp_path, capsys):
    files = [tmp_path / "a.yaml", tmp_path / "b.yaml"]
    files[0].write_text(OCTO_YAML)
    files[1].write_text(OCTO_YAML + "region: cn-north-1\n")
    assert cli.run(["permissions", "diff", "--json", *map(str, files)]) == ExitCode.DONE
    changes = read(capsys.readouterr().out)
    gained = [
        place["resource"]
        for change in changes
        for ability in change["abilities"]["gained"]
        for place in ability["places"]
    ]
    assert {where.split(":")[1] for where in gained if ":" in where} == {"aws-cn"}
