"""What keeps a step from being done.

EdgeError
└── StepError
    ├── InputError        a file holds no contract's input half
    ├── LabelsError       a file of labels cannot be read
    ├── LedgerError       the store's ledger cannot be read whole, so nobody knows what is in the store
    ├── DatasetError      a dataset is not what it should be, or holds too little
    ├── BlobError         the store does not hold what the dataset says
    ├── RunError          a run, or what was made of it, is not what it should be
    ├── TrackingError     MLflow cannot be told of a run
    ├── ExtraError        a step needs an extra that is not installed
    ├── CatalogError      the workspace's model registry does not answer, or refuses
    ├── WatchError        a watch cannot go on from where it was
    ├── PlanError         a rollout's plan makes no sense, or finds no device
    └── HubError          IoT Hub refuses, or cannot be reached
        └── ChangedError  a twin is another one since it was read
"""

from edge_common.errors import EdgeError


class StepError(EdgeError):
    """A step cannot be done."""


class InputError(StepError):
    """A file holds neither a contract nor an input half."""


class LabelsError(StepError):
    """A file of labels cannot be read."""

    hint = "it is CSV with the columns label and id or path, and sample where files hold many; or COCO's JSON"


class LedgerError(StepError):
    """The store's ledger cannot be read whole."""

    hint = "edge-verify says what is wrong with the store"


class DatasetError(StepError):
    """A dataset is not what it should be, or holds too little."""


class BlobError(StepError):
    """The store does not hold what the dataset says."""

    hint = "restore the file; edge-verify --deep says which ones differ"


class RunError(StepError):
    """A run is not what it should be."""


class TrackingError(StepError):
    """MLflow cannot be told of a run."""

    hint = "credentials belong in MLflow's own variables; the run is made, so the same command tells of it later"


class ExtraError(StepError):
    """A step needs an extra that is not installed."""

    hint = "pip install 'edge-mlops[…]' with the extra that docs/mlops.md names"


class WatchError(StepError):
    """A watch cannot go on from where it was."""

    hint = "let the other one end; or remove watch.json, and what was made is found again where it lies"


class PlanError(StepError):
    """A rollout's plan makes no sense, or finds no device."""


class HubError(StepError):
    """IoT Hub refuses, or cannot be reached."""


class ChangedError(HubError):
    """A twin is another one since it was read."""


class CatalogError(StepError):
    """The workspace's model registry does not answer, or refuses."""

    hint = "docs/mlops.md says what the identity must be allowed to"
