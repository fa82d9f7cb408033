"""clock: the machine's time is close enough to AWS's for signatures to be accepted."""

from orchestrator.aws.sts import server_time
from orchestrator.doctor.model import (
    DoctorCheck,
    DoctorContext,
    DoctorResult,
    ok,
    problem,
    warning,
)

# AWS refuses signatures more than five minutes off
# (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-troubleshooting.html).
_REFUSED_SECONDS = 300
_WARNING_SECONDS = 60


def _run(context: DoctorContext) -> DoctorResult:
    _, aws = context.configured()
    time = server_time(aws)
    if time is None:
        return warning("AWS's answer has no date.", "Compare the clock by hand.")
    return judge(context.now() - time.timestamp())


def judge(seconds: float) -> DoctorResult:
    """Judge a clock that is ``seconds`` ahead of AWS's."""
    off = f"The clock is {abs(seconds):.0f} s {'ahead of' if seconds > 0 else 'behind'} AWS's."
    fix = "Set the clock, best by NTP."
    if abs(seconds) > _REFUSED_SECONDS:
        return problem(f"{off} AWS refuses signatures that far off.", fix)
    if abs(seconds) > _WARNING_SECONDS:
        return warning(off, fix)
    return ok("The clock agrees with AWS's.")


CHECK = DoctorCheck("clock", _run)
