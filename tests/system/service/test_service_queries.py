"""Queries by the service SDK."""

from typing import Any

import pytest
from azure.iot.hub.models import QuerySpecification, Twin
from msrest.exceptions import HttpOperationError

from support.service import ServiceClients


def _found(service: ServiceClients, query: str) -> list[Any]:
    twins = service.registry.query_iot_hub(QuerySpecification(query=query)).items
    return [twin.module_id or twin.device_id for twin in twins]


def test_queries_find_twins(service: ServiceClients) -> None:
    service.registry.update_twin("edge", Twin(tags={"site": "lab"}))
    assert _found(service, "SELECT * FROM devices WHERE tags.site = 'lab'") == ["edge"]
    assert _found(service, "SELECT * FROM devices WHERE tags.site != 'lab'") == []
    assert _found(service, "SELECT * FROM devices.modules WHERE properties.desired.rate = 1") == ["camera"]


def test_answers_come_in_pages(service: ServiceClients) -> None:
    query = QuerySpecification(query="SELECT * FROM devices.modules")
    pages: list[list[str]] = []
    token = None
    while token is not None or not pages:
        page = service.registry.query_iot_hub(query, token, 3)
        pages.append([twin.module_id for twin in page.items])
        token = page.continuation_token
    assert pages == [["$edgeAgent", "$edgeHub", "camera"], ["viewer"]]


def test_a_query_that_is_none_is_refused(service: ServiceClients) -> None:
    with pytest.raises(HttpOperationError) as refused:
        _found(service, "SELECT everything")
    assert refused.value.response.status_code == 400
    assert "expected *, found 'everything'" in refused.value.response.text
