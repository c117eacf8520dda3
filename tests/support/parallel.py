"""The same thing done by many at once, each in an application context of its own, starting together."""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from flask import Flask

from idp.store import hot
from idp.store.db import db

Result = TypeVar("Result")


def all_at_once(app: Flask, works: Sequence[Callable[[], Result]]) -> list[Result | Exception]:
    """Run `works` in as many threads and return what each returned or raised, in order."""
    gate = threading.Barrier(len(works))

    def run(work: Callable[[], Result]) -> Result | Exception:
        with app.app_context():
            gate.wait(timeout=30)
            try:
                return work()
            except Exception as error:  # noqa: BLE001 - the test looks at it
                return error
            finally:
                db.session.remove()
                hot.close()

    with ThreadPoolExecutor(len(works)) as pool:
        return list(pool.map(run, works))
