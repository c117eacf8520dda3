"""What tests fill into the portal's forms. Fictional throughout."""

from datetime import timedelta

from relying_parties.shared import clock

COMPANY = {
    "nature": "private",
    "industry": "technology",
    "size": "99",
    "region": "广州市天河区",
    "address": "示例大道1号",
    "contact_name": "李示例",
    "contact_phone": "020-80000000",
    "email": "",
    "introduction": "本单位是测试用的示例单位，从事软件开发与运维服务。",
}


def job(**changes: str) -> dict[str, str]:
    """Return a complete job as its form takes it, valid for 20 days."""
    return {
        "title": "数据库工程师",
        "category": "technology",
        "kind": "full_time",
        "headcount": "3",
        "salary_min": "8000",
        "salary_max": "12000",
        "region": "广州市天河区",
        "address": "示例大道1号",
        "education": "bachelor",
        "experience": "3",
        "description": "负责数据库的设计、调优和备份，参与值班。",
        "contact_name": "李示例",
        "contact_phone": "13800138000",
        "valid_until": (clock.today() + timedelta(days=20)).isoformat(),
    } | changes
