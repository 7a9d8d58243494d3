"""Requests made from the schema alone: each gets an answer that the schema documents."""

from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections
from hypothesis import HealthCheck, settings

from annotation.rest import api
from codecs_eval import tokens
from codecs_eval.models import Run
from tests.annotation.rest.asking import ALL
from tests.factories import make_ada, make_judgments, make_session, make_study

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("triad_home"), pytest.mark.slow]

built = cache(get_wsgi_application)


def application(environ: Any, start_response: Any) -> Any:
    """The site, built when it is first asked: not before its static files are there."""
    return built()(environ, start_response)


schema = schemathesis.openapi.from_dict(api.get_openapi_schema(path_prefix="/api/v1/"))
schema.app = application
schema.config.generation.update(max_examples=10)
# What its parts allow may not go together (422), or no database could hold it (400): both are
# documented, and say why.
schema.config.checks.positive_data_acceptance.expected_statuses = [
    *("2xx", "400", "401", "403", "404", "409", "422", "429"),
]


@pytest.fixture
def kept_connection(db: None) -> Iterator[None]:
    """A request must not close the connection that holds the test's transaction."""
    signals = (request_started, request_finished)
    for signal in signals:
        signal.disconnect(close_old_connections)
    yield
    for signal in signals:
        signal.connect(close_old_connections)


@pytest.fixture
def token(triad_home: Any, kept_connection: None, settings: Any) -> str:
    """May do all; and a few rows that the requests may meet."""
    settings.API_REQUESTS_PER_MINUTE = 0
    study = make_study()
    make_judgments(make_session(study), 2)
    Run.objects.create(kind="score", title="Scores")
    return tokens.make_token(make_ada(is_superuser=True), "schemathesis", ALL)[1]


@schema.parametrize()
@settings(suppress_health_check=list(HealthCheck), deadline=None, derandomize=True)
def test_no_answer_is_undocumented(case: Any, token: str) -> None:
    case.call_and_validate(headers={"Authorization": f"Bearer {token}"})
