import pytest

from initperf import Experiment
from initperf.errors import DataError, UnsuitableError, UsageError
from initperf.training.grids import grid, read, suitable


def test_a_grid_is_the_product_of_its_lists():
    made = list(grid(initializer=["zeros", "he_normal"], seed=[0, 1, 2], epochs=3))
    assert len(made) == 6
    assert made[1] == Experiment(initializer="zeros", seed=1, epochs=3)


def test_depth_and_width_are_axes():
    made = list(grid(depth=[1, 20], width=[4, 8], seed=[0, 1]))
    assert len(made) == 8
    assert [one.hidden for one in made[::2]] == [(4,), (8,), (4,) * 20, (8,) * 20]


def test_variances_are_axes_of_the_mean_field_scheme():
    made = list(grid(weight_variance=[0.5, 1, 4.0], bias_variance=[0.0, 0.05], activation="tanh"))
    assert [one.initializer for one in made[:3]] == [
        "mean_field(weight_variance=0.5)",
        "mean_field(weight_variance=0.5, bias_variance=0.05)",
        "mean_field",
    ]
    assert made[-1] == Experiment("mean_field(weight_variance=4.0, bias_variance=0.05)", "tanh")


@pytest.mark.parametrize(
    ("axes", "reason"),
    [
        ({"seed": []}, "seed has no values: the grid is empty"),
        ({"depth": 2}, "depth needs width"),
        ({"width": [2]}, "width needs depth"),
        ({"depth": 2, "width": 2, "hidden": (3,)}, "depth and hidden exclude each other"),
        ({"depth": 0, "width": 2}, "depth must be an integer from 1"),
        ({"depth": 10**30, "width": 2}, "depth must be an integer from 1"),
        ({"depth": "deep", "width": 2}, "depth must be an integer from 1"),
        ({"weight_variance": 1, "initializer": "zeros"}, "exclude each other"),
        ({"weight_variance": -1}, "weight_variance must be at least 0"),
        ({"parameters": {"gain": []}}, "gain has no values"),
    ],
)
def test_impossible_grids_are_refused(axes, reason):
    with pytest.raises(ValueError, match=reason):
        list(grid(**axes))


def test_what_does_not_suit_is_left_out_with_the_reason():
    made, reasons = suitable(initializer=["he_normal", "fixup"], seed=[0, 1])
    assert [one.initializer for one in made] == ["he_normal", "he_normal"]
    assert len(reasons) == 1
    assert reasons[0].startswith("fixup: ")
    with pytest.raises(UnsuitableError, match="residual must be at least 1"):
        suitable(initializer=["fixup"])


def test_a_grid_comes_from_a_file(tmp_path):
    path = tmp_path / "grid.toml"
    path.write_text(
        """
        initializer = ["he_normal", "zeros"]
        hidden = ["64-32", "3x8", [5, 6]]
        betas = [0.8, 0.9]
        optimizer = "adam"
        learning_rate = [0.1, 1]
        [parameters]
        gain = [1, 2]
        """
    )
    axes = read(path)
    assert axes["hidden"] == [(64, 32), (8, 8, 8), (5, 6)]
    made = list(grid(**axes))
    assert len(made) == 3 * 3 * 2
    assert {one.betas for one in made} == {(0.8, 0.9)}


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("sed = 1", "unknown key 'sed'; did you mean 'seed'"),
        ("seed = 'x'", "seed must be an integer"),
        ("seed = -1", "seed must be an integer of at least 0, not -1"),
        ("parameters = 3", "parameters must be a table"),
        ("hidden = '0x5'", "depth must be|hidden must be"),
    ],
)
def test_files_that_are_no_grids_are_refused(tmp_path, text, reason):
    path = tmp_path / "grid.toml"
    path.write_text(text)
    with pytest.raises(UsageError, match=reason) as caught:
        read(path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("text", ["", "# nothing yet"])
def test_an_empty_grid_is_refused(tmp_path, text):
    path = tmp_path / "grid.toml"
    path.write_text(text)
    with pytest.raises(DataError, match=r"grid\.toml' is empty"):
        read(path)


@pytest.mark.parametrize("text", [None, "seed = ["])
def test_a_grid_that_cannot_be_read_is_an_error_of_data(tmp_path, text):
    path = tmp_path / "grid.toml"
    if text is not None:
        path.write_text(text)
    with pytest.raises(DataError, match="no readable grid"):
        read(path)
