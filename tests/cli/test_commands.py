"""The command as an operator uses it, on a real database, once on SQLite and once on PostgreSQL."""

import json
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from click.testing import CliRunner

from idp.cli import main


@dataclass(frozen=True)
class Done:
    """How a command ended."""

    returncode: int
    stdout: str
    stderr: str


Run = Callable[..., Done]


@pytest.fixture
def jingban(tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run `jingban` in a fresh folder on a fresh database."""
    monkeypatch.chdir(tmp_path)
    environment = {"JINGBAN_DATABASE_URL": database_url, "JINGBAN_KEY_FILE": str(tmp_path / "keys.json")}

    def run(*arguments: str, **variables: str) -> Done:
        result = CliRunner().invoke(main, arguments, env=environment | variables)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return Done(result.exit_code, result.stdout, result.stderr)

    return run


def test_command_is_a_program() -> None:
    """`python -m idp` and the installed `jingban` are the same, and the help names every command."""
    for command in ([sys.executable, "-m", "idp"], [str(Path(sys.executable).with_name("jingban"))]):
        done = subprocess.run([*command, "--help"], capture_output=True, text=True, check=True, timeout=60)
        for name in ("serve", "demo", "db", "keys", "client", "worker", "doctor", "audit", "business", "unit"):
            assert f"\n  {name} " in done.stdout


def test_from_nothing_to_a_client(jingban: Run, tmp_path: Path) -> None:
    """An operator sets a system up by following what the doctor says."""
    first = jingban("doctor")
    assert first.returncode == 1
    assert "jingban keys init" in first.stdout
    assert jingban("keys", "init").returncode == 0
    assert (tmp_path / "keys.json").stat().st_mode & 0o777 == 0o600
    second = jingban("doctor")
    assert "jingban db upgrade" in second.stdout
    assert jingban("db", "upgrade").returncode == 0
    third = jingban("doctor")
    for what in ("key file", "database", "tables", "clock", "signing keys", "audit"):
        assert f"ok     {what}:" in third.stdout, third.stdout
    assert "WRONG  SMS gateway" in third.stdout

    portal = ("client", "add", "portal", "--name", "门户", "--redirect-uri", "https://portal.example/callback")
    added = jingban(*portal)
    assert added.returncode == 0, added.stderr
    secret = json.loads(added.stdout)["client_secret"]
    assert len(secret) >= 43
    again = jingban(*portal)
    assert again.returncode == 1
    assert "exists" in again.stderr
    assert "门户" in jingban("client", "list").stdout
    assert jingban("client", "disable", "portal").returncode == 0
    assert "disabled" in jingban("client", "list").stdout
    assert jingban("client", "disable", "portal").returncode == 1


def test_a_service_needs_no_redirect_uri(jingban: Run) -> None:
    """RFC 6749 §4.4: nobody is sent anywhere."""
    jingban("keys", "init")
    jingban("db", "upgrade")
    service = ("client", "add", "service", "--name", "服务")
    without = jingban(*service)
    assert without.returncode == 1
    assert "redirect_uris" in without.stderr
    added = jingban(*service, "--grant-type", "client_credentials")
    assert added.returncode == 0, added.stderr


def test_a_client_of_pairwise_subjects(jingban: Run) -> None:
    """OpenID Connect Core §8.1: several hosts need a document, and the document must be there."""
    jingban("keys", "init")
    jingban("db", "upgrade")
    add = ("client", "add", "--name", "门户", "--redirect-uri", "https://a.example/cb", "--subject-type", "pairwise")
    added = jingban(*add, "--userinfo-alg", "ES256", "--id-token-alg", "ES256", "one")
    assert added.returncode == 0, added.stderr
    without = jingban(*add, "--redirect-uri", "https://b.example/cb", "two")
    assert without.returncode == 1
    assert "sector_identifier_uri" in without.stderr
    unreachable = jingban(*add, "--sector-identifier-uri", "https://127.0.0.1/sector.json", "three")
    assert unreachable.returncode == 1
    assert "sector_identifier_uri" in unreachable.stderr


def test_an_initial_access_token(jingban: Run) -> None:
    """RFC 7591 §3: printed once, bounded."""
    jingban("keys", "init")
    jingban("db", "upgrade")
    bounds = ("--uses", "3", "--days", "1", "--redirect-host", "*.example", "--scope", "openid profile")
    made = jingban("client", "token", "实验室", *bounds)
    assert made.returncode == 0, made.stderr
    told = json.loads(made.stdout)
    assert len(told["initial_access_token"]) >= 43
    assert 0 < told["expires_at"] - time.time() <= 86400


@pytest.mark.parametrize(
    ("metadata", "complaint"),
    [
        ({"require_pkce": False}, None),
        ({"require_pkce": "perhaps"}, "require_pkce"),
        ({"pkce": False}, "pkce"),
        ([], "outermost"),
        ("{", "not JSON"),
    ],
)
def test_a_client_is_added_with_further_metadata(
    jingban: Run, tmp_path: Path, metadata: object, complaint: str | None
) -> None:
    jingban("keys", "init")
    jingban("db", "upgrade")
    file = tmp_path / "metadata.json"
    file.write_text(metadata if isinstance(metadata, str) else json.dumps(metadata))
    uri = "https://portal.example/callback"
    done = jingban("client", "add", "portal", "--name", "门户", "--redirect-uri", uri, "--metadata", str(file))
    assert done.returncode == (0 if complaint is None else 1), done.stderr
    assert complaint is None or complaint in done.stderr
    public = ("--auth-method", "none", "--metadata", str(file))
    refused = jingban("client", "add", "public", "--name", "门户", "--redirect-uri", uri, *public)
    assert refused.returncode == 1, "RFC 9700 §2.1.1: a public client never goes without PKCE"


def test_a_portal_that_browsers_sign_out_of(jingban: Run, tmp_path: Path) -> None:
    """Front-Channel Logout 1.0 §2: the address is the portal's own. An option goes together with a file."""
    jingban("keys", "init")
    jingban("db", "upgrade")
    file = tmp_path / "metadata.json"
    file.write_text(json.dumps({"policy_uri": "https://portal.example/policy"}))
    uri = ("--redirect-uri", "https://portal.example/callback", "--metadata", str(file))
    refused = jingban("client", "add", "a", "--name", "门户", *uri, "--frontchannel-logout-uri", "https://b.example/")
    assert refused.returncode == 1
    assert "frontchannel_logout_uri" in refused.stderr
    own = ("--frontchannel-logout-uri", "https://portal.example/out", "--frontchannel-logout-session-required")
    assert jingban("client", "add", "a", "--name", "门户", *uri, *own).returncode == 0
    device = ("--auth-method", "none", "--grant-type", "urn:ietf:params:oauth:grant-type:device_code")
    assert jingban("client", "add", "tv", "--name", "大屏", *device).returncode == 0


def test_key_file_is_never_overwritten(jingban: Run, tmp_path: Path) -> None:
    jingban("keys", "init")
    before = (tmp_path / "keys.json").read_text()
    again = jingban("keys", "init")
    assert again.returncode == 1
    assert "left alone" in again.stderr
    assert (tmp_path / "keys.json").read_text() == before


def test_keys_rotate_in_order(jingban: Run) -> None:
    """A key is published as next before it is active."""
    jingban("keys", "init")
    jingban("db", "upgrade")

    def states() -> dict[str, str]:
        lines = [line.split() for line in jingban("keys", "list").stdout.splitlines()]
        return {kid: state for alg, state, kid, *_ in lines if alg == "ES256"}

    before = states()
    following = next(kid for kid, state in before.items() if state == "next")
    assert jingban("keys", "rotate", "--alg", "ES256", "--now").returncode == 0
    after = states()
    assert after[following] == "active"
    assert sorted(after.values()) == ["active", "next", "retired"]


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("--redirect-uri", "http://portal.example/cb"), "http://portal.example/cb"),
        (("--redirect-uri", "https://portal.example/cb#part"), "#part"),
        (("--redirect-uri", "javascript:alert(1)"), "javascript"),
    ],
)
def test_unsafe_redirect_uri_is_refused(jingban: Run, arguments: tuple[str, ...], complaint: str) -> None:
    """A2: a client is registered with addresses that codes may be sent to."""
    jingban("keys", "init")
    jingban("db", "upgrade")
    refused = jingban("client", "add", "portal", "--name", "门户", *arguments)
    assert refused.returncode == 1
    assert complaint in refused.stderr
    assert "Traceback" not in refused.stderr


