"""Which store the environment asks for."""

from collections.abc import Mapping
from pathlib import Path

import pytest
from pydantic import ValidationError

from edge_common.clock import SystemClock
from edge_common.errors import ConfigurationError
from edge_upload.settings import UploadEnvironment
from edge_upload.sinks import Sink
from edge_upload.sinks.choice import chosen

URL = "https://edge.blob.core.windows.net/results"


def asked(tmp_path: Path, **given: Path | str) -> Sink:
    values: Mapping[str, object] = {
        "state_dir": tmp_path,
        "tensor_dir": tmp_path,
        "iotedge_deviceid": "edge 7",
        **given,
    }
    return chosen(UploadEnvironment.model_validate(values), SystemClock())


def test_a_share_or_a_container(tmp_path: Path) -> None:
    assert asked(tmp_path, cloud_dir=tmp_path).durable == "appliance"
    assert asked(tmp_path, blob_container=URL).durable == "cloud"


def test_neither_or_both_is_an_error_that_names_the_variables(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="either CLOUD_DIR or BLOB_CONTAINER"):
        asked(tmp_path)
    with pytest.raises(ConfigurationError, match="CLOUD_DIR and BLOB_CONTAINER exclude"):
        asked(tmp_path, cloud_dir=tmp_path, blob_container=URL)


@pytest.mark.parametrize("url", ["results", "https://edge.blob.core.windows.net", f"{URL}?sig=c2VjcmV0", f"{URL}/"])
def test_an_address_that_is_no_container_s_is_refused(tmp_path: Path, url: str) -> None:
    with pytest.raises(ValidationError):
        asked(tmp_path, blob_container=url)


@pytest.mark.parametrize("url", [URL, "http://127.0.0.1:10000/account/results"])
def test_addresses_of_both_styles_are_taken(tmp_path: Path, url: str) -> None:
    asked(tmp_path, blob_container=url)


def test_a_version_that_the_sdk_does_not_speak_is_refused_at_the_start(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"BLOB_API_VERSION: .*'2017-04-17'.*select from: 2019-02-02 "):
        asked(tmp_path, blob_container=URL, blob_api_version="2017-04-17")
