"""What every module shares: hub client, messages, settings, errors, logging, metrics, lifecycle, tensor store."""
