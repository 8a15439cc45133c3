"""Shards of models on several processes: the bits that one process draws."""

import pytest
from sharded import SCENARIOS
from torch_processes import run_all

from initperf.torch.shards import shard


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    directory = tmp_path_factory.mktemp("sharded")
    run_all(directory)
    return directory


@pytest.mark.parametrize(
    ("scenario", "size"), [(each, size) for size, names in SCENARIOS.items() for each in names]
)
def test_shards_have_the_bits_of_the_whole(results, scenario, size):
    reports = [results / f"{scenario}-{size}-{rank}.txt" for rank in range(size)]
    failures = [report.read_text() for report in reports if report.is_file()]
    assert not any(failures), "\n".join(failures)
    assert all(report.is_file() for report in reports), "an earlier scenario ended the processes"


def test_strided_shards_take_their_share_of_each_piece():
    # 10 indices in two pieces, 0-5 and 5-10, each cut among 2: 0-3, 3-5 and 5-8, 8-10
    assert shard([(0, 10)], 2, 0, split_factor=2) == [(0, 3), (5, 8)]
    assert shard([(0, 10)], 2, 1, split_factor=2) == [(3, 5), (8, 10)]
    # as torch.chunk, the last of 4 has nothing of 3, nor has a piece that is not there
    assert shard([(0, 3)], 4, 3) == []
    assert shard([(2, 4), (8, 10)], 2, 1) == [(8, 10)]
    assert shard([(2, 4), (8, 11)], 2, 0) == [(2, 4), (8, 9)]
