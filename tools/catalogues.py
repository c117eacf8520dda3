"""The message catalogues under idp/translations: update them from the sources, compile each .po to the .mo beside it.

Source strings are zh-Hans and need no catalogue. `make messages` runs `update`; what it lists is to be translated by
hand, in the .po files. Every set-up and every wheel compiles.
"""

import os
import sys
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_dir
from babel.messages.frontend import parse_mapping_cfg
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).resolve().parents[1]
PATTERN = "idp/translations/*/LC_MESSAGES/messages.po"
FOLDERS = ("idp", "templates")
KEYWORDS = {**DEFAULT_KEYWORDS, "lazy_gettext": None, "NN_": (1, 1)}
"""Which calls hold strings; `NN_` gives one string as singular and plural (idp/messages.py)."""
WIDTH = 119
HEADER = """\
{comment}
msgid ""
msgstr ""
"Language: {language}\\n"
"Plural-Forms: {plural_forms}\\n"
"MIME-Version: 1.0\\n"
"Content-Type: text/plain; charset=utf-8\\n"
"Content-Transfer-Encoding: 8bit\\n"

"""
"""No dates, names and versions: the history of a file is told by version control."""


def catalogues(root: Path) -> list[Path]:
    """Return the .po files of the checkout at `root`."""
    return sorted(root.glob(PATTERN))


def read(po: Path) -> Catalog:
    """Return the catalogue in `po`; its locale is the folder's. Raises PoFileError for a broken one."""
    with po.open("rb") as source:
        return read_po(source, locale=po.parts[-3], abort_invalid=True)


# --- Compile -----------------------------------------------------------------------------------------------------


def compile_all(root: Path) -> list[Path]:
    """Compile the catalogues of the checkout at `root`; return the .mo files. Fuzzy entries stay untranslated."""
    return [_compile(po) for po in catalogues(root)]


def _compile(po: Path) -> Path:
    made = po.with_suffix(".mo")
    half = made.with_suffix(f".{os.getpid()}.mo")  # of this process: tests and a set-up may compile side by side
    with half.open("wb") as target:
        write_mo(target, read(po))
    half.replace(made)  # at once: a running provider never reads half a catalogue
    return made


# --- Update ------------------------------------------------------------------------------------------------------


def extract(root: Path) -> Catalog:
    """Return every string that the sources at `root` mark, in the order of files, each with the files it is in."""
    with (root / "babel.cfg").open(encoding="utf-8") as mapping:
        methods, options = parse_mapping_cfg(mapping)  # type: ignore[no-untyped-call]
    template = Catalog()
    for name, line, string, comments, context in extract_from_dir(
        root, methods, options, KEYWORDS, directory_filter=lambda folder: _holds_sources(root, Path(folder))
    ):
        template.add(string, None, [(name, line)], auto_comments=comments, context=context)
    return template


def _holds_sources(root: Path, folder: Path) -> bool:
    """Tell whether to look into `folder`: the checkout has other, larger ones beside."""
    return folder.relative_to(root).parts[0] in FOLDERS and folder.name not in {"__pycache__", "static"}


def update_all(root: Path) -> dict[Path, list[Message]]:
    """Bring every catalogue up to date: new strings come in empty, those no longer used go, nothing is guessed.

    Returns what is still to be translated, by catalogue. What did not change is written as it was, so that a
    version control system shows changes of strings only.
    """
    template = extract(root)
    return {po: _update(po, template) for po in catalogues(root)}


def _update(po: Path, template: Catalog) -> list[Message]:
    catalogue = read(po)
    catalogue.update(template, no_fuzzy_matching=True, update_creation_date=False)
    header = HEADER.format(
        comment=catalogue.header_comment,
        language=catalogue.locale_identifier,
        plural_forms=catalogue.plural_forms,
    )
    with po.open("wb") as target:
        target.write(header.encode())
        write_po(target, catalogue, width=WIDTH, omit_header=True, ignore_obsolete=True, include_lineno=False)
    return [message for message in catalogue if message.id and is_untranslated(message)]


def is_untranslated(message: Message) -> bool:
    """Tell whether `message` lacks a translation, or one of its plural forms, or has one that was only guessed."""
    forms = message.string if isinstance(message.string, list | tuple) else (message.string,)
    return message.fuzzy or not all(forms)


def _report(missing: dict[Path, list[Message]]) -> None:
    for po, messages in missing.items():
        name = po.relative_to(ROOT)
        print(f"· {name}: {len(messages)} to translate" if messages else f"· {name}: complete")
        for message in messages:
            print(f"    {message.id[0] if message.pluralizable else message.id}")


if __name__ == "__main__":
    if sys.argv[1:] == ["update"]:
        _report(update_all(ROOT))
    compile_all(ROOT)
