"""schemathesis over the description, against the running provider: seeded, so many examples and no more.

What it makes from the description goes to every operation, right and wrong, with credentials and without. No answer
is a 5xx, and each has the status, the content type, the headers and the body that the description gives it.
"""

from collections.abc import Mapping
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from schemathesis import checks
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.oidc.hostile import description
from tests.oidc.hostile.server import Running
from tests.oidc.portal import basic

EXAMPLES = {GenerationMode.POSITIVE: 25, GenerationMode.NEGATIVE: 8}
"""How many for each operation; what breaks the description costs more to make, and test_values.py has more of it."""

CHECKS = [
    checks.not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
SCHEMA = schemathesis.openapi.from_dict(description.document())
OPERATIONS = {each.ok().label: each.ok() for each in SCHEMA.get_all_operations()}
ROUNDS = [
    (label, mode)
    for label, operation in OPERATIONS.items()
    for mode in GenerationMode
    if mode is GenerationMode.POSITIVE or operation.body or operation.query or operation.path_parameters
]


def credentials(running: Running, label: str) -> Mapping[str, str]:
    """Return the header that opens an operation."""
    schemes = description.Operation(*label.split()).schemes
    if "clientSecretBasic" in schemes:
        return {"Authorization": basic("portal", str(running.portal.secret))}
    token = running.managed["registration_access_token"]
    return {"Authorization": f"Bearer {running.initial_token if 'initialAccessToken' in schemes else token}"}


def test_every_operation_is_found() -> None:
    assert set(OPERATIONS) == {str(each) for each in description.operations()}


@pytest.mark.parametrize(("label", "mode"), ROUNDS)
def test_answers_are_as_described(running: Running, label: str, mode: GenerationMode) -> None:
    operation, header = OPERATIONS[label], credentials(running, label)

    @hypothesis_settings(
        max_examples=EXAMPLES[mode],
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode), with_credentials=st.booleans())
    def attack(case: Any, with_credentials: bool) -> None:
        headers = header if with_credentials else {}
        response = case.call(base_url=running.issuer, session=running.http, headers=headers)
        case.validate_response(response, checks=CHECKS)

    attack()
