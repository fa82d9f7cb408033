"""Values of the module's inputs, right and wrong: the module and the model must agree on each."""

from __future__ import annotations

from typing import Any

# By setting: values that are accepted, and values that are refused.
VALUES: dict[str, tuple[list[Any], list[Any]]] = {
    "account_id": (["111122223333", "000000000001"], ["", "11112222333", "11112222333a", "1" * 13]),
    "account_type": (["payer", "linked", "standalone"], ["", "member", "Payer"]),
    "additional_actions": (
        [[], ["rds:DescribeDBProxies", "memorydb:ListTags"], ["network-firewall:DescribeFirewall"]],
        [
            [""],
            ["DescribeDBProxies"],
            ["rds:*"],
            ["rds:Describe*"],
            ["rds:DeleteDBInstance"],
            ["iam:AttachRolePolicy"],
            ["secretsmanager:GetSecretValue"],
            ["secretsmanager:BatchGetSecretValue"],
            ["ssm:GetParameters"],
            ["s3:GetObject"],
            ["s3express:GetObject"],
            ["lambda:GetFunction"],
            ["ecr:GetAuthorizationToken"],
            ["ec2:DescribeInstanceAttribute"],
            ["rds:DescribeDBProxies", "sts:GetSessionToken"],
            ["rds:DescribeDBProxies\n"],
            [f"rds:Describe{'A' * 101}"],
            [f"rds:Describe{number:0>100}" for number in range(520)],
        ],
    ),
    "cur_additional_artifacts": (
        [[], ["REDSHIFT"], ["QUICKSIGHT", "REDSHIFT"]],
        [["SNOWFLAKE"], ["athena"], ["ATHENA"], ["ATHENA", "REDSHIFT"]],
    ),
    "cur_additional_schema_elements": (
        [
            [],
            ["RESOURCES"],
            ["SPLIT_COST_ALLOCATION_DATA"],
            ["RESOURCES", "MANUAL_DISCOUNT_COMPATIBILITY"],
        ],
        [["EVERYTHING"], ["RESOURCES", ""]],
    ),
    "cur_compression": (["ZIP", "GZIP"], ["", "zip", "BZIP2", "Parquet"]),
    "cur_format": (["textORcsv"], ["", "CSV", "Parquet"]),
    "cur_refresh_closed_reports": ([True, False], []),
    "cur_report_name": (
        ["curreport", "a", "r" * 256, "a!-_.*'()Z9"],
        ["", "my report", "r" * 257, "report\n", "a/b", "ü", "a\\b", "${x}"],
    ),
    "cur_report_option": (["CREATE_NEW", "USE_EXISTING"], ["", "ADOPT"]),
    "cur_report_versioning": (["OVERWRITE_REPORT", "CREATE_NEW_REPORT"], ["", "KEEP"]),
    "cur_role_trust": (["external_id", "principal_only"], ["", "anybody"]),
    "cur_s3_bucket_merge_policy": ([False], [True]),
    "cur_s3_bucket_name": (
        ["abc", "b" * 63, "my.bucket-1", "1.2.3", "9bucket9", "a.b.c.d", "s3alias", "xn-bucket"],
        [
            "",
            "ab",
            "b" * 64,
            "Bucket",
            "my_bucket",
            "my bucket",
            "bucket-",
            "-bucket",
            ".bucket",
            "my..bucket",
            "192.168.5.4",
            "xn--bucket",
            "sthree-bucket",
            "amzn-s3-demo-bucket",
            "bucket-s3alias",
            "bucket--ol-s3",
            "bucket.mrap",
            "bucket--x-s3",
            "bucket--table-s3",
            "bucket\n",
            "bücket",
        ],
    ),
    "cur_s3_bucket_option": (["CREATE_NEW"], ["", "REUSE", "USE_EXISTING"]),
    "cur_s3_bucket_region": (
        ["us-east-1", "ap-southeast-2", "us-gov-west-1", "cn-north-1"],
        ["", "Frankfurt", "eu-central", "us-east-1 ", "us-east-1\n", "US-EAST-1", "a-b-1"],
    ),
    "cur_s3_prefix": (
        ["pre", "a/b", "p", "p" * 256, "a!-_.*'()Z9", ".pre", "pre."],
        ["", "/pre", "pre/", "/", "p" * 257, "a b", "pre\n", "pré", "a\\b", "a|"],
    ),
    "cur_time_unit": (["HOURLY", "DAILY", "MONTHLY"], ["", "hourly", "YEARLY"]),
    "external_id": (
        ["ab", "octo_id+=,.@:/-9", "x" * 1224],
        ["", "x", "octo id", "x" * 1225, "ключ", "octo\n", "${x}"],
    ),
    "execution_actions": ([[]], [["stop_ec2"], ["everything"]]),
    "execution_may_delete": ([True, False], []),
    "execution_tag": (
        [{}, {"octo": "may stop"}, {"k" * 128: "v" * 256}, {"a": ""}],
        [
            {"": "v"},
            {"a": "b", "c": "d"},
            {"k" * 129: "v"},
            {"k": "v" * 257},
            {"k": "v\n"},
            {"ü": ""},
        ],
    ),
    "features": (
        [
            ["cost"],
            ["cost", "recommendations"],
            ["ai_cost", "container_cost", "cost", "unit_metrics"],
        ],
        [[], ["recommendations"], ["cost", "admin"]],
    ),
    "max_session_duration": ([3600, 7200, 43200], [0, 3599, 43201, -3600, 3600.5]),
    "permissions_boundary": (
        [
            "arn:aws:iam::111122223333:policy/Boundary",
            "arn:aws:iam::aws:policy/ReadOnlyAccess",
            "arn:aws-us-gov:iam::111122223333:policy/path/Boundary",
        ],
        [
            "",
            "Boundary",
            "arn:aws:iam::111122223333:role/Boundary",
            "arn:aws:iam::1111:policy/Boundary",
            "arn:aws:iam::111122223333:policy/",
            "arn:aws:iam::111122223333:policy/a\nb",
            " arn:aws:iam::111122223333:policy/Boundary",
        ],
    ),
    "principal": (["131920598436"], ["", "999999999999", "*"]),
    "stackset_excluded_accounts": ([[], ["222233334444"]], [["1234"], ["222233334444", ""]]),
    "stackset_failure_tolerance_percentage": ([0, 10, 100], [-1, 101, 0.5]),
    "stackset_features": (
        [["cost"], ["cost", "recommendations"]],
        [[], ["recommendations"], ["cost", "admin"], ["cost", "execution"]],
    ),
    "stackset_max_concurrent_percentage": ([1, 100], [0, 101, 1.5]),
    "stackset_name": (
        ["a", "alphaus-api-access-stackset", "S" * 128],
        ["", "1set", "-set", "my set", "my_set", "S" * 129, "set\n", "sét"],
    ),
    "stackset_role_logical_id": (["ApiAccessRole", "1", "a" * 255], ["", "a-b", "a" * 256, "é"]),
    "stackset_role_path": (["/"], ["", "/octo/", "octo"]),
    "stackset_targets": (
        [[], ["ou-abcd-11111111"], ["r-abcd"]],
        [["production"], ["ou-abcd"], ["r-ABCD"], ["ou-abcd-11111111", ""], ["r-abcd\n"]],
    ),
    "tags": (
        [
            {},
            {"team": "finops"},
            {"k" * 128: "v" * 256},
            {"a": ""},
            {"Größe 名前 _.:/=+-@": "Ünïcödé\u00a0x"},
            {"xaws:": "a", "aws": "b"},
            {f"k{n}": "v" for n in range(50)},
        ],
        [
            {"": "v"},
            {"k" * 129: "v"},
            {"k": "v" * 257},
            {"aws:x": "1"},
            {"AWS:x": "1"},
            {"x": "a;b"},
            {"a#b": "x"},
            {"x": "a\nb"},
            {"a\tb": "x"},
            {"x": "👩"},
            {"x": "a\\b"},
            {f"k{n}": "v" for n in range(51)},
        ],
    ),
    "use_stackset": ([True, False], []),
}

