"""Draw docs/images/modules.svg out of the code: each package's modules in bands, of which each imports only lower ones.

The bands of the server, the frontend and the scripts are the layers of the import contracts in pyproject.toml; the
builder has no such contract, so its bands are counted: a module stands one above the highest that it imports.
"""

import ast
import tomllib
from collections.abc import Iterator
from html import escape
from pathlib import Path

import grimp

ROOT = Path(__file__).parents[1]
PICTURE = ROOT / "docs" / "images" / "modules.svg"
LEFT, RIGHT, WHOLE = (20, 580), (620, 440), (20, 1040)
"""Columns: where they begin, and how wide they are, in pixels."""
ROW, BOX, BAND, GAP, PAD, HEAD, LETTER = 27, 21, 4, 6, 12, 50, 7.3

Layers = list[list[str]]


def read_layers(package: str) -> Layers:
    """Return a package's modules as the import contracts lay them out, the highest first."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    layers = next(each["layers"] for each in contracts if each.get("containers") == [package])
    return [[name.strip() for name in layer.split("|")] for layer in layers]


def count_layers(package: str) -> Layers:
    """Return a package's modules by how many stand below them, the highest first."""
    graph = grimp.build_graph(package)
    names = sorted(graph.find_children(package))
    for name in names:
        graph.squash_module(name)

    def height(name: str) -> int:
        below = graph.find_modules_directly_imported_by(name) & set(names)
        return 1 + max(map(height, below), default=0)

    heights = {name: height(name) for name in names}
    levels = sorted(set(heights.values()), reverse=True)
    return [[name.rpartition(".")[2] for name in names if heights[name] == level] for level in levels]


def draw() -> str:
    """Return the picture."""
    server, left = _draw_package("model_server", read_layers("model_server"), *LEFT, 20)
    frontend, right = _draw_package("frontend", read_layers("frontend"), *RIGHT, 20)
    shared, right = _draw_package("http_connection", count_layers("http_connection"), *RIGHT, right)
    scripts, right = _draw_package("scripts", read_layers("scripts"), *RIGHT, right)
    builder, bottom = _draw_package("model_builder", count_layers("model_builder"), *WHOLE, max(left, right))
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1080 {bottom}" role="img" '
            'font-family="ui-monospace, Menlo, Consolas, monospace" font-size="12">',
            "<title>The modules of each package; every band imports only lower ones</title>",
            f'<rect width="1080" height="{bottom}" fill="#fff"/>',
            *server,
            *frontend,
            *shared,
            *scripts,
            *builder,
            "</svg>\n",
        ]
    )


def _draw_package(package: str, layers: Layers, left: int, width: int, top: int) -> tuple[list[str], int]:
    """Return a package's card, and where the next may begin."""
    bands = [list(_wrap(layer, width - 3 * PAD)) for layer in layers]
    height = HEAD + sum(ROW * len(lines) + BAND for lines in bands) + PAD - BAND
    code = ast.parse((ROOT / package / "__init__.py").read_text())
    says = escape((ast.get_docstring(code) or "").partition(":")[0].rstrip("."))
    drawn = [
        f'<rect x="{left}" y="{top}" width="{width}" height="{height}" rx="8" fill="#eef1f3" stroke="#c5ced4"/>',
        f'<text x="{left + PAD}" y="{top + 21}" fill="#1c262c" font-weight="bold" font-size="13">{package}</text>',
        f'<text x="{left + PAD}" y="{top + 39}" fill="#53626b" font-family="sans-serif">{says}</text>',
    ]
    line_top = top + HEAD
    for lines in bands:
        band = ROW * len(lines)
        box = f'x="{left + PAD - GAP}" y="{line_top}" width="{width - 2 * PAD + 2 * GAP}" height="{band}"'
        drawn.append(f'<rect {box} rx="5" fill="#fff"/>')
        for number, names in enumerate(lines):
            drawn += _draw_line(names, left + PAD, line_top + number * ROW + (ROW - BOX) // 2)
        line_top += band + BAND
    return drawn, top + height + 20


def _wrap(layer: list[str], width: float) -> Iterator[list[str]]:
    line: list[str] = []
    for name in layer:
        if line and sum(map(_measure, [*line, name])) > width:
            yield line
            line = []
        line.append(name)
    yield line


def _draw_line(names: list[str], left: float, top: int) -> Iterator[str]:
    for name in names:
        width = _measure(name) - GAP
        yield f'<rect x="{left:g}" y="{top}" width="{width:g}" height="{BOX}" rx="4" fill="#dcebf5" stroke="#9dbfd6"/>'
        yield f'<text x="{left + width / 2:g}" y="{top + 15}" text-anchor="middle" fill="#12374f">{name}</text>'
        left += width + GAP


def _measure(name: str) -> float:
    return round(LETTER * len(name) + 2 * PAD - 8 + GAP, 1)


if __name__ == "__main__":
    PICTURE.write_text(draw())
