"""The page as an app on a telephone: what a browser wants to know to install it (W3C, Web Application Manifest)."""

from typing import Final

import msgspec

from cloud_api.settings import Settings
from cloud_api.web.asked import Asked
from cloud_api.web.words import Words

MANIFEST_TYPE: Final = "application/manifest+json"
GROUND: Final = "#f5f7f6"
"""As in the style sheet."""
THEME: Final = "#0b5a6f"


def manifest(settings: Settings, words: Words, assets: str) -> bytes:
    """The manifest in one language, as JSON; `assets`: where the pictures are."""
    return msgspec.json.encode(
        {
            "id": "./",
            "name": settings.title,
            "short_name": settings.town or settings.title,
            "description": words.description,
            "lang": words.lang,
            "dir": "ltr",
            "start_url": Asked(words).address,
            "scope": "./",
            "display": "standalone",
            "background_color": GROUND,
            "theme_color": THEME,
            "icons": [
                _icon(assets, "logo.svg", "any", "image/svg+xml"),
                _icon(assets, "icon-192.png", "192x192", "image/png"),
                _icon(assets, "icon-512.png", "512x512", "image/png"),
                {**_icon(assets, "icon-maskable-512.png", "512x512", "image/png"), "purpose": "maskable"},
            ],
        }
    )


def _icon(assets: str, name: str, sizes: str, media_type: str) -> dict[str, str]:
    return {"src": f"{assets}/{name}", "sizes": sizes, "type": media_type}
