"""The description is valid, and what is served is what it describes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from openapi_spec_validator import validate_spec
from schemathesis import GenerationMode
from schemathesis.config import SchemathesisConfig

from hipwise.paths import HOME
from hipwise.yaml_files import read_yaml
from tests.gateway import API, Gateway, in_thread, settings_at

DESCRIPTION: dict[str, Any] = read_yaml(HOME / "hipwise" / "openapi.yml")
OPERATIONS = [
    (method.upper(), path)
    for path, item in DESCRIPTION["paths"].items()
    for method in item
    if method in ("get", "post", "delete", "put", "patch")
]
#: What takes nothing cannot be given anything wrong.
CASES = [(method, path, GenerationMode.POSITIVE) for method, path in OPERATIONS] + [
    (method, path, GenerationMode.NEGATIVE)
    for method, path in OPERATIONS
    if "{id}" in path or "requestBody" in DESCRIPTION["paths"][path][method.lower()]
]
EXAMPLES = 60


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    with in_thread(settings_at(tmp_path_factory.mktemp("openapi"))) as gateway:
        yield gateway


@pytest.fixture(scope="module")
def schema(gateway: Gateway) -> Any:
    # By default it does not take 413 for a refusal of what is too long.
    config = SchemathesisConfig.from_dict({"checks": {"negative_data_rejection": {"expected-statuses": ["4xx"]}}})
    return schemathesis.openapi.from_url(f"http://127.0.0.1:{gateway.port}/api/v1/openapi.json", config=config)


def test_it_is_valid() -> None:
    validate_spec(dict(DESCRIPTION))  # type: ignore[arg-type]


def test_every_route_is_described_and_every_description_is_a_route(gateway: Gateway) -> None:
    served = set()
    for route in gateway.app.router.routes:
        path = "/" + route.path.replace("<conversation:str>", "{id}")
        # The pages are files, and not part of the interface.
        if path == "/" or path.startswith("/<__"):
            continue
        served |= {(method, path) for method in route.methods if method != "HEAD"}
    described = {(method, path) for method, path in OPERATIONS}
    assert {entry for entry in served if not entry[1].startswith("/<name")} == described


@pytest.mark.slow
@pytest.mark.parametrize(
    ("method", "path", "mode"), CASES, ids=lambda part: str(getattr(part, "name", part)).replace("/", ".")
)
def test_what_is_served_is_what_is_described(
    schema: Any, gateway: Gateway, method: str, path: str, mode: GenerationMode
) -> None:
    operation = schema[path][method]
    base = f"http://127.0.0.1:{gateway.port}"
    with httpx.Client(base_url=base) as client:
        opened = client.post(API, json={"channel": "kiosk"}).json()
    seen: Counter[int] = Counter()

    # Half with a token, half without: drawn by chance, 5 of 60 had one once.
    for known in (True, False):

        @given(case=operation.as_strategy(generation_mode=mode), known=st.just(known))
        @settings(
            max_examples=EXAMPLES // 2,
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
            phases=[Phase.explicit, Phase.generate, Phase.shrink],
        )
        def run(case: Any, known: bool) -> None:
            headers = {}
            if known:
                headers["Authorization"] = f"Bearer {opened['token']}"
                if "{id}" in path and method != "DELETE":
                    case.path_parameters = {"id": opened["id"]}
            response = case.call(base_url=base, headers=headers, timeout=10)
            seen[response.status_code] += 1
            assert response.status_code < 500
            # Status, media type, headers and body as described; nothing that is not.
            case.validate_response(response)

        run()
    assert sum(seen.values()) >= 1
    if "security" in DESCRIPTION["paths"][path][method.lower()]:
        assert seen[401], seen
    if mode is GenerationMode.POSITIVE and method == "POST" and path.endswith(("conversations", "messages")):
        assert seen[200] + seen[201] > 5, seen
