"""Sign-ins by QR code that are under way, in memory.

The QR code carries the scan's id only. Whoever completes the sign-in must also have the secret, which stands on the
page that shows the QR code and nowhere else.
"""

import hmac
import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from sandbox.province.accounts import Kind

SCAN_SECONDS = 120.0
OPEN = ("waiting", "scanned")


@dataclass(frozen=True)
class Scan:
    """One QR code, for the request `purpose`. `state` goes from waiting over scanned to confirmed or refused."""

    scan_id: str
    secret: str
    kind: Kind
    purpose: tuple[str, str, str]
    client_name: str
    browser: str
    began_at: datetime
    until: float
    state: str = "waiting"
    useridcode: str = ""


class Scans:
    """Scans by id, safe for parallel requests: a scan is replaced whole, under a lock."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._scans: dict[str, Scan] = {}
        self._lock = threading.Lock()

    def begin(self, kind: Kind, purpose: tuple[str, str, str], client_name: str, browser: str) -> Scan:
        """Return a new scan, waiting."""
        scan = Scan(
            scan_id=secrets.token_urlsafe(16),
            secret=secrets.token_urlsafe(24),
            kind=kind,
            purpose=purpose,
            client_name=client_name,
            browser=browser,
            began_at=datetime.now(UTC),
            until=self._clock() + SCAN_SECONDS,
        )
        with self._lock:
            for gone in [known for known, each in self._scans.items() if each.until <= self._clock()]:
                del self._scans[gone]
            self._scans[scan.scan_id] = scan
        return scan

    def look(self, scan_id: str) -> Scan | None:
        """Return the scan as it stands, or None if it is unknown, used or too old."""
        with self._lock:
            return self._look(scan_id)

    def see(self, scan_id: str) -> None:
        """Note that a phone has opened the scan."""
        with self._lock:
            scan = self._look(scan_id)
            if scan is not None and scan.state == "waiting":
                self._scans[scan_id] = replace(scan, state="scanned")

    def decide(self, scan_id: str, useridcode: str | None) -> bool:
        """Confirm for that account, or refuse (None). Return whether it was still open: the first decision counts."""
        with self._lock:
            scan = self._look(scan_id)
            if scan is None or scan.state not in OPEN:
                return False
            state = "refused" if useridcode is None else "confirmed"
            self._scans[scan_id] = replace(scan, state=state, useridcode=useridcode or "")
            return True

    def own(self, scan_id: str, secret: str, purpose: tuple[str, str, str]) -> Scan | None:
        """Return the scan if `secret` and `purpose` are its own."""
        scan = self.look(scan_id)
        if scan is None or scan.purpose != purpose:
            return None
        return scan if hmac.compare_digest(scan.secret.encode(), secret.encode()) else None

    def complete(self, scan: Scan) -> str | None:
        """Return the account that confirmed `scan`, once; None if nobody did."""
        with self._lock:
            now = self._look(scan.scan_id)
            if now is None or now.state != "confirmed":
                return None
            del self._scans[scan.scan_id]
            return now.useridcode

    def _look(self, scan_id: str) -> Scan | None:
        scan = self._scans.get(scan_id)
        return scan if scan is not None and scan.until > self._clock() else None
