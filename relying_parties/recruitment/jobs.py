"""职位管理 in 企业中心 (R4): lists by state, the form, and what is done to one or many jobs at once."""

from collections.abc import Callable

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from relying_parties.recruitment import choices, companies, positions
from relying_parties.recruitment.access import for_unit
from relying_parties.recruitment.forms import PositionForm, ValidityForm, position_values
from relying_parties.recruitment.positions import STATE_NAMES, Changed, Position, State
from relying_parties.shared.identities import Identity

PAGE_SIZE = 20
MOST_AT_ONCE = 200

pages = Blueprint("jobs", __name__, url_prefix="/center/<unit_id>/positions")


@pages.get("/")
@for_unit("rec.position")
def listing(identity: Identity) -> ResponseReturnValue:
    """List the unit's jobs in one state; 已发布 unless `state` says otherwise."""
    unit_id, state = identity.acted_for.id, _asked_state()
    counts = positions.counts(unit_id)
    pages_there = max(1, -(-counts[state] // PAGE_SIZE))
    page = min(max(_asked_page(), 1), pages_there)
    shown = positions.of_unit(unit_id, state, limit=PAGE_SIZE, offset=(page - 1) * PAGE_SIZE)
    return render_template(
        "center/positions.html",
        identity=identity,
        state=state,
        states=STATE_NAMES,
        counts=counts,
        positions=shown,
        page=page,
        pages=pages_there,
        choices=choices,
    )


@pages.route("/new", methods=["GET", "POST"])
@for_unit("rec.position")
def new(identity: Identity) -> ResponseReturnValue:
    """新增: 保存 keeps the job in 未发布, 保存并发布 publishes it."""
    unit_id = identity.acted_for.id
    form = PositionForm(data=_usual_values(unit_id))
    if form.validate_on_submit():
        publish = _publishes()
        positions.create(unit_id, form.position_data(), identity.person, publish=publish)
        return _saved(unit_id, publish=publish)
    return _form_page(identity, form, None)


@pages.get("/<position_id>")
@for_unit("rec.position")
def preview(identity: Identity, position_id: str) -> ResponseReturnValue:
    """预览: the job as job seekers see it, whatever its state."""
    company = companies.find(identity.acted_for.id)
    return render_template(
        "center/preview.html",
        identity=identity,
        position=_known(identity, position_id),
        company=company,
        choices=choices,
        states=STATE_NAMES,
    )


@pages.route("/<position_id>/edit", methods=["GET", "POST"])
@for_unit("rec.position")
def edit(identity: Identity, position_id: str) -> ResponseReturnValue:
    """修改, only while the job is not published."""
    unit_id, position = identity.acted_for.id, _known(identity, position_id)
    if position.state is not State.DRAFT:
        flash("只能修改未发布的职位。可以复制该职位，再修改复制出的职位。", "warning")
        return redirect(url_for("jobs.preview", unit_id=unit_id, position_id=position_id), 303)
    form = PositionForm(data=position_values(position.data) | {"version": position.version})
    if form.validate_on_submit():
        publish = _publishes()
        try:
            positions.change(
                unit_id, position_id, form.seen_version(), form.position_data(), identity.person, publish=publish
            )
        except Changed:
            form.form_errors.append("该职位已被其他经办人员修改或发布，您的修改没有保存。请打开职位查看后再修改。")
            return _form_page(identity, form, position)
        return _saved(unit_id, publish=publish)
    return _form_page(identity, form, position)


@pages.post("/copy")
@for_unit("rec.position")
def copy(identity: Identity) -> ResponseReturnValue:
    """复制 one job; the copy stands in 未发布."""
    if positions.copy(identity.acted_for.id, request.form.get("id", ""), identity.person) is None:
        abort(404)
    flash("已复制，复制的职位在“未发布”中，可以修改后发布。", "success")
    return _back_to(identity, State.DRAFT)


@pages.post("/publish")
@for_unit("rec.position")
def publish(identity: Identity) -> ResponseReturnValue:
    """发布 one or many."""
    return _do(identity, State.DRAFT, "发布", positions.publish, "有效期已过的职位，请先点“修改”更新有效期。")


@pages.post("/take-down")
@for_unit("rec.position")
def take_down(identity: Identity) -> ResponseReturnValue:
    """下架 one or many; at once job seekers no longer find them."""
    return _do(identity, State.PUBLISHED, "下架", positions.take_down)


@pages.post("/delete")
@for_unit("rec.position")
def delete(identity: Identity) -> ResponseReturnValue:
    """删除 one or many, after a page that asks whether it is meant."""
    chosen = positions.find_many(identity.acted_for.id, _ids(), State.DRAFT)
    if chosen and request.form.get("confirm") != "yes":
        return render_template("center/delete.html", identity=identity, positions=chosen)
    return _do(identity, State.DRAFT, "删除", lambda unit_id, ids, _person: positions.delete(unit_id, ids))


@pages.post("/validity")
@for_unit("rec.position")
def validity(identity: Identity) -> ResponseReturnValue:
    """修改有效期 of one or many, on a page that asks for the day."""
    unit_id = identity.acted_for.id
    chosen = positions.find_many(unit_id, _ids(), State.PUBLISHED)
    if not chosen:
        flash("请先勾选要修改有效期的职位；已下架的职位不能修改有效期。", "warning")
        return _back_to(identity, State.PUBLISHED)
    asked = "valid_until" in request.form
    form = ValidityForm() if asked else ValidityForm(formdata=None)
    day = form.valid_until.data
    if asked and form.validate_on_submit() and day is not None:
        return _do(
            identity,
            State.PUBLISHED,
            "修改有效期",
            lambda unit, ids, person: positions.change_validity(unit, ids, person, day),
        )
    page = render_template("center/validity.html", identity=identity, positions=chosen, form=form)
    return page, 422 if form.errors else 200


def _do(
    identity: Identity, back_to: State, name: str, action: Callable[[str, list[str], str], int], hint: str = ""
) -> ResponseReturnValue:
    """Do `action` to the chosen jobs and say to how many it was done; the others had changed meanwhile."""
    ids = _ids()
    if not ids:
        flash(f"请先勾选要{name}的职位。", "warning")
        return _back_to(identity, back_to)
    done = action(identity.acted_for.id, ids, identity.person)
    left = len(set(ids)) - done
    if done:
        flash(f"已{name} {done} 个职位。", "success")
    if left:
        flash(f"有 {left} 个职位没有{name}：它们的状态已变化。{hint}", "warning")
    return _back_to(identity, back_to)


def _back_to(identity: Identity, state: State) -> ResponseReturnValue:
    return redirect(url_for("jobs.listing", unit_id=identity.acted_for.id, state=state), 303)


def _saved(unit_id: str, *, publish: bool) -> ResponseReturnValue:
    flash("职位已发布，求职者现在可以搜索到。" if publish else "职位已保存在“未发布”中。", "success")
    state = State.PUBLISHED if publish else State.DRAFT
    return redirect(url_for("jobs.listing", unit_id=unit_id, state=state), 303)


def _form_page(identity: Identity, form: PositionForm, position: Position | None) -> ResponseReturnValue:
    page = render_template("center/position_form.html", identity=identity, form=form, position=position)
    return page, 422 if form.errors else 200


def _known(identity: Identity, position_id: str) -> Position:
    found = positions.find(identity.acted_for.id, position_id)
    if found is None:
        abort(404)
    return found


def _usual_values(unit_id: str) -> dict[str, object]:
    """Return what a new job begins with: where the unit is and whom to ask."""
    company = companies.find(unit_id)
    if company is None:
        return {}
    names = ("region", "address", "contact_name", "contact_phone")
    return {name: getattr(company.data, name) for name in names}


def _publishes() -> bool:
    return request.form.get("action") == "publish"


def _ids() -> list[str]:
    return request.form.getlist("id")[:MOST_AT_ONCE]


def _asked_state() -> State:
    try:
        return State(request.args.get("state", State.PUBLISHED))
    except ValueError:
        return State.PUBLISHED


def _asked_page() -> int:
    text = request.args.get("page", "1")
    return int(text[:6]) if text.isascii() and text.isdigit() else 1
