"""network: the proxy and CA settings that a run would use."""

import re
from pathlib import Path

from orchestrator.doctor.model import DoctorCheck, DoctorContext, DoctorResult, ok, problem, warning

_PROXIES = ("HTTPS_PROXY", "HTTP_PROXY", "NO_PROXY")
_CAS = ("AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR")
_METADATA = "169.254.169.254"  # credentials of an EC2 instance are fetched there
_CREDENTIALS = re.compile(r"(?<=//)[^@/]*@|^[^@/]*@")


def _run(context: DoctorContext) -> DoctorResult:
    given = {
        name: value
        for name in _PROXIES
        if (value := context.environ.get(name) or context.environ.get(name.lower()))
    }
    bundles = {name: context.environ[name] for name in _CAS if context.environ.get(name)}
    absent = [f"{name}={path}" for name, path in bundles.items() if not Path(path).exists()]
    if absent:
        return problem(
            f"No such file: {', '.join(absent)}.",
            "Point the variable at the CA certificates, or unset it.",
        )
    shown = [f"{n}={_CREDENTIALS.sub('(hidden)@', v)}" for n, v in (given | bundles).items()]
    if "SSL_CERT_FILE" in bundles and "AWS_CA_BUNDLE" not in bundles:
        return warning(
            f"{', '.join(shown)}: Terraform uses SSL_CERT_FILE, boto3 does not.",
            "Set AWS_CA_BUNDLE to the same file.",
        )
    bypassed = given.get("NO_PROXY", "")
    on_instance = context.environ.get("AWS_EC2_METADATA_DISABLED", "").lower() != "true"
    if "HTTPS_PROXY" in given and on_instance and _METADATA not in bypassed and bypassed != "*":
        return warning(
            f"{', '.join(shown)}: requests for instance credentials may go to the proxy.",
            f"On an EC2 instance add {_METADATA} to NO_PROXY.",
        )
    return ok(", ".join(shown) + "." if shown else "No proxy, the system's CAs.")


CHECK = DoctorCheck("network", _run)
