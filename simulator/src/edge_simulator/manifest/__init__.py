"""Deployment manifests and their templates, read into types."""

from edge_simulator.manifest.errors import ManifestError
from edge_simulator.manifest.loading import load
from edge_simulator.manifest.model import CreateOptions, Manifest, ModuleSpec, Mount

__all__ = ["CreateOptions", "Manifest", "ManifestError", "ModuleSpec", "Mount", "load"]
