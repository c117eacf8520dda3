"""Where templates and migrations are: beside the package in a wheel, at the top of a checkout."""

from pathlib import Path

PACKAGE = Path(__file__).parent


def _folder(name: str) -> Path:
    inside = PACKAGE / name
    return inside if inside.is_dir() else PACKAGE.parent / name


def templates() -> Path:
    """Return the folder of page templates."""
    return _folder("templates")


def migrations() -> Path:
    """Return the folder of database migrations."""
    return _folder("migrations")


def static() -> Path:
    """Return the folder of stylesheets and scripts."""
    return PACKAGE / "static"
