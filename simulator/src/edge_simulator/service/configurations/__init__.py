"""Configurations: deployments and settings for all devices or modules that meet a target condition."""
