"""``[maps.<name>]``: a map that several rules use; ``map = "<name>"`` stands for it."""

from __future__ import annotations

from collections.abc import Mapping

from matcher.errors import nearest, shown
from matcher.toml_lines import header_of
from service.intake.errors import MappingError

MAPS = "maps"


def shared_maps(values: Mapping[str, object], source: str, lines: dict[str, int]) -> dict[str, object]:
    """Return the values of a mapping file without ``[maps]``, each name of a map replaced by the map.

    `lines` gets the line of the shared map for the place where it is used.

    Raises
    ------
    MappingError
        If a map is named that is not there, or one is there that nobody names.
    """
    maps = values.get(MAPS, {})
    if not isinstance(maps, dict) or not all(isinstance(table, dict) for table in maps.values()):
        raise MappingError(f"{source}, [{MAPS}]: found no tables; expected maps by name, e.g. [{MAPS}.conditions]")
    used: set[str] = set()

    def resolve(value: object, path: tuple[str, ...]) -> object:
        if not isinstance(value, dict):
            return value
        if "column" not in value and "columns" not in value:
            return {key: resolve(inner, (*path, key)) for key, inner in value.items()}
        name = value.get("map")
        if not isinstance(name, str):
            return value
        _find(name, maps, path, source, lines)
        used.add(name)
        return value | {"map": maps[name]}

    resolved = {key: resolve(value, (key,)) for key, value in values.items() if key != MAPS}
    for name in maps:
        if name not in used:
            raise MappingError(f"{source}, [{header_of(MAPS, name)}]: no rule uses this map; name it or remove it")
    return resolved


def _find(name: str, maps: Mapping[str, object], path: tuple[str, ...], source: str, lines: dict[str, int]) -> None:
    """Refuse the name of no map; note the line of the map for the rule at `path`."""
    header = header_of(*path)
    if name not in maps:
        where = f"{source}, line {lines[header]}" if header in lines else source
        raise MappingError(
            f"{where}, [{header}] map: found {shown(name)}; expected a table, or the name of one in [{MAPS}]"
            f"{nearest(name, maps)}"
        )
    line = lines.get(header_of(MAPS, name))
    if line is not None:
        lines[header_of(*path, "map")] = line
