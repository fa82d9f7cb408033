"""provider: the source of the AWS provider, a mirror or a registry, is available."""

import urllib.error
import urllib.request

from orchestrator.doctor.model import DoctorCheck, DoctorContext, DoctorResult, ok, warning
from orchestrator.terraform import binary, provider_lock

_TIMEOUT = 3.0  # seconds


def _run(context: DoctorContext) -> DoctorResult:
    program = binary.find(context.tf_path, context.environ)
    wanted = context.provider_version
    address = binary.provider_address(program)
    provider_lock.check(context.folder, address, wanted)
    provider = f"The AWS provider ({wanted})"
    if locked := provider_lock.version_with_endless_changes(context.folder, address):
        return warning(
            f"The folder is locked to {binary.PROVIDER} {locked}, which plans a change of a new"
            " bucket's encryption in every run.",
            "Set provider_version in octo.yaml to '>= 6.40.0, < 7.0.0', delete"
            f" {provider_lock.NAME} and run octo-tf plan.",
        )
    source = binary.provider_source(program, context.environ, wanted)
    if source != binary.FROM_REGISTRY:
        return ok(f"{provider} comes from {source}.")
    registry = binary.registry_of(program)
    try:
        # A plain HTTPS request to a fixed host, by the system's proxy settings.
        with urllib.request.urlopen(
            f"https://{registry}/.well-known/terraform.json", timeout=_TIMEOUT
        ):
            return ok(f"{provider} comes from {registry}, which answers.")
    except (urllib.error.URLError, OSError) as error:
        reason = getattr(error, "reason", error)
        return warning(
            f"{provider} would come from {registry}, which does not answer ({reason}).",
            binary.other_layouts(program, wanted)
            or "Name a folder that holds it in OCTO_TF_PROVIDER_MIRROR (terraform providers mirror"
            " makes one), or check the network; a folder initialized before still works.",
        )


CHECK = DoctorCheck("provider", _run)
