"""The kinds of files: what loads each, and which keys it may have, as azure-ai-ml knows them."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

from azure.ai import ml
from azure.ai.ml._schema._datastore.azure_storage import AzureBlobSchema
from azure.ai.ml._schema._deployment.online.online_deployment import ManagedOnlineDeploymentSchema
from azure.ai.ml._schema._endpoint.online.online_endpoint import ManagedOnlineEndpointSchema
from azure.ai.ml._schema.assets.data import DataSchema
from azure.ai.ml._schema.assets.environment import EnvironmentSchema
from azure.ai.ml._schema.component.command_component import CommandComponentSchema
from azure.ai.ml._schema.compute.aml_compute import AmlComputeSchema
from azure.ai.ml._schema.core.fields import UnionField
from azure.ai.ml._schema.pipeline.component_job import CommandSchema
from azure.ai.ml._schema.pipeline.pipeline_job import PipelineJobSchema
from azure.ai.ml._schema.schedule.schedule import JobScheduleSchema
from azure.ai.ml.entities._load_functions import load_schedule
from marshmallow import Schema, fields

CONTEXT: Final = {"base_path": Path()}


class Kind(NamedTuple):
    """A kind of file.

    Attributes:
        load: Loads it, and raises if it makes no sense.
        schema: What knows its keys.
        validated: Whether what was loaded can look at itself once more.
    """

    load: Callable[[Path], Any]
    schema: Callable[..., Schema]
    validated: bool = False


KINDS: Final[Mapping[str, Kind]] = {
    "amlCompute": Kind(ml.load_compute, AmlComputeSchema),
    "azureBlob": Kind(ml.load_datastore, AzureBlobSchema),
    "commandComponent": Kind(ml.load_component, CommandComponentSchema, validated=True),
    "data": Kind(ml.load_data, DataSchema),
    "environment": Kind(ml.load_environment, EnvironmentSchema),
    "managedOnlineDeployment": Kind(ml.load_online_deployment, ManagedOnlineDeploymentSchema),
    "managedOnlineEndpoint": Kind(ml.load_online_endpoint, ManagedOnlineEndpointSchema),
    "pipelineJob": Kind(ml.load_job, PipelineJobSchema, validated=True),
    "schedule": Kind(load_schedule, JobScheduleSchema),
}
"""By the file name of the schema that a file refers to."""

_STEP: Final = Kind(ml.load_job, CommandSchema)


def unknown(kind: Kind, document: Mapping[str, Any]) -> Iterator[str]:
    """The keys that the service would not know, which azure-ai-ml leaves out without a word."""
    yield from _unknown(kind.schema(context=CONTEXT), document, "")
    for name, step in document.get("jobs", {}).items():
        yield from _unknown(_STEP.schema(context=CONTEXT), step, f"jobs.{name}.")


def _unknown(schema: Schema, values: Mapping[str, Any], where: str) -> Iterator[str]:
    known = {field.data_key or name: field for name, field in schema.fields.items()}
    for key, value in values.items():
        if key in known:
            yield from _within(known[key], value, f"{where}{key}.")
        elif key != "$schema":
            yield f"{where}{key}"


def _within(field: fields.Field, value: Any, where: str) -> Iterator[str]:
    if isinstance(field, UnionField):
        # Whatever candidate knows most of it is the one that is meant.
        candidates = [one for one in field.union_fields if _is_scalar(one) != isinstance(value, Mapping)]
        yield from min(([*_within(one, value, where)] for one in candidates), key=len, default=())
    elif isinstance(field, fields.Nested) and isinstance(value, Mapping):
        yield from _unknown(field.schema, value, where)
    elif isinstance(field, fields.Dict) and isinstance(value, Mapping) and field.value_field:
        for key, inner in value.items():
            yield from _within(field.value_field, inner, f"{where}{key}.")


def _is_scalar(field: fields.Field) -> bool:
    if isinstance(field, UnionField):
        return all(map(_is_scalar, field.union_fields))
    return not isinstance(field, fields.Nested | fields.Dict)