@pytest.mark.parametrize(
    ("variables", "complaint"),
    [
        ({"JINGBAN_ISSUER": "http://idp.example"}, "JINGBAN_ISSUER"),
        ({"JINGBAN_ISSUER": "https://idp.example/"}, "slash"),
        ({"JINGBAN_SESSION_IDLE": "99999999"}, "session_idle"),
        ({"JINGBAN_LOG_LEVEL": "LOUD"}, "JINGBAN_LOG_LEVEL"),
    ],
)
def test_wrong_settings_are_named(jingban: Run, variables: dict[str, str], complaint: str) -> None:
    refused = jingban("doctor", **variables)
    assert refused.returncode == 1
    assert complaint in refused.stderr
    assert "Traceback" not in refused.stderr


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("setting", ["software_statement_jwks", "fetch_ca_file"])
@pytest.mark.parametrize(
    "content", [None, b"", b"\xff", b"{}", b'{"keys": []}', b'{"keys": [{"kty": "oct", "k": "eA"}]}']
)
def test_a_file_that_cannot_serve_is_found_at_start(
    jingban: Run, tmp_path: Path, setting: str, content: bytes | None
) -> None:
    """Not by the first client that needs it. The doctor says it, and nothing starts."""
    jingban("keys", "init")
    file = tmp_path / "keys-of-others"
    if content is not None:
        file.write_bytes(content)
    variable = {f"JINGBAN_{setting.upper()}": str(file)}
    doctor = jingban("doctor", **variable)
    assert doctor.returncode == 1
    [complaint] = [line for line in doctor.stdout.splitlines() if str(file) in line]
    assert complaint.startswith(f"WRONG  settings: JINGBAN_{setting.upper()}: ")
    for command in ("serve", "worker"):
        refused = jingban(command, **variable)
        assert refused.returncode == 1
        assert f"JINGBAN_{setting.upper()}: {file} " in refused.stderr
        assert "Traceback" not in refused.stderr


