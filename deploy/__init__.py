"""What brings the suite to devices: manifests for every place that it runs at, roll-out, roll back, and status."""
