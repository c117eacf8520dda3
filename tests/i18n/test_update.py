"""`make messages` on a checkout in miniature."""

from pathlib import Path

import pytest

from tools import catalogues

PO = """\
# What a translator should know.
msgid ""
msgstr ""
"Language: en\\n"
"Plural-Forms: nplurals=2; plural=(n != 1);\\n"
"MIME-Version: 1.0\\n"
"Content-Type: text/plain; charset=utf-8\\n"
"Content-Transfer-Encoding: 8bit\\n"

#: idp/old.py
msgid "保存"
msgstr "Save"

#: idp/old.py
msgid "旧的"
msgstr "Old"
"""
PYTHON = """\
from flask_babel import gettext as _
WORDS = N_("以后")
COUNTED = NN_("还有 %(left)s 次")
def view(): return _("保存"), _("保存成功")
"""


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """Sources with five strings, and a catalogue that knows one of them and one that is gone."""
    files = {
        "babel.cfg": (catalogues.ROOT / "babel.cfg").read_text(encoding="utf-8"),
        "idp/flows/view.py": PYTHON,
        "idp/static/view.py": '_("不是我们的")',
        "tests/view.py": '_("测试")',
        "templates/page/index.html": "{{ _('保存') }}{{ ngettext('%(num)s 个', '%(num)s 个', n) }}",
        "idp/translations/en/LC_MESSAGES/messages.po": PO,
    }
    for name, content in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(content, encoding="utf-8")
    return tmp_path


def test_new_strings_come_in_empty_and_old_ones_go(checkout: Path) -> None:
    [(po, missing)] = catalogues.update_all(checkout).items()
    assert [message.id for message in missing] == [
        "以后",
        ("还有 %(left)s 次", "还有 %(left)s 次"),
        "保存成功",
        ("%(num)s 个", "%(num)s 个"),
    ]
    text = po.read_text(encoding="utf-8")
    assert text.startswith(PO[: PO.index("#: idp/old.py")]), "header and comment stay as they were"
    assert '#: idp/flows/view.py templates/page/index.html\nmsgid "保存"\nmsgstr "Save"\n' in text
    assert 'msgid "保存成功"\nmsgstr ""\n' in text, "a similar string's translation is no guess at this one"
    assert "旧的" not in text


def test_a_second_update_changes_nothing(checkout: Path) -> None:
    [po] = catalogues.update_all(checkout)
    before = po.read_bytes()
    view = checkout / "idp/flows/view.py"
    view.write_text("\n\n" + view.read_text(encoding="utf-8"), encoding="utf-8")  # every line moves
    catalogues.update_all(checkout)
    assert po.read_bytes() == before


def test_what_is_compiled_is_what_is_translated(checkout: Path) -> None:
    catalogues.update_all(checkout)
    [made] = catalogues.compile_all(checkout)
    assert made.name == "messages.mo"
    assert [path.name for path in made.parent.iterdir()].count("messages.mo") == 1
    assert b"Save" in made.read_bytes()
    assert len(list(made.parent.iterdir())) == 2, "nothing half-made is left behind"
