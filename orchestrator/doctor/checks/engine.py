"""engine: there is a Terraform of a supported version."""

from orchestrator.doctor.model import DoctorCheck, DoctorContext, DoctorResult, ok
from orchestrator.terraform import binary, embedded


def _run(context: DoctorContext) -> DoctorResult:
    found = binary.find(context.tf_path, context.environ)
    kind = "embedded " if found.command == embedded.command() else ""
    return ok(f"{kind}{found.product} {found.version_text}: {found.path}.")


CHECK = DoctorCheck("engine", _run)
