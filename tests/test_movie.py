"""Movies of recorded histograms."""

import pytest
from PIL import Image

from initperf import Experiment, cli, train
from initperf.errors import UsageError
from initperf_figures import movie


@pytest.fixture(scope="module")
def run(blobs):
    """Train three steps of a small network, and record them all."""
    steps = Experiment("he_normal", hidden=(8, 8), epochs=1, histogram_steps=(1, 2, 3))
    return train(steps, dataset=blobs)


@pytest.mark.parametrize("quantity", ["activation", "gradient"])
def test_a_movie_has_a_frame_a_step(run, tmp_path, quantity):
    path = movie(run, tmp_path / "steps.gif", quantity=quantity, frames_per_second=10)
    with Image.open(path) as picture:
        assert picture.n_frames == 3
        assert picture.info["duration"] == 100
        first = picture.convert("L").copy()
        picture.seek(2)
        assert first.tobytes() != picture.convert("L").tobytes()
    assert list(tmp_path.iterdir()) == [path]


def test_what_cannot_be_a_movie_is_refused(run, blobs, tmp_path):
    with pytest.raises(UsageError, match=r"a \.gif or an \.mp4, not 'x\.avi'"):
        movie(run, tmp_path / "x.avi")
    with pytest.raises(ValueError, match="quantity must be"):
        movie(run, tmp_path / "x.gif", quantity="weights")
    with pytest.raises(ValueError, match="frames_per_second must be"):
        movie(run, tmp_path / "x.gif", frames_per_second=0)
    with pytest.raises(UsageError, match="cannot write"):
        movie(run, tmp_path / "none" / "x.gif")
    silent = train(Experiment("he_normal", hidden=(8,), epochs=1), dataset=blobs)
    with pytest.raises(UsageError, match="train with histogram_steps"):
        movie(silent, tmp_path / "x.gif")


@pytest.mark.slow
def test_the_verb_records_and_writes_one(tmp_path, capsys):
    path = tmp_path / "first.gif"
    assert not cli.main(["train", "--hidden", "8", "--epochs", "1", "--movie", str(path)])
    assert "first.gif" in capsys.readouterr().out
    with Image.open(path) as picture:
        assert picture.n_frames > 10
