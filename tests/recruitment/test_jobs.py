"""基本信息 and the life of a job, from the form to its last day (R2, R4, R5)."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from relying_parties.recruitment import positions
from relying_parties.recruitment.positions import State
from relying_parties.shared import clock
from relying_parties.shared.look import day
from tests.recruitment.conftest import Clock, Portal
from tests.recruitment.issuer import UNIT_A, UNIT_B
from tests.recruitment.values import COMPANY, job
from tests.support.visitor import Visitor

JOBS = f"/center/{UNIT_A['sub']}/positions/"
DAY = 24 * 3600


@pytest.fixture
def agent(sign_in: Callable[..., Visitor]) -> Visitor:
    """An agent of unit A whose 基本信息 is complete."""
    return sign_in(UNIT_A)


def publish(agent: Visitor, **changes: str) -> str:
    """Publish a job through its form, return its id."""
    return _new(agent, "publish", **changes)


def save(agent: Visitor, **changes: str) -> str:
    """Save a job without publishing it, return its id."""
    return _new(agent, "save", **changes)


def _new(agent: Visitor, action: str, **changes: str) -> str:
    agent.get(f"{JOBS}new").submit("title", action=action, **job(**changes))
    assert agent.status == 200, agent.text
    listed = agent.form("id")
    return listed.choices["id"][0]


def do(agent: Visitor, action: str, *ids: str, **more: str) -> Visitor:
    """Press one of the buttons above the list with `ids` ticked."""
    token = dict(agent.get(f"{JOBS}new").form("title").values)["csrf_token"]
    form = [("csrf_token", token), *(("id", each) for each in ids), *more.items()]
    url = agent.url.removesuffix("new") + action
    return agent.follow(agent.http.post(url, data=form, allow_redirects=False, timeout=10))


def listed(agent: Visitor, state: str) -> str:
    return agent.get(JOBS, state=state).text


def test_company_comes_before_anything_else(sign_in: Callable[..., Visitor], portal: Portal) -> None:
    """R2: whatever page of 企业中心 is opened first, 基本信息 must be completed first."""
    agent = sign_in(UNIT_A, complete=False)
    company = f"{portal.url}/center/{UNIT_A['sub']}/company"
    for path in ("", "positions/", "positions/new"):
        assert agent.get(f"{portal.url}/center/{UNIT_A['sub']}/{path}").url == company
        assert "请先完善单位基本信息" in agent.text
    agent.submit("introduction", **COMPANY | {"address": " ", "contact_phone": "12345", "nature": "x"})
    assert agent.status == 422
    for problem in ("该字段是必填字段。", "请填写11位手机号", "请从列表中选择。"):
        assert problem in agent.text
    assert COMPANY["introduction"] in agent.text
    agent.submit("introduction", **COMPANY)
    assert agent.url == f"{portal.url}/center/{UNIT_A['sub']}/"
    assert "单位基本信息已保存。" in agent.text
    assert agent.get(f"{portal.url}{JOBS}new").status == 200


def test_saved_job_is_not_public_until_published(agent: Visitor) -> None:
    """R4: 保存 → 未发布; R5: visitors find what is published, without signing in."""
    made = save(agent)
    assert "职位已保存" in agent.text
    stranger = Visitor().get(agent.url).get(f"/jobs/{made}")
    assert stranger.status == 404
    do(agent, "publish", made)
    assert "已发布 1 个职位。" in agent.text
    stranger.get(f"/jobs/{made}")
    assert stranger.status == 200
    for text in ("数据库工程师", "8000–12000元/月", "负责数据库的设计", COMPANY["introduction"], UNIT_A["name"]):
        assert text in stranger.text
    assert "数据库工程师" in stranger.get("/", keyword="数据库").text


def test_save_and_publish_at_once(agent: Visitor) -> None:
    """R4: 保存并发布."""
    made = publish(agent)
    assert "求职者现在可以搜索到" in agent.text
    assert Visitor().get(agent.url).get(f"/jobs/{made}").status == 200


def test_preview_shows_a_job_in_any_state(agent: Visitor) -> None:
    """R4: 预览."""
    made = save(agent)
    assert "预览：求职者看到的样子" in agent.get(f"{JOBS}{made}").text
    assert "8000–12000元/月" in agent.text


def test_taken_down_jobs_cannot_be_found(agent: Visitor) -> None:
    """R4, R5: 下架 one or many."""
    made = [publish(agent, title=f"示例职位{number}") for number in range(3)]
    do(agent, "take-down", made[0], made[1])
    assert "已下架 2 个职位。" in agent.text
    stranger = Visitor().get(agent.url).get("/")
    assert "示例职位2" in stranger.text
    assert "示例职位0" not in stranger.text
    assert stranger.get(f"/jobs/{made[0]}").status == 404
    assert "示例职位0" in listed(agent, "taken_down")


def test_copy_lands_in_draft(agent: Visitor) -> None:
    """R4: a copy stands in 未发布, whatever it is a copy of, and its last day is not over."""
    made = publish(agent)
    do(agent, "take-down", made)
    token_page = do(agent, "copy", made)
    assert "复制的职位在“未发布”中" in token_page.text
    [copied] = agent.form("id").choices["id"]
    assert copied != made
    do(agent, "publish", copied)
    assert "数据库工程师" in listed(agent, "published")
    assert "数据库工程师" in listed(agent, "taken_down")


def test_edit_and_delete_only_while_unpublished(agent: Visitor) -> None:
    """R4."""
    made = save(agent)
    agent.get(f"{JOBS}{made}/edit").submit("title", **job(title="数据分析师", action="save"))
    assert "数据分析师" in listed(agent, "draft")
    agent.get(f"{JOBS}{made}/edit")
    open_form = agent.url, agent.text
    do(agent, "publish", made)
    agent.url, agent.text = open_form
    agent.submit("title", **job(title="改过的职位", action="save"))
    assert "只能修改未发布的职位" in agent.text
    assert agent.get(f"{JOBS}{made}/edit").url.endswith(f"{JOBS}{made}")
    assert "改过的职位" not in listed(agent, "published")
    do(agent, "delete", made, confirm="yes")
    assert "有 1 个职位没有删除" in agent.text
    assert "数据分析师" in listed(agent, "published")


def test_delete_one_or_many_after_asking(agent: Visitor) -> None:
    """R4."""
    made = [save(agent, title=f"示例职位{number}") for number in range(3)]
    do(agent, "delete", made[0], made[1])
    assert "确定删除以下 2 个未发布的职位吗" in agent.text
    assert "示例职位0" in listed(agent, "draft")
    do(agent, "delete", made[0], made[1], confirm="yes")
    assert "已删除 2 个职位。" in agent.text
    assert "示例职位2" in listed(agent, "draft")
    assert "示例职位0" not in agent.text


def test_change_of_validity_for_many(agent: Visitor, portal: Portal) -> None:
    """R4: 修改有效期 gives every chosen job the one day."""
    made = [publish(agent, title=f"示例职位{number}") for number in range(2)]
    do(agent, "validity", *made)
    assert "以下 2 个职位的发布有效期将统一更换" in agent.text
    for wrong in (clock.today() - timedelta(days=1), clock.today() + timedelta(days=400)):
        do(agent, "validity", *made, valid_until=wrong.isoformat())
        assert agent.status == 422
        assert "请选择今天至" in agent.text
    do(agent, "validity", *made, valid_until="31.12.")
    assert "请填写日期" in agent.text
    day = clock.today() + timedelta(days=90)
    do(agent, "validity", *made, valid_until=day.isoformat())
    assert "已修改有效期 2 个职位。" in agent.text
    with portal.app.app_context():
        shown = positions.of_unit(UNIT_A["sub"], State.PUBLISHED, limit=9)
    assert [each.data.valid_until for each in shown] == [day, day]


def test_job_comes_down_by_itself_after_its_last_day(
    agent: Visitor, moved: Clock, sign_in: Callable[..., Visitor]
) -> None:
    """R4: past its validity a job comes down without anybody or anything doing it; on the last day it is there."""
    made = publish(agent, valid_until=clock.today().isoformat())
    stranger = Visitor().get(agent.url)
    assert stranger.get(f"/jobs/{made}").status == 200
    midnight = clock.local(clock.now()).replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
    moved.ahead = midnight.timestamp() - clock.now() - 2
    assert stranger.get(f"/jobs/{made}").status == 200
    moved.ahead += 3
    assert stranger.get(f"/jobs/{made}").status == 404
    assert "数据库工程师" not in stranger.get("/").text
    agent = sign_in(UNIT_A)
    assert "到期自动下架" in listed(agent, "taken_down")
    assert "数据库工程师" not in listed(agent, "published")
    do(agent, "validity", made, valid_until=(clock.today() + timedelta(days=5)).isoformat())
    assert "已下架的职位不能修改有效期" in agent.text
    do(agent, "copy", made)
    assert "有效期已过" not in agent.text


def test_draft_past_its_day_is_not_published(agent: Visitor, moved: Clock, sign_in: Callable[..., Visitor]) -> None:
    """R4: publishing never makes a job that is down at once."""
    made = save(agent, valid_until=clock.today().isoformat())
    moved.ahead = DAY
    agent = sign_in(UNIT_A)
    assert "有效期已过" in listed(agent, "draft")
    do(agent, "publish", made)
    assert "有效期已过的职位，请先点“修改”更新有效期" in agent.text
    yesterday = (clock.today() - timedelta(days=1)).isoformat()
    agent.get(f"{JOBS}{made}/edit").submit("title", **job(valid_until=yesterday, action="publish"))
    assert agent.status == 422
    assert "请选择今天至" in agent.text


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"title": " "}, "该字段是必填字段。"),
        ({"title": "工"}, "请填写2至40个字。"),
        ({"category": "x"}, "请从列表中选择。"),
        ({"headcount": "0"}, "请填写1至10000之间的人数。"),
        ({"headcount": "many"}, "请填写整数。"),
        ({"salary_min": "", "salary_max": ""}, "请填写月薪，或勾选"),
        ({"salary_min": "9000", "salary_max": "8000"}, "最高月薪不能低于最低月薪。"),
        ({"salary_min": "-1"}, "请填写1至1000000之间的月薪。"),
        ({"salary_max": "8千"}, "请填写整数。"),
        ({"contact_phone": "138001380001"}, "请填写11位手机号"),
        ({"description": "短"}, "请填写10至3000个字。"),
        ({"valid_until": ""}, "该字段是必填字段。"),
    ],
)
def test_job_form_says_what_is_wrong_and_keeps_the_rest(agent: Visitor, changes: dict[str, str], problem: str) -> None:
    agent.get(f"{JOBS}new").submit("title", action="publish", **job(**changes))
    assert agent.status == 422
    assert problem in agent.text
    assert "李示例" in agent.text
    assert "没有已发布的职位" in listed(agent, "published")


def test_negotiable_salary(agent: Visitor) -> None:
    made = publish(agent, salary_min="", salary_max="", negotiable="y")
    assert "面议" in Visitor().get(agent.url).get(f"/jobs/{made}").text


def test_markup_in_a_job_stays_text(agent: Visitor) -> None:
    made = publish(agent, title="<b>工程师</b>", description="<script>alert(1)</script> 岗位说明文字")
    shown = Visitor().get(agent.url).get(f"/jobs/{made}").text
    assert "<b>工程师" not in shown
    assert "<script>alert" not in shown


def test_edits_of_two_agents_do_not_overwrite_each_other(agent: Visitor, sign_in: Callable[..., Visitor]) -> None:
    """The second to save is told, and keeps what was typed."""
    made = save(agent)
    other = sign_in(UNIT_A, by=Visitor())
    agent.get(f"{JOBS}{made}/edit")
    other.get(f"{JOBS}{made}/edit").submit("title", **job(title="先保存的职位", action="save"))
    agent.submit("title", **job(title="后保存的职位", action="save"))
    assert agent.status == 422
    assert "已被其他经办人员修改或发布" in agent.text
    assert "后保存的职位" in agent.text
    assert "先保存的职位" in listed(agent, "draft")


def test_parallel_changes_count_each_job_once(agent: Visitor, portal: Portal) -> None:
    """R4: of many who publish, take down or delete the same jobs at once, each job is counted by exactly one."""
    made = [save(agent, title=f"示例职位{number}") for number in range(5)]

    def at_once(action: Callable[[], int]) -> int:
        def run(_number: int) -> int:
            with portal.app.app_context():
                return action()

        with ThreadPoolExecutor(8) as pool:
            return sum(pool.map(run, range(8)))

    unit = UNIT_A["sub"]
    assert at_once(lambda: positions.publish(unit, made, "p_zhang")) == 5
    assert at_once(lambda: positions.take_down(unit, made[:3], "p_zhang")) == 3
    drafts = [save(agent) for _ in range(2)]
    assert at_once(lambda: positions.delete(unit, drafts) + positions.publish(unit, drafts, "p_zhang")) == 2


def test_a_unit_sees_and_changes_only_its_own_jobs(agent: Visitor, sign_in: Callable[..., Visitor]) -> None:
    """R7: knowing the id of another unit's job is of no use, in its own centre or in the other's (IDOR)."""
    mine = publish(agent)
    draft = save(agent, title="未发布的职位")
    other = sign_in(UNIT_B)
    own = f"/center/{UNIT_B['sub']}/positions/"
    token = dict(other.get(f"{own}new").form("title").values)["csrf_token"]
    for path in (mine, draft, f"{draft}/edit"):
        assert other.get(own + path).status == 404
        assert other.get(JOBS + path).status == 403
    for action in ("take-down", "publish", "delete", "copy", "validity"):
        form = {"csrf_token": token, "id": [mine, draft], "confirm": "yes", "valid_until": clock.today().isoformat()}
        for base in (own, JOBS):
            other.http.post(other.url.split("/center")[0] + base + action, data=form, timeout=10)
    assert "没有已发布的职位" in other.get(own).text
    assert "数据库工程师" in listed(agent, "published")
    assert "未发布的职位" in listed(agent, "draft")
    assert f"有效期至 {day(job()['valid_until'])}" in agent.get(f"{JOBS}{mine}").text


def test_search_narrows_down(agent: Visitor) -> None:
    """R5: words, place, category, salary; wildcards are letters."""
    publish(
        agent, title="仓库管理员", category="logistics", region="佛山市南海区", salary_min="4000", salary_max="5000"
    )
    publish(
        agent, title="100%远程测试", category="technology", region="广州市天河区", salary_min="9000", salary_max="9000"
    )
    publish(agent, title="护士", category="health", salary_min="", salary_max="", negotiable="y")
    stranger = Visitor().get(agent.url)

    def titles(**query: str) -> set[str]:
        text = stranger.get("/", **query).text
        return {title for title in ("仓库管理员", "100%远程测试", "护士") if f">{title}</a>" in text}

    assert titles() == {"仓库管理员", "100%远程测试", "护士"}
    assert titles(keyword="仓库") == {"仓库管理员"}
    assert titles(keyword="江河 护士") == {"护士"}
    assert titles(keyword="%") == {"100%远程测试"}
    assert titles(keyword="_") == set()
    assert titles(region="佛山") == {"仓库管理员"}
    assert titles(category="health") == {"护士"}
    assert titles(salary="5000") == {"仓库管理员", "100%远程测试"}
    assert titles(salary="8000") == {"100%远程测试"}
    assert titles(salary="x", category="x", page="x") == {"仓库管理员", "100%远程测试", "护士"}
    assert "没有找到符合条件的职位" in stranger.get("/", keyword="没有这样的职位").text


def test_pages_of_results(agent: Visitor, portal: Portal) -> None:
    """R5: every job stands on exactly one page."""
    made = {publish(agent, title=f"示例职位{number}") for number in range(12)}
    stranger = Visitor().get(portal.url)
    pages = [stranger.get("/", keyword="示例职位", page=str(number)).text for number in (1, 2)]
    assert "第 1 页，共 2 页" in pages[0]
    found = [[each for each in made if f"/jobs/{each}" in page] for page in pages]
    assert [len(each) for each in found] == [10, 2]
    assert set(found[0]) | set(found[1]) == made
    assert stranger.get("/", page="99").text.count("/jobs/") == 2
