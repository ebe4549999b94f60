"""The steps ``package`` and ``publish``: a run that passed becomes the next version, signed, where devices find it."""
