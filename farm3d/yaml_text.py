"""YAML without its traps: 1.2's scalars, no key twice, plain values only."""

import json
import re
from typing import Any

import yaml

from farm3d.errors import ConfigError


def parse_yaml(text: str, *, source: str) -> Any:
    """The dictionaries, lists, texts, numbers and truth values that `text` writes.

    Raises ConfigError, naming `source`, for what is not YAML, a key that stands twice or is not text,
    and values that are neither of these (dates, sets, bytes).
    """
    try:
        values = yaml.load(text, Loader=_StrictLoader)
        json.dumps(values)
    except (yaml.YAMLError, TypeError, ValueError) as error:
        raise ConfigError(f"{source}: not valid YAML: {' '.join(str(error).split())}") from None
    return values


def dump_yaml(values: Any) -> str:
    """Plain values as YAML that `parse_yaml` reads back equal, keys in their own order."""
    return yaml.dump(values, Dumper=_StrictDumper, sort_keys=False, allow_unicode=True)


class _StrictLoader(yaml.SafeLoader):
    """Reads YAML 1.2's scalars (1e-4 is a number, `no` is text, there are no dates) and no key twice."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        for index, key in enumerate(keys):
            if not isinstance(key, str):
                raise yaml.constructor.ConstructorError(
                    None, None, f"the key {key!r} is not text", node.start_mark
                )
            if key in keys[:index]:
                raise yaml.constructor.ConstructorError(
                    None, None, f"the key {key!r} stands twice", node.start_mark
                )
        return super().construct_mapping(node, deep)


class _StrictDumper(yaml.SafeDumper):
    """Quotes every text that YAML 1.1 or 1.2 would read as something else."""

    def represent_str(self, data: str) -> yaml.ScalarNode:
        """Between double quotes, where they are escaped, texts with Unicode's own line breaks."""
        style = '"' if any(ending in data for ending in "\x85\u2028\u2029") else None
        return self.represent_scalar("tag:yaml.org,2002:str", data, style=style)


_StrictDumper.add_representer(str, _StrictDumper.represent_str)

_SCALARS = {
    "null": r"null|Null|NULL|~|",
    "bool": r"true|True|TRUE|false|False|FALSE",
    "int": r"[-+]?[0-9]+",
    "float": r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|[-+]?\.inf|\.nan",
}
_StrictLoader.yaml_implicit_resolvers = {}
# The dumper keeps YAML 1.1's besides: other readers of the file know only those.
for _name, _pattern in _SCALARS.items():
    for _class in (_StrictLoader, _StrictDumper):
        _class.add_implicit_resolver(f"tag:yaml.org,2002:{_name}", re.compile(f"^(?:{_pattern})$"), None)
