"""``edge-run loop``: from a device that only collects to its second model, and what becomes of a third."""
