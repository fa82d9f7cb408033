"""What a setting of octo.yaml is, said once, on the model's field.

A field is ``Annotated[type, Setting("What it is.", Group.CUR)]``. Flags, environment variables,
the comments of a new octo.yaml, its JSON Schema and its documentation are derived from that.
"""

from __future__ import annotations

import types
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Annotated, Any, Literal, Union, get_args, get_origin

if TYPE_CHECKING:  # descriptions are read without pydantic, which takes a while to load
    from pydantic import BaseModel

_UNIONS = (Union, types.UnionType)


class Group(Enum):
    """What an option is about: the sections of help and documentation, in their order."""

    ACCOUNT = "Account"
    API_ACCESS = "API access"
    CUR = "CUR"
    LINKED_ACCOUNTS = "Linked accounts"
    OCTO = "Octo"
    TERRAFORM = "Terraform"
    OUTPUT = "Output"


@dataclass(frozen=True, eq=False)
class Setting:
    """A description of one field.

    Attributes:
        help: a sentence or a noun phrase, with its full stop.
        group: where help and documentation list it.
        example: a value as octo.yaml would have it.
        default: in words, what holds where neither octo.yaml nor the module says it.
        flag: the option; empty: as ``NamedSetting.flag`` derives it.
        common: whether plain ``--help`` shows it.
        module_input: whether the Terraform module has an input of that name.
        in_file_only: whether there is no option: it is set in octo.yaml, where it is reviewed.
    """

    help: str
    group: Group
    example: object = None
    default: str = ""
    flag: str = ""
    common: bool = False
    module_input: bool = True
    in_file_only: bool = False

    def __get_pydantic_json_schema__(
        self, core_schema: Any, handler: Callable[[Any], dict[str, Any]]
    ) -> dict[str, Any]:
        """Add the description to the JSON Schema of the field; pydantic calls this."""
        schema = {**handler(core_schema), "description": self.help}
        return schema if self.example is None else {**schema, "examples": [self.example]}


@dataclass(frozen=True)
class NamedSetting:
    """A setting with its place in octo.yaml.

    Attributes:
        name: the field's name, dotted for a nested one: ``credentials.profile``.
        type: the field's type, without ``None`` and annotations.
        required: whether octo.yaml, or the section around it, must have it.
    """

    name: str
    about: Setting
    type: Any
    default: object
    required: bool

    @property
    def repeated(self) -> bool:
        """Whether it holds several values: a list or a mapping."""
        return get_origin(self.type) in (list, dict)

    @property
    def choices(self) -> tuple[str, ...]:
        """The values that it may have; empty where any text, number or switch may be given."""
        return _choices(self.type)

    @property
    def default_text(self) -> str:
        """What holds where octo.yaml does not say it; empty where the module decides."""
        return self.about.default or (self.default if isinstance(self.default, str) else "")

    @property
    def sentence(self) -> str:
        """What it is, and what it may be."""
        return f"{self.about.help} ({', '.join(self.choices)})" if self.choices else self.about.help

    @property
    def flag(self) -> str:
        """The option that sets it, without a ``--no-`` form; empty: octo.yaml only.

        A nested setting has one only where its description names it.
        """
        fixed = self.about.in_file_only or "." in self.name or _sections(self.type)
        if self.about.flag or fixed:
            return self.about.flag
        return "--" + (self.name.removesuffix("s") if self.repeated else self.name).replace(
            "_", "-"
        )


def variable_of(flag: str) -> str:
    """Return the environment variable of an option: ``--account-id`` → ``OCTO_TF_ACCOUNT_ID``."""
    return "OCTO_TF_" + flag.lstrip("-").replace("-", "_").upper()


def settings_of(model: type[BaseModel], *parents: str) -> Iterator[NamedSetting]:
    """List the described fields of a model and of the models in it, in their order."""
    for name, field in model.model_fields.items():
        kind = _plain(field.annotation)
        for about in (part for part in field.metadata if isinstance(part, Setting)):
            dotted, required = ".".join((*parents, name)), field.is_required()
            yield NamedSetting(dotted, about, kind, field.get_default(), required)
        for section in _sections(kind):
            yield from settings_of(section, *parents, name)


def _plain(annotation: Any) -> Any:
    """``Annotated[X, ...] | None`` → ``X``."""
    if get_origin(annotation) is Annotated:
        return _plain(get_args(annotation)[0])
    if get_origin(annotation) in _UNIONS:
        members = [part for part in get_args(annotation) if part is not type(None)]
        return _plain(members[0]) if len(members) == 1 else annotation
    return annotation


def _sections(kind: Any) -> list[type[BaseModel]]:
    """Return the models that a field may hold."""
    members = get_args(kind) if get_origin(kind) in _UNIONS else (kind,)
    return [member for member in map(_plain, members) if hasattr(member, "model_fields")]


def _choices(kind: Any) -> tuple[str, ...]:
    if get_origin(kind) is Literal:
        return get_args(kind)
    if get_origin(kind) in (list, *_UNIONS):
        return tuple(choice for part in get_args(kind) for choice in _choices(_plain(part)))
    return ()
