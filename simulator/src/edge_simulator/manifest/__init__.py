"""Deployment manifests and their templates, read into types."""

from edge_simulator.manifest.errors import ManifestError
from edge_simulator.manifest.images import Project
from edge_simulator.manifest.loading import load, read_modules
from edge_simulator.manifest.model import CreateOptions, Manifest, ModuleSpec, Mount
from edge_simulator.manifest.patching import desired_after

__all__ = [
    "CreateOptions",
    "Manifest",
    "ManifestError",
    "ModuleSpec",
    "Mount",
    "Project",
    "desired_after",
    "load",
    "read_modules",
]
