"""The accounts at upstreams that are linked to a person's or a unit's: unlinking them (F1, F4)."""

from flask import Blueprint
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from idp import web
from idp.factors import freshness
from idp.federation import links
from idp.federation.errors import LinkGone
from idp.flows import upstreams, withdrawn
from idp.flows.forms.base import Confirmation
from idp.flows.security import led_back
from idp.store.db import db
from idp.web import Access, access

blueprint = Blueprint("upstream_links", __name__)


@blueprint.route("/account/security/upstreams/<name>/unlink", methods=["GET", "POST"])
@access(Access.SIGNED_IN)
@led_back
def unlink(name: str) -> ResponseReturnValue:
    """Unlink an account at an upstream, after asking again."""
    who = web.current()
    freshness.demand(who)
    if not any(each.upstream == name for each in links.of(db.session(), who.subject_id)):
        raise LinkGone
    title = upstreams.title(name)
    if Confirmation().validate_on_submit():
        links.unlink(who, name)
        return withdrawn.done(who, _("已解除与%(upstream)s的关联。", upstream=title))
    return withdrawn.ask(
        who,
        links.voucher(name),
        title=_("解除关联"),
        question=_("确定解除与%(upstream)s的关联吗？", upstream=title),
        consequences=[
            _("不能再用它直接登录本账号；再次使用时需要重新关联。"),
            _("由它核验的实名等级不再计入，您的实名等级可能降低。")
            if who.is_person
            else _("由它核验的可信等级不再计入，单位的可信等级可能降低。"),
        ],
    )
