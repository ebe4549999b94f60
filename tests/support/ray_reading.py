"""A program: reads a dataset's version by Ray Data, in parts at the same time.

Arguments: the version's folder, the store, a file with the input half, and the folder for the samples, a Parquet file a
part.
"""

import sys
from functools import partial
from pathlib import Path

import ray

from edge_mlops.dataset import parallel
from edge_mlops.wishes import read_wish

PARTS = 4


def main(version: Path, store: str, contract: Path, to: Path) -> None:
    ray.init(num_cpus=2, include_dashboard=False, object_store_memory=100 << 20, log_to_driver=False)
    manifest = ray.data.read_parquet(str(version / "manifest.parquet")).repartition(PARTS)
    read = partial(parallel.samples, store=store, wanted=read_wish(contract).input)
    manifest.map_batches(read, batch_format="pyarrow").write_parquet(str(to))
    ray.shutdown()


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3]), Path(sys.argv[4]))
