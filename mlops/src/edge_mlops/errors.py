"""What keeps a step from being done.

EdgeError
└── StepError
├── InputError    a file holds no contract's input half
├── LabelsError   a file of labels cannot be read
├── LedgerError   the store's ledger cannot be read whole, so nobody knows what is in the store
├── DatasetError  a dataset is not what it should be, or holds too little
├── BlobError     the store does not hold what the dataset says
├── RunError      a run is not what it should be
├── TrackingError MLflow cannot be told of a run
└── ExtraError    a step needs an extra that is not installed
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
