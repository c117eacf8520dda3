"""The portals of the demo: how each is registered, and the businesses that are done there."""

from dataclasses import dataclass
from typing import Any

from idp.clients import registration as clients
from idp.clients.model import ActsFor
from idp.delegation import catalogue
from idp.delegation.catalogue import NewBusiness
from idp.demo.addresses import Addresses

RECRUITMENT, SERVICE_HALL = "recruitment", "service_hall"
POSITION = NewBusiness(
    "rec.position", "招聘职位管理", "发布、修改和下架本单位的招聘职位", client_id=RECRUITMENT, min_person_level=1
)
COMPANY = NewBusiness(
    "rec.company", "招聘单位信息", "维护本单位在招聘平台上的资料", client_id=RECRUITMENT, min_person_level=1
)
STABILIZATION = NewBusiness(
    "hall.stabilization",
    "失业保险稳岗返还",
    "确认单位信息，申请返还上年度缴纳的失业保险费",
    client_id=SERVICE_HALL,
    min_person_level=1,
    min_unit_level=2,
    open_to_unit_account=True,
)
REPORT = NewBusiness(
    "hall.report",
    "参保单位信息申报",
    "申报本年度参保人数等单位信息",
    client_id=SERVICE_HALL,
    min_person_level=1,
    needs_verified_unit=True,
)


@dataclass(frozen=True, slots=True)
class Portal:
    """A portal. Its package in `relying_parties`, its address in `Addresses` and its client are called alike."""

    client_id: str
    title: str
    businesses: tuple[NewBusiness, ...]
    takes_unit_accounts: bool = False


PORTALS = (
    Portal(RECRUITMENT, "公共招聘服务平台", (POSITION, COMPANY)),
    Portal(SERVICE_HALL, "人社网办大厅", (STABILIZATION, REPORT), takes_unit_accounts=True),
)


def register(portal: Portal, addresses: Addresses) -> dict[str, Any]:
    """Register a portal and enter its businesses; return what `demo.json` says of the client."""
    base: str = getattr(addresses, portal.client_id)
    new = clients.NewClient(
        client_id=portal.client_id,
        client_name=portal.title,
        redirect_uris=(f"{base}/callback",),
        scopes=(*clients.STANDARD_SCOPES, *(each.code for each in portal.businesses)),
        acts_for=ActsFor.OPTIONAL,
        allows_unit_accounts=portal.takes_unit_accounts,
        resource=f"{base}/api",
        client_uri=base,
        initiate_login_uri=f"{base}/login",
        backchannel_logout_uri=f"{base}/backchannel-logout",
        post_logout_redirect_uris=(f"{base}/",),
    )
    secret = clients.add(new)
    for business in portal.businesses:
        catalogue.put(business)
    return {
        "client_id": new.client_id,
        "client_secret": secret,
        "redirect_uris": list(new.redirect_uris),
        "scopes": list(new.scopes),
        "acts_for": new.acts_for,
    }


def environment(portal: Portal, addresses: Addresses, client: dict[str, Any], folder: str) -> dict[str, str]:
    """Return the variables by which the portal's process is told what it needs; its files are in `folder`."""
    values = {
        "ISSUER": addresses.provider,
        "CLIENT_ID": client["client_id"],
        "CLIENT_SECRET": client["client_secret"],
        "BASE_URL": getattr(addresses, portal.client_id),
        "DATABASE": f"{folder}/{portal.client_id}.sqlite3",
        "KEY_FILE": f"{folder}/{portal.client_id}.key",
    }
    return {f"{portal.client_id.upper()}_{name}": value for name, value in values.items()}
