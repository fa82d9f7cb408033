"""Render a registration into the root folder that Terraform runs in.

Structure comes from ``templates/root``; values only ever go into JSON files next to it, so no
value can change what the HCL means. (The provider's version must stand in HCL: it is written again
from its parsed parts.) What was rendered is parsed again with python-hcl2 and
compared with what was meant before anything is written.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jinja2

from orchestrator import assets
from orchestrator.errors import RenderError, writing
from orchestrator.files import TEMPORARY, read_regular, write_atomically
from orchestrator.model.account import AccountType
from orchestrator.model.module_contract.addresses import BUCKET, MODULE, block_of
from orchestrator.model.module_contract.outputs import APPLIED_INPUTS, Outputs
from orchestrator.model.registration import Registration, S3Backend, settings

VALUES = "terraform.tfvars.json"
SECRETS = "secrets.auto.tfvars.json"  # git-ignored by the rendered .gitignore
BACKEND = "backend.tfbackend.json"
IMPORTS = "imports.tf"
IMPORT_IDS = "imports.auto.tfvars.json"
_MODULE = "modules/octo"
_OF_ONE_RUN = (IMPORTS, IMPORT_IDS)
_SOMETIMES = (BACKEND, *_OF_ONE_RUN)


@dataclass(frozen=True)
class Root:
    """The content of a root folder, by path relative to it; ``secret`` names what to hide.

    ``meant`` holds what the templates were given: what the files must read back as.
    """

    files: dict[str, bytes]
    meant: dict[str, Any]
    secret: frozenset[str] = frozenset({SECRETS})

    @property
    def values(self) -> dict[str, Any]:
        """The root's variables by name, the secret ones included."""
        values: dict[str, Any] = {}
        for name in (VALUES, SECRETS, IMPORT_IDS):
            values |= json.loads(self.files.get(name, b"{}"))
        return values

    @property
    def backend_config(self) -> str | None:
        """The file for ``terraform init -backend-config``, if the backend has settings."""
        return BACKEND if BACKEND in self.files else None


def render(
    registration: Registration,
    account_type: AccountType,
    *,
    bucket_has_policy: bool | None = None,
    found: Mapping[str, Any] | None = None,
    allow_destroy: Collection[str] = (),
) -> Root:
    """Render the root folder's content; the same input gives the same bytes.

    Args:
        account_type: the type as identified, so that the module does not look it up.
        bucket_has_policy: whether the bucket has a policy today; None unless it is merged.
        found: inputs of the module that octo.yaml may leave out, as the account has them.
        allow_destroy: addresses whose ``prevent_destroy`` is lifted in this rendering.

    Raises:
        RenderError: an address in ``allow_destroy`` is not a resource of the module.
    """
    inputs = {
        **module_inputs(registration, account_type, bucket_has_policy=bucket_has_policy),
        **(found or {}),
    }
    variables, secrets = _variables(registration, inputs)
    providers = [("", "region")]
    if account_type != "linked" and registration.cur_s3_bucket_region != registration.region:
        providers.append(("cur_bucket", "cur_s3_bucket_region"))
    assume_role = registration.credentials.assume_role
    values: dict[str, Any] = {
        "backend": registration.backend.type,
        "provider_version": registration.provider_version,
        "providers": providers,
        "profile": registration.credentials.profile is not None,
        "assume_role": assume_role is not None,
        "assume_role_external_id": bool(assume_role and assume_role.external_id),
        "inputs": sorted(inputs),
        "width": max(map(len, inputs)),
        "variables": sorted({*variables, *secrets}),
        "sensitive": sorted(secrets),
        "outputs": sorted(Outputs.model_fields),
        "applied_inputs": APPLIED_INPUTS,
        # What AWS has changes by itself: whether the bucket has a policy, by the first apply.
        "applied": sorted((inputs.keys() & settings().keys()) - secrets.keys()),
        "imports": [],
    }
    files = {
        ".gitignore": _template("gitignore", values),
        "main.tf": _template("main.tf", values),
        "outputs.tf": _template("outputs.tf", values),
        "variables.tf": _template("variables.tf", values),
        VALUES: _json(variables),
        SECRETS: _json(secrets),
        **_module_files(),
    }
    if isinstance(registration.backend, S3Backend):
        files[BACKEND] = _json(_s3_backend(registration.backend))
    if allow_destroy:
        files |= _overrides(allow_destroy)
    return Root(files, values)


