"""Templates are compiled once for each language, and what is the same in all its pages is worked out then.

A page of ours has some fifty texts and icons. Calls such as `_('密码')` and `icon('user', 16)`, whose arguments are
constants, become constants themselves, and melt into the markup around them.
"""

from collections.abc import Callable, Mapping, MutableMapping
from typing import Any

from flask import Flask
from flask.templating import Environment
from flask_babel import get_locale, gettext
from jinja2 import Template, TemplateAssertionError, nodes
from jinja2.visitor import NodeTransformer
from markupsafe import Markup

from idp import look

Call = Callable[..., Markup]


def _text(message: str) -> Markup:
    """Do as a template does with a text without variables: it is markup, and `%%` in it is one percent sign."""
    return Markup(gettext(message)) % {}  # noqa: S704 - messages are ours


CONSTANT: Mapping[str, Call] = {"_": _text, "gettext": _text, "icon": look.icon}
"""What depends on nothing but its arguments and the language."""


class PageEnvironment(Environment):
    """Flask's environment, with one of its own for each language, whose texts stand in the compiled templates."""

    language = ""

    def __init__(self, app: Flask, **options: Any) -> None:
        super().__init__(app, **options)
        self._by_language: dict[str, PageEnvironment] = {}

    def get_template(
        self,
        name: str | Template,
        parent: str | None = None,
        globals: MutableMapping[str, Any] | None = None,  # noqa: A002 - the name is Jinja's
    ) -> Template:
        """Return a template in the language of this request."""
        if self.language:
            return super().get_template(name, parent, globals)
        return self._in(str(get_locale())).get_template(name, parent, globals)

    def _in(self, language: str) -> "PageEnvironment":
        found = self._by_language.get(language)
        if found is None:
            found = self.overlay()
            found.language = language
            self._by_language[language] = found
        return found

    def _parse(self, source: str, name: str | None, filename: str | None) -> nodes.Template:
        tree = super()._parse(source, name, filename)
        if self.language:
            _WorkOut(self, name).visit(tree)
        return tree


class _WorkOut(NodeTransformer):
    """Puts the value of a call in its place, where it is known."""

    def __init__(self, environment: Environment, template: str | None) -> None:
        self._environment = environment
        self._template = template

    def visit_Call(self, node: nodes.Call) -> nodes.Node:  # noqa: N802 - the name is Jinja's
        self.generic_visit(node)
        call = CONSTANT.get(node.node.name) if isinstance(node.node, nodes.Name) else None
        arguments = [*node.args, *(each.value for each in node.kwargs)]
        is_known = all(isinstance(each, nodes.Const) for each in arguments) and not (node.dyn_args or node.dyn_kwargs)
        if call is None or not is_known:
            return node
        if call is _text and len(arguments) > 1:
            return node
        value = call(
            *(each.as_const() for each in node.args), **{each.key: each.value.as_const() for each in node.kwargs}
        )
        constant = nodes.MarkSafe(nodes.Const(str(value), lineno=node.lineno), lineno=node.lineno)
        return constant.set_environment(self._environment)

    def visit_Name(self, node: nodes.Name) -> nodes.Node:  # noqa: N802 - the name is Jinja's
        if node.name in CONSTANT and node.ctx != "load":
            msg = f"{node.name} always is the function of this name"
            raise TemplateAssertionError(msg, node.lineno, self._template)
        return node
