"""`jingban doctor`: what an operator would otherwise find out from an error page."""

import socket
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import redis
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from idp import clock, paths
from idp.app import create_app
from idp.audit import chain
from idp.factors.certificates import trust
from idp.settings import Settings, SettingWrong
from idp.store import hot, keyring
from idp.store.db import db
from idp.store.vault import KeyFileError

REACH_WITHIN = 3.0
CLOCK_MAY_DIFFER = 5.0
CERTIFICATES_WARN = timedelta(days=60)


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at: what, whether it is well, and a sentence in plain words."""

    what: str
    ok: bool
    says: str


def examine(settings: Settings) -> Iterator[Finding]:
    """Look at everything that can be looked at; what depends on something broken is left out."""
    yield _key_file_mode(settings.key_file)
    try:
        app = create_app(settings)
    except KeyFileError as error:
        yield Finding("key file", ok=False, says=str(error))
        return
    except SettingWrong as error:
        yield Finding("settings", ok=False, says=str(error))
        return
    with app.app_context():
        database = _database(settings)
        yield database
        if database.ok:
            yield from _inside_database()
        if settings.certificate_authorities is not None:
            yield _certificate_authorities()
        hot.close_all()
    yield _redis(settings.redis_url)
    yield from _gateways(settings)
    if not settings.https:
        yield Finding("issuer", ok=True, says=f"{settings.issuer} is not https: for a demo on this machine only")


def _key_file_mode(path: Path) -> Finding:
    if not path.exists():
        return Finding("key file", ok=False, says=f"{path} does not exist; `jingban keys init` makes one")
    if path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        return Finding("key file", ok=False, says=f"others may read {path}; chmod 600 {path}")
    return Finding("key file", ok=True, says=f"{path}, for its owner only")


def _database(settings: Settings) -> Finding:
    kind = urlsplit(settings.database_url).scheme.split("+")[0]
    try:
        with db.engine.connect() as connection:
            connection.execute(text("SELECT 1"))
    except SQLAlchemyError as error:
        reason = str(getattr(error, "orig", error)).strip().splitlines()[0]
        return Finding("database", ok=False, says=f"{kind} cannot be reached: {reason}")
    return Finding("database", ok=True, says=f"{kind} answers")


def _inside_database() -> Iterator[Finding]:
    migration = _migration()
    yield migration
    if not migration.ok:
        return
    yield _database_clock()
    yield _signing_keys()
    yield _audit()


def _migration() -> Finding:
    config = Config()
    config.set_main_option("script_location", str(paths.migrations()))
    newest = ScriptDirectory.from_config(config).get_current_head()
    try:
        with db.engine.connect() as connection:
            found = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    except SQLAlchemyError:
        found = None
    if found != newest:
        says = f"tables are at {found or 'nothing'}, this version wants {newest}; run `jingban db upgrade`"
        return Finding("tables", ok=False, says=says)
    return Finding("tables", ok=True, says=f"at {newest}")


def _database_clock() -> Finding:
    """Codes and tokens live for seconds: machines whose clocks differ refuse each other's."""
    if db.engine.dialect.name == "sqlite":
        return Finding("clock", ok=True, says="one machine, one clock")
    with db.engine.connect() as connection:
        theirs = connection.execute(text("SELECT extract(epoch FROM clock_timestamp())")).scalar_one()
    apart = abs(clock.now() - datetime.fromtimestamp(float(theirs), UTC)).total_seconds()
    if apart > CLOCK_MAY_DIFFER:
        return Finding("clock", ok=False, says=f"{apart:.0f} s apart from the database's; set up NTP on both")
    return Finding("clock", ok=True, says=f"{apart:.1f} s apart from the database's")


def _signing_keys() -> Finding:
    missing = keyring.algorithms_without_active_key()
    if missing:
        return Finding(
            "signing keys", ok=False, says=f"none active for {', '.join(missing)}; run `jingban keys rotate`"
        )
    return Finding("signing keys", ok=True, says=f"active for {', '.join(keyring.ALGORITHMS)}")


def _audit() -> Finding:
    verdict = chain.verify(db.session())
    if verdict.broken_at is not None:
        return Finding("audit", ok=False, says=f"the chain breaks at place {verdict.broken_at}")
    if verdict.unsealed:
        return Finding("audit", ok=False, says=f"{verdict.unsealed} entries wait to be sealed; is a worker running?")
    return Finding("audit", ok=True, says=f"{verdict.sealed} entries, chain intact")


def _certificate_authorities() -> Finding:
    ending = list(trust.expiring(clock.now() + CERTIFICATES_WARN))
    if ending:
        says = f"{', '.join(ending)} ends within {CERTIFICATES_WARN.days} days: ask for its successor's certificate"
        return Finding("certificate authorities", ok=False, says=says)
    return Finding("certificate authorities", ok=True, says="read, and valid")


def _redis(url: str) -> Finding:
    if not url:
        return Finding("redis", ok=True, says="not set: each worker process counts rate limits by itself")
    try:
        redis.Redis.from_url(url.replace("redis+unix://", "unix://"), socket_timeout=REACH_WITHIN).ping()
    except redis.RedisError as error:
        return Finding("redis", ok=False, says=f"cannot be reached ({type(error).__name__}); limits are counted alone")
    return Finding("redis", ok=True, says="answers")


def _gateways(settings: Settings) -> Iterator[Finding]:
    addresses = {
        "SMS gateway": settings.sms_url,
        "UnionPay": settings.unionpay_url,
        "company register": settings.company_register_url,
        "face check": settings.face_check_url,
    }
    for name, url in addresses.items():
        yield _reach(name, url)
    for upstream in settings.upstreams:
        yield _reach(f"upstream {upstream.name}", upstream.address)


def _reach(name: str, url: str) -> Finding:
    if not url:
        return Finding(name, ok=False, says="no address is set; what needs it answers 'not available'")
    parts = urlsplit(url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    try:
        with socket.create_connection((parts.hostname or "", port), timeout=REACH_WITHIN):
            return Finding(name, ok=True, says=f"{parts.hostname}:{port} answers")
    except OSError as error:
        return Finding(name, ok=False, says=f"{parts.hostname}:{port} does not answer ({type(error).__name__})")
