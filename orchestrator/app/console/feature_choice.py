"""Choose what Octo can do, by the names of its features."""

from __future__ import annotations

from orchestrator.app.console.flow import ConsoleFlow
from orchestrator.app.console.prompter import Prompter
from orchestrator.app.console.report_bucket import Save
from orchestrator.model.module_contract.feature_permissions import offered
from orchestrator.model.module_contract.features import table

_ALWAYS, _TERRAFORM_ONLY = "cost", "execution"


def choose_features(flow: ConsoleFlow, prompter: Prompter, save: Save) -> None:
    """Ask which features the account is to have, and save them; the template follows them."""
    names = [name for name in table().features if name not in (_ALWAYS, _TERRAFORM_ONLY)]
    for line in offered(names):
        prompter.tell(f"  {line}")
    while True:
        answer = prompter.answer("Features, with commas between", _ALWAYS)
        chosen = {name.strip() for name in answer.split(",")} - {""}
        if chosen <= {_ALWAYS, *names}:
            break
        unknown = sorted(chosen - {_ALWAYS, *names})
        prompter.tell(f"  There is no {', '.join(unknown)} here; there are: {', '.join(names)}.")
    features = sorted({_ALWAYS, *chosen})
    flow.choose(features=features)
    save({"features": features})
    for name in features:
        for notice in table().features[name].notices:
            prompter.tell(f"  Note on {name}: {notice}")
