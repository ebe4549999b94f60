"""What no model is given."""

import numpy as np
import numpy.typing as npt

from edge_common.errors import ItemError


def finite(values: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """The values.

    Raises:
        ItemError: ``MISSING_VALUE``: some are not finite.
    """
    if not np.isfinite(values).all():
        raise ItemError("MISSING_VALUE", "it holds values that are not finite, or not as float32")
    return values
