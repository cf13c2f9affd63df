"""Drawings: figures are plain JSON that plotly's own bundled script draws in the browser; nothing is drawn in this process.

A page says the same in a table for whom scripts are off, and for print.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import TypeAlias

import msgspec
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import BaseRoute, Route

from surefoot.errors import NotFound

Values: TypeAlias = Sequence[float | int | str | None]


def figure(traces: Sequence[Mapping[str, object]], **layout: object) -> str:
    """A figure as the JSON that `static/charts.js` takes; colours named "--accent" are those of the page's scheme."""
    return msgspec.json.encode({"data": traces, "layout": layout}).decode()


def bars(name: str, x: Values, y: Values, colour: str, unit: str = "") -> dict[str, object]:
    """Bars that stand on those of the traces before."""
    return {
        "type": "bar", "name": name, "x": x, "y": y, "marker": {"color": colour},
        "hovertemplate": f"%{{x}}<br>%{{y:,}}{unit} %{{fullData.name}}<extra></extra>",
    }  # fmt: skip


async def script(_request: Request) -> Response:
    """The bundled script of the installed plotly, as it is; a browser keeps it for a day."""
    return FileResponse(
        _bundled(), media_type="text/javascript", headers={"cache-control": "private, max-age=86400"}
    )  # fmt: skip


@cache
def _bundled() -> Path:
    """Found without importing plotly, which takes longer to start than we do. Raises NotFound."""
    found = find_spec("plotly")
    if found is None or found.origin is None:
        raise NotFound("plotly is not installed: figures are shown as tables")
    return Path(found.origin).parent / "package_data" / "plotly.min.js"


routes: Sequence[BaseRoute] = (Route("/static/plotly.min.js", script, methods=["GET"]),)
