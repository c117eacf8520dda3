"""Somebody who comes to a portal of a recipe, signs in at the provider as a person does, and does their business."""

from dataclasses import dataclass, field

from idp.delegation import grants, listing
from idp.store.db import db
from tests.journeys.world import Company, Someone, World
from tests.support.visitor import Visitor

MYSELF = "self"
BUSINESS = "rec.position"


@dataclass
class Agent:
    """A person at 二级实名 with a browser, bound to a unit that lets them do the business of the recipes."""

    world: World
    who: Someone = field(init=False)
    unit: Company = field(init=False)
    browser: Visitor = field(default_factory=Visitor)
    pages: list[str] = field(default_factory=list)
    """Which forms the provider showed during the last visit: `password`, `unit`, `consent`."""

    def __post_init__(self) -> None:
        self.who = self.world.registered()
        self.unit = self.world.unit_of(self.who, granting=(BUSINESS,))

    @property
    def person_id(self) -> str:
        return self.world.person_id(self.who)

    @property
    def unit_id(self) -> str:
        return self.world.unit_id(self.unit)

    def visit(self, address: str, choosing: str = MYSELF, consent: str = "allow") -> Visitor:
        """Open an address of the portal and do what the provider's pages ask, until they ask no more."""
        self.pages = []
        answers = {
            "password": {"username": self.who.login, "password": self.who.password},
            "unit": {"unit": choosing},
            "consent": {"consent": consent},
        }
        self.browser.get(address)
        while (asked := self._asked()) and asked not in self.pages:
            self.pages.append(asked)
            self.browser.submit(asked, **answers[asked])
        return self.browser

    def loses_the_business(self) -> None:
        """Let the unit take the business back."""
        unit_id = self.unit_id

        def withdraw() -> None:
            [agent] = listing.sub_accounts(db.session(), unit_id, limit=1, offset=0)
            grants.withdraw(unit_id, agent.binding_id, BUSINESS)

        self.world.within(withdraw)

    def _asked(self) -> str | None:
        forms = self.browser.forms()
        names = {name for form in forms for name in form.names() | {button for button, _ in form.buttons}}
        return next((name for name in ("password", "unit", "consent") if name in names), None)
