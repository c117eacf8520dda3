"""Compile the message catalogues: every .po under idp/translations gets its .mo beside it."""

from pathlib import Path

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

ROOT = Path(__file__).resolve().parents[1]


def compile_all(root: Path) -> list[Path]:
    """Compile the catalogues of the checkout at `root`; return the .mo files. Fuzzy entries stay untranslated."""
    return [_compile(po) for po in sorted(root.glob("idp/translations/*/LC_MESSAGES/*.po"))]


def _compile(po: Path) -> Path:
    locale = po.parts[-3]
    with po.open("rb") as source:
        catalogue = read_po(source, locale=locale, abort_invalid=True)
    made = po.with_suffix(".mo")
    half = made.with_suffix(".mo.new")
    with half.open("wb") as target:
        write_mo(target, catalogue)
    half.replace(made)  # at once: a running provider never reads half a catalogue
    return made


if __name__ == "__main__":
    compile_all(ROOT)