def importing(root: Root, ids: Mapping[str, str]) -> Root:
    """Add import blocks to a rendered root, for the next plan.

    Args:
        ids: the provider's import id of each resource, by its address in the root.
    """
    meant = {**root.meant, "imports": sorted(ids)}
    files = {
        **root.files,
        IMPORTS: _template(IMPORTS, meant),
        IMPORT_IDS: _json({"import_ids": dict(ids)}),
    }
    return Root(files, meant)


def module_inputs(
    registration: Registration, account_type: AccountType, *, bucket_has_policy: bool | None
) -> dict[str, Any]:
    """Return the module's inputs that are set, by name; the others keep the module's defaults."""
    no_inputs = {name for name, setting in settings().items() if not setting.about.module_input}
    given = registration.model_dump(mode="json", exclude=no_inputs, exclude_none=True)
    if registration.external_id is None:
        raise RenderError("the external id is not known", where=registration.account_id)
    given["external_id"] = registration.external_id.get_secret_value()
    if accepted := registration.accepted_external_ids:
        given["accepted_external_ids"] = sorted(i.get_secret_value() for i in accepted)
    given["account_type"] = account_type
    if bucket_has_policy is not None:
        given["cur_s3_bucket_has_policy"] = bucket_has_policy
    return given


def _variables(
    registration: Registration, inputs: dict[str, Any]
) -> tuple[dict[str, Any], dict[str, Any]]:
    variables = {**inputs, "region": registration.region}
    names = ("external_id", "accepted_external_ids")
    secrets = {name: variables.pop(name) for name in names if name in variables}
    if registration.credentials.profile:
        variables["profile"] = registration.credentials.profile
    if role := registration.credentials.assume_role:
        variables["assume_role_arn"] = role.role_arn
        variables["assume_role_session_name"] = role.session_name
        if role.external_id:
            secrets["assume_role_external_id"] = role.external_id
    return variables, secrets


def _s3_backend(backend: S3Backend) -> dict[str, Any]:
    settings = backend.model_dump(exclude={"type"}, exclude_none=True)
    return {**settings, "encrypt": True, "use_lockfile": True}


def _overrides(addresses: Collection[str]) -> dict[str, bytes]:
    """Render the override file of each module that declares one of the resources, by path."""
    resources: dict[str, set[tuple[str, str]]] = {}
    for address in addresses:
        block = block_of(address)
        if block is None:
            raise RenderError(
                f"{address!r} is not the address of a resource of the module",
                where="--allow-destroy",
                hint=f"Copy the address as the refusal shows it, like {MODULE}{BUCKET}.",
            )
        folder, kind, label = block
        resources.setdefault(folder, set()).add((kind, label))
    name = "allow_destroy_override.tf"
    return {
        f"{_MODULE}/{folder}/{name}": _template(name, {"resources": sorted(found)})
        for folder, found in resources.items()
    }


def _template(name: str, values: dict[str, Any]) -> bytes:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(assets.TEMPLATES / "root"),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,  # noqa: S701  (HCL, not HTML; and only names from our own code enter it)
    )
    return environment.get_template(f"{name}.j2").render(values).encode()


def _json(values: dict[str, Any]) -> bytes:
    return (json.dumps(values, indent=2, sort_keys=True, ensure_ascii=False) + "\n").encode()


def _module_files() -> dict[str, bytes]:
    """Read the module as shipped, without tests: the root folder needs nothing outside itself."""
    module = assets.MODULE
    return {
        f"{_MODULE}/{path.relative_to(module).as_posix()}": path.read_bytes()
        for path in sorted(module.rglob("*"))
        if path.is_file()
        and path.relative_to(module).parts[0] not in ("tests", "examples", "CHANGELOG.md")
        and not path.name.startswith(".")
    }


