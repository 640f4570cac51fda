"""Strict YAML <-> typed configs: every key is known, every value has its type, every mistake has one line.

A config class composes frozen `StrictConfig`s; a preset (a YAML file packaged in farm3d.configs) or a
user's file holds only what differs from the defaults, or from a parent that it names with `base: NAME`.
"""

import difflib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, ConfigDict, ValidationError

from farm3d.errors import ConfigError
from farm3d.yaml_text import dump_yaml, parse_yaml

PRESET_PACKAGE = "farm3d.configs"


class StrictConfig(BaseModel):
    """Base of every config: frozen, unknown keys refused, no infinities (an absent value is `None`)."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


ConfigT = TypeVar("ConfigT", bound=StrictConfig)
Values = dict[str, Any]


@dataclass(frozen=True)
class _Layer:
    """The values that one file or one `key=value` sets, and its name for messages."""

    source: str
    values: Values


def load_config(
    config_class: type[ConfigT], *, preset_or_file: str | None = None, overrides: Sequence[str] = ()
) -> ConfigT:
    """The defaults of `config_class`, changed by a preset or file, changed by `key.key=value` overrides.

    A name that ends in .yaml or .yml is a file, any other a packaged preset (`horse`, `small/horse`).
    Raises ConfigError, in one line, for an unknown preset, key or type.
    """
    layers = [] if preset_or_file is None else _read_with_parents(preset_or_file)
    layers += [_parse_override(config_class, text) for text in overrides]
    return _resolve(config_class, layers)


def parse_config(config_class: type[ConfigT], values: Mapping[str, Any], *, source: str) -> ConfigT:
    """The config that plain values (a checkpoint's metadata) describe; `source` names them in errors.

    Raises ConfigError for an unknown key or a wrong type.
    """
    return _resolve(config_class, [_Layer(source, dict(values))])


def plain_values(config: StrictConfig) -> Values:
    """The resolved config as dictionaries, lists, strings and numbers, in the order of its fields."""
    return config.model_dump(mode="json", by_alias=True)


def dump_config(config: StrictConfig) -> str:
    """The resolved config as YAML that loads back equal."""
    return dump_yaml(plain_values(config))


def preset_names() -> list[str]:
    """The packaged presets, sorted: `horse`, `small/horse`, `tiny`."""
    root = resources.files(PRESET_PACKAGE)
    folders = [("", root)] + [(f"{entry.name}/", entry) for entry in root.iterdir() if entry.is_dir()]
    names = (f"{prefix}{entry.name}" for prefix, folder in folders for entry in folder.iterdir())
    return sorted(name.removesuffix(".yaml") for name in names if name.endswith(".yaml"))


def _resolve(config_class: type[ConfigT], layers: Sequence[_Layer]) -> ConfigT:
    merged: Values = {}
    for layer in layers:
        _refuse_unknown_keys(config_class, layer)
        merged = _merge(config_class, merged, layer.values)
    try:
        # JSON's strict rules fit YAML: a list is a tuple, 1 is a float, but "1" and true are no numbers.
        return config_class.model_validate_json(json.dumps(merged), strict=True)
    except ValidationError as error:
        raise ConfigError(_describe(error, layers)) from None


def _read_with_parents(preset_or_file: str) -> list[_Layer]:
    """The layers of a preset or file, its base's first."""
    layers: list[_Layer] = []
    name: object = preset_or_file
    seen: list[str] = []
    while name is not None:
        if not isinstance(name, str):
            raise ConfigError(f"{seen[-1]}: base: {name!r} is not the name of a preset or file")
        if name in seen:
            raise ConfigError(f"{seen[-1]}: base: {name} leads back to itself ({' -> '.join([*seen, name])})")
        seen.append(name)
        layer = _read_layer(name)
        base = layer.values.pop("base", None)
        layers.insert(0, layer)
        name = _beside(layer.source, base) if _is_file_name(base) else base
    return layers


def _is_file_name(name: object) -> bool:
    return isinstance(name, str) and name.endswith((".yaml", ".yml"))


def _beside(source: str, name: str) -> str:
    """A base that is a file is looked for from the folder of the file that names it."""
    return str(Path(source).parent / name)


def _read_layer(name: str) -> _Layer:
    if _is_file_name(name):
        try:
            text = Path(name).read_text(encoding="utf-8")
        except OSError as error:
            raise ConfigError(f"{name}: {error.strerror or error}") from None
        except UnicodeDecodeError:
            raise ConfigError(f"{name}: not a text file") from None
    elif name in (known := preset_names()):
        text = resources.files(PRESET_PACKAGE).joinpath(f"{name}.yaml").read_text(encoding="utf-8")
    else:
        hint = _nearest(name, known) or f"the presets are {', '.join(known)}"
        raise ConfigError(f"no preset is called {name!r}; {hint} (a file's name ends in .yaml)")
    values = parse_yaml(text, source=name)
    if not isinstance(values, dict | None):
        raise ConfigError(f"{name}: expected `key: value` lines, found {_kind(values)}")
    return _Layer(name, values or {})


def _parse_override(config_class: type[StrictConfig], text: str) -> _Layer:
    path, separator, value_text = text.partition("=")
    keys = path.strip().split(".")
    if not separator or not all(keys):
        raise ConfigError(f"{text!r}: an override is written key=value or key.key=value")
    values: Any = parse_yaml(value_text, source=text)
    for key in reversed(keys):
        values = {key: values}
    return _Layer(f"override {text}", values)


def _merge(config_class: type[BaseModel], base: Values, change: Values) -> Values:
    """`change` over `base`: nested configs key by key; every other value, a schedule too, as a whole."""
    merged = dict(base)
    for key, value in change.items():
        nested = _nested_config(config_class, key)
        if nested and isinstance(value, dict) and isinstance(base.get(key), dict):
            merged[key] = _merge(nested, base[key], value)
        else:
            merged[key] = value
    return merged


def _nested_config(config_class: type[BaseModel], key: str) -> type[StrictConfig] | None:
    """The config class of a field that holds one (or one or `None`)."""
    field = config_class.model_fields.get(key)
    candidates = () if field is None else (field.annotation, *get_args(field.annotation))
    return next((c for c in candidates if isinstance(c, type) and issubclass(c, StrictConfig)), None)


def _refuse_unknown_keys(config_class: type[StrictConfig], layer: _Layer) -> None:
    for path, siblings in _unknown_keys(config_class, layer.values, ()):
        known = [".".join((*path[:-1], key)) for key in siblings]
        elsewhere = [dotted for dotted in _dotted_keys(config_class) if dotted.split(".")[-1] == path[-1]]
        hint = _suggestion(elsewhere[0]) if elsewhere else _nearest(".".join(path), known)
        raise ConfigError(
            f"{layer.source}: unknown key {'.'.join(path)!r}; {hint or 'known here: ' + ', '.join(siblings)}"
        )


def _unknown_keys(
    config_class: type[BaseModel], values: Values, path: tuple[str, ...]
) -> Iterator[tuple[tuple[str, ...], list[str]]]:
    """Paths of unknown keys, each with the keys that are known at its place."""
    for key, value in values.items():
        if key not in config_class.model_fields:
            yield (*path, str(key)), list(config_class.model_fields)
        elif (nested := _nested_config(config_class, key)) and isinstance(value, dict):
            yield from _unknown_keys(nested, value, (*path, key))


def _dotted_keys(config_class: type[BaseModel], prefix: str = "") -> Iterator[str]:
    for key in config_class.model_fields:
        yield f"{prefix}{key}"
        if nested := _nested_config(config_class, key):
            yield from _dotted_keys(nested, f"{prefix}{key}.")


def _nearest(word: str, known: Sequence[str]) -> str:
    matches = difflib.get_close_matches(word, known, n=1)
    return _suggestion(matches[0]) if matches else ""


def _suggestion(name: str) -> str:
    return f"did you mean {name!r}?"


def _describe(error: ValidationError, layers: Sequence[_Layer]) -> str:
    """The first mistake of a validation as one line: where it stands, what is wrong, what was given."""
    details = error.errors(include_url=False)
    first = details[0]
    path, value, source = _locate(first["loc"], layers)
    message = first["msg"].removeprefix("Value error, ")
    if first["type"] == "missing":
        message = f"the key {first['loc'][-1]!r} is missing"
    given = "" if isinstance(value, dict) else f", not {_kind(value)} {value!r}"
    more = f" (and {len(details) - 1} more)" if len(details) > 1 else ""
    return f"{source}: {path}: {message}{given}{more}" if path else f"{source}: {message}{more}"


def _locate(location: tuple[int | str, ...], layers: Sequence[_Layer]) -> tuple[str, Any, str]:
    """The dotted path of a mistake, the value there, and the source that set it last.

    pydantic's locations also hold the names of a union's members, which no key in the values matches.
    """
    traces = [(*_trace(location, layer.values), layer.source) for layer in reversed(layers)]
    path, value, source = max(traces, key=lambda trace: len(trace[0]), default=([], None, "the defaults"))
    return ".".join(path), value, source


def _trace(location: tuple[int | str, ...], value: Any) -> tuple[list[str], Any]:
    """The steps of `location` that exist in `value`, and what stands at their end."""
    path: list[str] = []
    for step in location:
        if (isinstance(value, dict) and step in value) or (isinstance(value, list) and isinstance(step, int)):
            value = value[step]  # type: ignore[index]
            path.append(str(step))
    return path, value


def _kind(value: object) -> str:
    names = {
        dict: "a mapping",
        list: "a list",
        str: "the text",
        bool: "the truth value",
        type(None): "nothing:",
    }
    return names.get(type(value), "the number")
