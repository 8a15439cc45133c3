import numpy as np
import pytest

from initperf import Experiment, data, train
from initperf._core.registry import UnknownNameError
from initperf.data import from_arrays
from initperf.errors import DataError
from initperf.training.train import run_name


def iris_like(count=60, classes=3, features=5):
    """Make rows around a centre for each class."""
    rng = np.random.default_rng(0)
    labels = np.arange(count) % classes
    centres = rng.normal(0.0, 3.0, (classes, features))
    centres[0] -= 9.0  # so that a single feature, too, tells two classes apart
    return centres[labels] + rng.normal(0.0, 0.5, (count, features)), labels


SMALL = Experiment(hidden=(8,), epochs=20, batch_size=10, backend="numpy")


@pytest.mark.parametrize(("classes", "features"), [(2, 1), (3, 5), (26, 16)])
def test_any_number_of_features_and_classes_is_trained_on(classes, features):
    rows, labels = iris_like(20 * classes, classes, features)
    dataset = from_arrays(rows, labels)
    assert dataset.classes == classes
    run = train(SMALL, dataset=dataset)
    assert len(run.layers["layer"].unique()) == 2
    assert run.test_accuracy > 1.5 / classes  # far above chance, 1 / classes
    assert run.dataset["dataset_size"] == len(rows)


def test_features_are_standardised_by_the_training_set():
    rows, labels = iris_like()
    rows[:, 2] = 7.0
    dataset = from_arrays(rows, labels)
    features = dataset.features("train", "float64")
    expected = np.array([1.0, 1.0, 0.0, 1.0, 1.0])
    # sums of 48 rounding errors of 1e-16 each
    assert features.mean(axis=0) == pytest.approx(np.zeros(5), abs=1e-13)
    assert features.std(axis=0) == pytest.approx(expected, abs=1e-13)
    plain = from_arrays(rows, labels, standardised=False)
    assert np.array_equal(plain.features("test", "float64"), plain.test_images)
    assert plain.digest != dataset.digest
    assert dataset.features("train", "float32", 3).shape == (3, 5)
    with pytest.raises(ValueError, match="count must be at most 48"):
        dataset.features("train", "float32", 49)


def test_the_split_is_that_of_each_class_and_the_same_each_time():
    rows, labels = iris_like(100, 4)
    one, other = from_arrays(rows, labels), from_arrays(rows, labels)
    assert one.digest == other.digest
    assert np.bincount(one.test_labels).tolist() == [5, 5, 5, 5]
    assert len(one.train_labels) == 80
    both = np.concatenate([one.train_images, one.test_images])
    assert np.array_equal(np.sort(both[:, 0]), np.sort(rows[:, 0]))
    rows[0, 0] += 1.0
    assert from_arrays(rows, labels).digest != one.digest
    experiment = Experiment()
    assert run_name(experiment, one.digest) != run_name(experiment, "a")


def test_words_are_classes():
    rows, labels = iris_like()
    words = np.array(["setosa", "versicolor", "virginica"])[labels]
    dataset = from_arrays(rows, words, rows, words)
    assert dataset.class_names == ("setosa", "versicolor", "virginica")
    assert np.array_equal(dataset.train_labels, labels)


@pytest.mark.parametrize(
    ("arrays", "reason"),
    [
        (([[1.0], [2.0]], [0]), "2 rows but 1 targets"),
        (([[1.0], [np.nan]], [0, 1]), "must be finite"),
        (([1.0, 2.0], [0, 1]), r"features of shape \(2,\)"),
        (([["a"], ["b"]], [0, 1]), "features must be numbers"),
        (([[1.0], [2.0]], [[0], [1]]), r"int64 targets of shape \(2, 1\)"),
        (([[1.0], [2.0]], [1, 1]), "1 class, expected at least two"),
        (([[1.0], [2.0]], [0, 1], [[1.0]]), "come together"),
        (([[1.0], [2.0]], [0, 1], [[1.0, 2.0]], [0]), "differ in their features"),
        ((np.zeros((0, 3)), []), "features of shape"),
    ],
)
def test_what_is_no_data_is_refused(arrays, reason):
    with pytest.raises(DataError, match=reason):
        from_arrays(*arrays)


def test_files_are_data_sets(tmp_path):
    rows, labels = iris_like()
    np.savez(tmp_path / "a.npz", images=rows.reshape(60, 5, 1), labels=labels)
    np.savez(tmp_path / "b.npz", X=rows, y=labels)
    lines = [
        ",".join([*map(repr, row.tolist()), f"k{k}"]) for row, k in zip(rows, labels, strict=True)
    ]
    (tmp_path / "c.csv").write_text("\n".join(["a,b,c,d,e,kind", *lines]))
    a, b = (data.load(str(tmp_path / name)) for name in ("a.npz", "b.npz"))
    c = data.load(str(tmp_path / "c.csv#kind"))
    last = data.load(str(tmp_path / "c.csv"))
    assert a.digest == b.digest
    assert c.digest == last.digest
    assert np.array_equal(c.train_images, a.train_images)
    assert c.class_names == ("k0", "k1", "k2")
    assert a.location == str(tmp_path / "a.npz")
    parts = "train_images", "train_labels", "test_images", "test_labels"
    np.savez(tmp_path / "d.npz", **{part: getattr(a, part) for part in parts})
    assert data.load(str(tmp_path / "d.npz")).digest == a.digest


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("a.npz", b"nonsense", "no readable archive of arrays: its content is not that of .npz$"),
        ("a.npz", b"PK\x03\x04 damaged", "no readable archive"),
        ("a.csv", b"a,b\n", "a header and no rows"),
        (
            "a.csv",
            b"a,b\n1,0\n2,1\n",
            "2 rows are too few: 20% of the rows of each class are the test",
        ),
        ("a.csv", b"", "no readable table"),
        ("a.csv", b"a,b\n1,2\n", "1 class"),
        ("a.csv", b"a\n1\n", "1 column"),
        ("a.csv#x", b"a,b\n1,2\n", "no column 'x'; there are a, b"),
        ("a.csv", b"a,b\nx,2\n", "column a holds words"),
        ("a.csv", b"a,b\n1,2\n2,\n", "rows without a target"),
        ("a.csv", b"a,b\n1,2\n2,0.5\n", "2 different numbers, and classes must be"),
        ("a.csv", b"a,b\n1,2\n,3\n", "must be finite"),
        ("a.csv", b"a,b\n\xff\xfe,3\n", "no readable table"),
    ],
)
def test_bad_files_are_bad_data_in_one_line(tmp_path, name, content, reason):
    (tmp_path / name.partition("#")[0]).write_bytes(content)
    with pytest.raises(DataError, match=reason) as caught:
        data.load(str(tmp_path / name))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["features.py", "."])
def test_other_files_are_told_what_is_read(name):
    with pytest.raises(
        UnknownNameError, match=r"a file must be \.npz or \.csv, and a directory of"
    ):
        data.load(name)


def test_an_archive_without_labels_and_a_missing_file_are_told(tmp_path):
    np.savez(tmp_path / "a.npz", images=np.zeros((3, 2)))
    with pytest.raises(DataError, match="it holds images"):
        data.load(str(tmp_path / "a.npz"))
    with pytest.raises(DataError, match="no such file"):
        data.load(str(tmp_path / "b.npz"))
