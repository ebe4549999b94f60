"""What can go wrong while deploying.

DeployError
"""


class DeployError(Exception):
    """It cannot be done; the sentence says why, and what to do."""