def test_unknown_setting_in_the_file_is_named(jingban: Run, tmp_path: Path) -> None:
    (tmp_path / "jingban.toml").write_text('isuer = "https://idp.example"\n')
    refused = jingban("--config", "jingban.toml", "doctor")
    assert refused.returncode == 1
    assert "isuer" in refused.stderr.lower()
    assert "Traceback" not in refused.stderr


def test_variables_win_over_the_file(jingban: Run, tmp_path: Path) -> None:
    (tmp_path / "jingban.toml").write_text('issuer = "https://one.example"\nlog_level = "nonsense"\n')
    refused = jingban("--config", "jingban.toml", "doctor")
    assert "LOG_LEVEL" in refused.stderr
    assert "LOG_LEVEL" not in jingban("--config", "jingban.toml", "doctor", JINGBAN_LOG_LEVEL="INFO").stderr


def test_audit_can_be_verified(jingban: Run) -> None:
    """A4: an operator can recompute the chain."""
    jingban("keys", "init")
    jingban("db", "upgrade")
    verified = jingban("audit", "verify")
    assert verified.returncode == 0
    assert "chain intact" in verified.stdout


def test_business_goes_into_the_catalogue(jingban: Run) -> None:
    """A3: what units can grant is entered by an administrator."""
    jingban("keys", "init")
    jingban("db", "upgrade")
    assert jingban("business", "put", "edu.course", "--name", "继续教育", "--min-person-level", "1").returncode == 0
    assert jingban("business", "put", "edu.course", "--name", "继续教育报名").returncode == 0
    listed = jingban("business", "list").stdout.splitlines()
    assert [line.split() for line in listed] == [["edu.course", "L0/L0", "继续教育报名"]]


def test_database_that_is_away_is_no_traceback(jingban: Run) -> None:
    jingban("keys", "init")
    refused = jingban("client", "list")
    assert refused.returncode == 1
    assert "doctor" in refused.stderr
    assert "Traceback" not in refused.stderr
