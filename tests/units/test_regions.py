"""Regions: what the picker offers, and what is a place to sit in (U1, DESIGN 7)."""

import pytest
from flask import Flask
from sqlalchemy import select

from idp.store.db import db
from idp.units import regions
from idp.units.errors import RegionIncomplete
from idp.units.model import Region
from idp.units.regions import Level, Place


def test_provinces_come_first(app: Flask) -> None:
    level, places = regions.below(db.session(), None)
    assert level is Level.PROVINCE
    assert Place("440000", "广东省") in places


@pytest.mark.parametrize(
    ("parent", "level", "example"),
    [
        ("440000", Level.CITY, Place("440700", "江门市")),
        ("440700", Level.DISTRICT, Place("440703", "蓬江区")),
        ("110000", Level.CITY, Place("110105", "朝阳区")),
        ("650000", Level.CITY, Place("659012", "白杨市")),
    ],
    ids=["cities", "districts", "districts of a municipality", "a city that the province governs itself"],
)
def test_the_next_list_has_its_level(app: Flask, parent: str, level: Level, example: Place) -> None:
    found, places = regions.below(db.session(), parent)
    assert found is level
    assert example in places


@pytest.mark.parametrize("leaf", ["441900", "442000", "440703", "110105", "659012"])
def test_a_leaf_has_no_list_and_is_a_seat(app: Flask, leaf: str) -> None:
    # 东莞 and 中山 have no districts
    assert regions.below(db.session(), leaf) == (None, [])
    regions.check_leaf(db.session(), leaf)


@pytest.mark.parametrize("code", ["440000", "440700", "110000", "999999", "", "44070", "４４０７０３"])
def test_anything_else_is_no_seat(app: Flask, code: str) -> None:
    with pytest.raises(RegionIncomplete):
        regions.check_leaf(db.session(), code)


def test_the_whole_name_goes_from_the_province_down(app: Flask) -> None:
    assert regions.whole_name(db.session(), "440703") == "广东省江门市蓬江区"
    assert regions.whole_name(db.session(), "110105") == "北京市朝阳区"
    assert regions.whole_name(db.session(), "nowhere") == ""


def test_every_region_is_reached_by_the_lists(app: Flask) -> None:
    """Going down list by list, as the picker does, meets every region of the table once, at the list of its level."""
    met: list[str] = []
    waiting: list[str | None] = [None]
    depth = {None: 0}
    while waiting:
        parent = waiting.pop()
        level, places = regions.below(db.session(), parent)
        if level is not None:
            assert level == depth[parent] + 1, f"the list below {parent} would be the wrong one"
        for place in places:
            met.append(place.code)
            depth[place.code] = depth[parent] + 1
            waiting.append(place.code)
    assert sorted(met) == sorted(db.session.scalars(select(Region.code)))
