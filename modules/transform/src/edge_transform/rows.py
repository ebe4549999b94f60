"""What batches are made of."""

import numpy as np
import numpy.typing as npt

Row = npt.NDArray[np.float32 | np.uint8]
"""A sample, of the contract's shape and dtype."""

Rows = npt.NDArray[np.float32 | np.uint8]
"""Several of them."""
