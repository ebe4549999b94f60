"""``python -m edge_mlops`` is ``edge-mlops``."""

from edge_mlops.cli import main

if __name__ == "__main__":
    main()
