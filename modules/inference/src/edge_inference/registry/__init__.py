"""OCI registries as sources of models, and as places to put them.

https://github.com/opencontainers/distribution-spec/blob/main/spec.md
"""
