"""provider: where the AWS provider will come from."""

import urllib.error
import urllib.request

from orchestrator.doctor.model import Check, Line, Patient, Status
from orchestrator.terraform import binary, provider_lock

_TIMEOUT = 3.0  # seconds


def _run(patient: Patient) -> Line:
    program = binary.find(patient.tf_path, patient.environ)
    wanted = patient.provider_version
    provider_lock.check(patient.folder, binary.provider_address(program), wanted)
    provider = f"The AWS provider ({wanted})"
    source = binary.provider_source(program, patient.environ, wanted)
    if source != binary.FROM_REGISTRY:
        return Line(Status.OK, f"{provider} comes from {source}.")
    registry = binary.registry_of(program)
    try:
        # A plain HTTPS request to a fixed host, by the system's proxy settings.
        with urllib.request.urlopen(
            f"https://{registry}/.well-known/terraform.json", timeout=_TIMEOUT
        ):
            return Line(Status.OK, f"{provider} comes from {registry}, which answers.")
    except (urllib.error.URLError, OSError) as error:
        reason = getattr(error, "reason", error)
        return Line(
            Status.WARNING,
            f"{provider} would come from {registry}, which does not answer ({reason}).",
            "Name a folder that holds it in OCTO_TF_PROVIDER_MIRROR (terraform providers mirror"
            " makes one), or see to the network; a folder initialised before still works.",
        )


CHECK = Check("provider", _run)
