"""credentials: AWS knows the credentials."""

from orchestrator.aws.errors import explained
from orchestrator.aws.sts import caller_identity
from orchestrator.doctor.model import DoctorCheck, DoctorContext, DoctorResult, ok


def _run(context: DoctorContext) -> DoctorResult:
    _, aws = context.configured()
    with explained("asking AWS whose credentials these are"):
        return ok(f"{caller_identity(aws)['Arn']}.")


CHECK = DoctorCheck("credentials", _run)
