"""The template for two models is the suite's own, and what a second model takes."""

import json
import re
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[3]
SECOND = "-tables"
DESIRED = "properties.desired"


def template(name: str) -> Any:
    content: Any = json.loads((ROOT / name).read_text().replace("${REQUIRE_GPU}", "false"))["modulesContent"]
    return content


ONE, TWO = template("deployment.template.json"), template("deployment.two-models.template.json")


def modules(content: Any) -> Any:
    return content["$edgeAgent"][DESIRED]["modules"]


def routes(content: Any) -> dict[str, Any]:
    found: dict[str, Any] = content["$edgeHub"][DESIRED]["routes"]
    return found


def test_a_second_model_takes_an_inference_and_a_transform_of_its_own() -> None:
    assert modules(TWO).keys() - modules(ONE).keys() == {"inference-tables", "transform-tables"}
    for name, module in modules(ONE).items():
        assert modules(TWO)[name] == module
    for name in ("inference", "transform"):
        text = json.dumps(modules(TWO)[name + SECOND])
        text = text.replace(f"{name}{SECOND}-state", f"{name}-state").replace("/tensors/tables", "/tensors")
        assert json.loads(text) == modules(ONE)[name]


def test_each_pair_has_the_same_routes_and_takes_other_items() -> None:
    first = {name: route for name, route in routes(TWO).items() if name in routes(ONE)}
    second = [route for name, route in routes(TWO).items() if name not in routes(ONE)]
    first["items"] = first["items"] | {"route": first["items"]["route"].replace(" WHERE kind <> 'tables'", "")}
    assert first == routes(ONE)
    own = [route for route in first.values() if re.search("/(transform|inference)/", route["route"])]
    named = [
        route | {"route": route["route"].replace(f"{SECOND}/", "/").replace(" WHERE kind = 'tables'", "")}
        for route in second
    ]
    assert named == own


def test_they_share_ingest_upload_and_the_tensor_store() -> None:
    assert TWO["ingest"][DESIRED] == ONE["ingest"][DESIRED] | {"kinds": {"tables": ["**/*.{csv,jsonl,parquet}"]}}
    assert TWO["upload"] == ONE["upload"]
    budgets = [TWO[name][DESIRED]["storeBudgetBytes"] for name in ("transform", "transform-tables")]
    assert sum(budgets) <= ONE["transform"][DESIRED]["storeBudgetBytes"]
