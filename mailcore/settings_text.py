"""The settings as text: the sample file with every default, and what is in effect with where it comes from.

Both are TOML.  In the sample every setting is commented out, so that a later version's default holds for who copied
it; what is in effect shows no password.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import fields
from typing import Any

from mailcore.hidden import hide_passwords
from mailcore.settings import Settings, given, sections_of_settings

_HEAD = """\
# The settings of kopano-dagent, kopano-mr-accept, kopano-spooler and kopano-admin.
#
# Every setting is here with its default, commented out.  The file is /etc/kopano/kopano.toml or what --config names;
# an environment variable DAGENT_<SECTION>_<SETTING> overrides it.  `kopano-dagent --check-config` tells what is
# wrong with a file, `kopano-dagent --dump-config` what is in effect and why.
"""


def sample_text() -> str:
    """The sample file: each setting with its meaning, unit, example and default."""
    parts = [_HEAD]
    for name, section in sections_of_settings().items():
        title = (section.__doc__ or "").partition(": ")[2]
        parts.append(f"\n[{name}]  # {title}\n")
        parts += [f"\n{_sample_of(declared)}" for declared in fields(section)]
    return "".join(parts)


def _sample_of(declared: Any) -> str:
    said = declared.metadata
    lines = [said["meaning"]]
    if said["unit"]:
        lines.append(f"Unit: {said['unit']}.")
    if said["choices"]:
        lines.append(f"One of: {', '.join(said['choices'])}.")
    if said["example"] != declared.default:
        lines.append(f"Example: {declared.name} = {toml_value(said['example'])}")
    if not said["live"]:
        lines.append("A change takes a restart.")
    comment = "".join(f"# {line}\n" for line in lines)
    return f"{comment}#{declared.name} = {toml_value(declared.default)}\n"


def dump_text(
    settings: Settings, document: Mapping[str, Any], environ: Mapping[str, str], source: str
) -> str:
    """The settings in effect, each with the place that said so: a variable, a file, or the default."""
    database = hide_passwords(settings.database_url)
    parts = [f"# The data directory is {settings.data_directory}, the database {database}.\n"]
    for name in sections_of_settings():
        table = document.get(name, {})
        lines = _dump_section(name, getattr(settings, name), table, environ, source)
        parts.append(f"[{name}]\n" + "".join(f"{line}\n" for line in lines))
    return "\n".join(parts)


def _dump_section(
    name: str, section: Any, table: Mapping[str, Any], environ: Mapping[str, str], source: str
) -> Iterator[str]:
    for declared in fields(section):
        said = given(name, declared.name, table, environ, source)
        place = "default" if said is None else said[1].partition(": [")[0]
        value = getattr(section, declared.name)
        shown = hide_passwords(value) if isinstance(value, str) else value
        if value and declared.metadata["secret"]:
            shown = "***"
        yield f"{declared.name} = {toml_value(shown)}  # {place}"


def toml_value(value: str | float) -> str:
    """A text, a switch, a whole number or a number as TOML writes it.

    >>> print(toml_value('say "a"'), toml_value(True), toml_value(5), toml_value(0.5))
    "say \\"a\\"" true 5 0.5
    """
    if isinstance(value, bool):
        return str(value).lower()
    if not isinstance(value, str):
        return repr(value)
    # A TOML basic string is a JSON string, except for DEL and for surrogate pairs.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