_PARQUET = {"cur_format": "Parquet", "cur_compression": "Parquet"}
_EXECUTION = {"features": ["cost", "execution"], "execution_actions": ["stop_ec2"]}
_EXISTING = {"cur_s3_bucket_option": "USE_EXISTING", "cur_s3_bucket_name": "my-bucket"}
_OF_A_NAMESPACE = "billing-111122223333-us-east-1-an"
# Settings that go together, or not: each with the input that the module names, empty if accepted.
COMBINATIONS: list[tuple[dict[str, Any], str]] = [
    (_PARQUET, ""),
    ({**_PARQUET, "cur_compression": "GZIP"}, "cur_compression"),
    ({**_PARQUET, "cur_additional_artifacts": ["ATHENA"]}, ""),
    (
        {
            **_PARQUET,
            "cur_additional_artifacts": ["ATHENA"],
            "cur_report_versioning": "CREATE_NEW_REPORT",
        },
        "cur_additional_artifacts",
    ),
    ({**_PARQUET, "cur_additional_artifacts": ["ATHENA", "REDSHIFT"]}, "cur_additional_artifacts"),
    ({**_PARQUET, "cur_additional_artifacts": ["REDSHIFT"]}, "cur_additional_artifacts"),
    ({**_PARQUET, "cur_additional_artifacts": ["QUICKSIGHT"]}, "cur_additional_artifacts"),
    (_EXECUTION, ""),
    ({**_EXECUTION, "execution_actions": []}, "execution_actions"),
    ({**_EXECUTION, "execution_actions": ["stop_ec2", "terminate_ec2"]}, "execution_actions"),
    ({**_EXECUTION, "execution_actions": ["delete_rds"], "execution_may_delete": True}, ""),
    ({**_EXECUTION, "stackset_features": ["cost", "execution"]}, ""),
    ({"cur_s3_bucket_name": _OF_A_NAMESPACE}, "cur_s3_bucket_name"),
    ({**_EXISTING, "cur_s3_bucket_name": _OF_A_NAMESPACE}, ""),
    ({"cur_report_option": "USE_EXISTING", "cur_s3_bucket_name": _OF_A_NAMESPACE}, ""),
    (_EXISTING, ""),
    ({**_EXISTING, "cur_s3_bucket_merge_policy": True}, ""),
    (
        {**_EXISTING, "cur_s3_bucket_merge_policy": True, "cur_report_option": "USE_EXISTING"},
        "cur_s3_bucket_merge_policy",
    ),
    (
        {"cur_s3_bucket_name": "my-bucket", "cur_s3_bucket_merge_policy": True},
        "cur_s3_bucket_merge_policy",
    ),
    ({"use_stackset": True, "account_type": "payer"}, ""),
    ({"use_stackset": True, "account_type": "linked"}, "use_stackset"),
    ({"use_stackset": True, "account_type": "standalone"}, "use_stackset"),
]
# A wrong value of one input that the module reports at another one.
_NAMED_AT = {
    ("cur_format", "Parquet"): "cur_compression",
    ("cur_s3_bucket_option", "USE_EXISTING"): "cur_s3_bucket_name",
}


def cases() -> list[tuple[dict[str, Any], tuple[str, ...]]]:
    """Return settings, each with the inputs that the module names as wrong; none if accepted."""
    singles = [({name: v}, ()) for name, (good, _) in VALUES.items() for v in good]
    wrong = [
        ({name: v}, (_NAMED_AT.get((name, str(v)), name),))
        for name, (_, bad) in VALUES.items()
        for v in bad
    ]
    together = [(given, (name,) if name else ()) for given, name in COMBINATIONS]
    return [*singles, *wrong, *together]
