"""What the hub keeps on disk: queued messages, twins, subscriptions. It survives SIGKILL."""
