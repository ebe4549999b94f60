"""The step ``rollout``: devices are told of a model in waves, watched, and told of the one before if it is no good."""