def read_back(root: Root) -> None:
    """Parse the rendered files and compare them with what the templates were given.

    Raises:
        RenderError: the files do not read back as meant.
    """
    # A third of the time before Terraform starts: only where something is written.
    import hcl2

    files, meant = root.files, root.meant
    parsed: dict[str, list[dict[str, Any]]] = {}
    for name in ("main.tf", "variables.tf", "outputs.tf", IMPORTS):
        for kind, blocks in hcl2.loads(files.get(name, b"").decode()).items():
            parsed.setdefault(kind, []).extend(blocks if isinstance(blocks, list) else [])
    (terraform,) = parsed["terraform"]
    (module,) = (_labelled(block, "octo") for block in parsed["module"])
    providers = [_labelled(block, "aws") for block in parsed["provider"]]
    inputs = {
        name: value
        for name, value in module.items()
        if name not in ("source", "providers") and not name.startswith("__")
    }
    differences = [
        name
        for name, read, wanted in (
            (
                "provider version",
                [_unquote(p["aws"]["version"]) for p in terraform["required_providers"]],
                [meant["provider_version"]],
            ),
            ("backend", [_unquote(k) for b in terraform["backend"] for k in b], [meant["backend"]]),
            ("module inputs", inputs, {name: f"${{var.{name}}}" for name in meant["inputs"]}),
            (
                "providers",
                [(p.get("region"), p.get("allowed_account_ids")) for p in providers],
                [(f"${{var.{region}}}", ["${var.account_id}"]) for _, region in meant["providers"]],
            ),
            ("variables", _labels(parsed["variable"]), sorted(root.values)),
            (
                "outputs",
                _labels(parsed["output"]),
                sorted([*meant["outputs"], meant["applied_inputs"]]),
            ),
            (
                "imports",
                [block["to"] for block in parsed.get("import", [])],
                [f"${{{address}}}" for address in meant["imports"]],
            ),
        )
        if read != wanted
    ]
    if differences:
        raise RenderError(
            f"the rendered root does not read back as meant: {', '.join(differences)}",
            where=str(assets.TEMPLATES / "root"),
            hint="The templates were changed or damaged: reinstall octo-tf.",
        )


def _labelled(block: dict[str, Any], label: str) -> dict[str, Any]:
    ((name, body),) = ((k, v) for k, v in block.items() if not k.startswith("__"))
    return body if _unquote(name) == label else {}


def _labels(blocks: list[dict[str, Any]]) -> list[str]:
    return sorted(_unquote(k) for block in blocks for k in block if not k.startswith("__"))


def _unquote(text: str) -> str:
    return text.strip('"')


def write(root: Root, folder: Path) -> list[str]:
    """Bring ``folder`` up to date; each file is replaced in one step, and only if it differs.

    If anything differs, the root is read back by python-hcl2 before anything is written.

    Files of the module that are no longer rendered are removed; everything else in the folder
    (state, lock file, ledger) is left alone.

    Returns:
        The paths that were written or removed.

    Raises:
        RenderError: the folder cannot be written, or the files do not read back as meant.
    """
    changed = []
    with writing(folder, RenderError):
        outdated = _outdated(root, folder)
        if outdated:
            read_back(root)
        for leftover in folder.rglob(f".*{TEMPORARY}"):
            leftover.unlink()  # of a run that was killed while it wrote
        for name in outdated:
            path = folder / name
            if name in root.files:
                write_atomically(path, root.files[name])
            else:
                path.unlink()
            changed.append(name)
    return changed


def diff(root: Root, folder: Path) -> str:
    """Show what ``write`` would change as a unified diff, without secret values.

    A secret file that is absent is not a difference: in a pipeline only the rest is committed.
    """
    lines: list[str] = []
    for name in _outdated(root, folder):
        path = folder / name
        if name in _OF_ONE_RUN:
            continue
        if name in root.secret:
            if path.exists():
                lines.append(f"{name}: differs (secret, not shown)")
            continue
        lines += difflib.unified_diff(
            _lines(read_regular(path)) if path.exists() else [],
            _lines(root.files.get(name, b"")),
            f"{name} (folder)",
            f"{name} (rendered)",
            lineterm="",
        )
    return "\n".join(lines)


def _outdated(root: Root, folder: Path) -> list[str]:
    stale = {
        path.relative_to(folder).as_posix()
        for path in (folder / _MODULE).rglob("*")
        if path.is_file()
    } - root.files.keys()
    stale |= {name for name in _SOMETIMES if (folder / name).exists()} - root.files.keys()
    different = {
        name
        for name, content in root.files.items()
        if not (folder / name).is_file() or read_regular(folder / name) != content
    }
    return sorted(stale | different)


def _lines(content: bytes) -> list[str]:
    return content.decode(errors="replace").splitlines()
