"""Scripts and styles of the dashboard's pages: its own, the report's, and the charts' library."""

import hashlib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from pipeline.report.report import SCRIPTS, STYLES, asset

OWN = ("dashboard.css", "dashboard.js", "waiting.js", "listen.css", "listen.js", "player.js")
PLOTLY = "plotly.js"
ASSETS = frozenset((*OWN, *STYLES, *SCRIPTS, PLOTLY))
"""All that is served; nothing else is looked for."""


@dataclass(frozen=True, slots=True)
class Asset:
    """One file, as a browser gets it."""

    content: bytes
    media_type: str

    @property
    def etag(self) -> str:
        """What names this content."""
        return f'"{hashlib.sha256(self.content).hexdigest()[:16]}"'


@cache
def asset_of(name: str) -> Asset:
    """Return one of ``ASSETS``."""
    media_type = "text/css" if name.endswith(".css") else "text/javascript"
    return Asset(_text_of(name).encode(), media_type)


def _text_of(name: str) -> str:
    if name == PLOTLY:
        from plotly.offline import get_plotlyjs  # noqa: PLC0415 - megabytes

        library: str = get_plotlyjs()
        return library
    if name in OWN:
        return (files("pipeline.dashboard") / "assets" / name).read_text(encoding="utf-8")
    return asset(name)
