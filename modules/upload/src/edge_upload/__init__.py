"""The upload module: keeps results on disk until the cloud has them."""
