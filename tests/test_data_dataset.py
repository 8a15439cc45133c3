"""A data set in memory: what it refuses, what names it, what a network is fed."""

import dataclasses

import numpy as np
import pytest

from initperf.data import Dataset
from initperf.errors import DataError

RNG = np.random.default_rng(2)
TRAIN = RNG.integers(0, 256, (30, 784), dtype=np.uint8)
TEST = RNG.integers(0, 100, (20, 784), dtype=np.uint8)
TRAIN_LABELS = np.arange(30) % 10
TEST_LABELS = np.arange(20) % 10


def made(train=TRAIN, train_labels=TRAIN_LABELS, test=TEST, test_labels=TEST_LABELS):
    return Dataset(train, train_labels, test, test_labels, "made", "a test")


def test_size_and_stamp():
    dataset = made()
    assert dataset.size == 50
    assert len(dataset.digest) == 16
    assert dataset.stamp == f"made, 30 + 20 images, sha256 {dataset.digest}…"
    assert repr(dataset) == f"<Dataset {dataset.stamp}>"


def test_digest_does_not_depend_on_how_arrays_are_stored():
    other = made(np.asfortranarray(TRAIN), TRAIN_LABELS.astype(np.uint8), TEST.copy())
    assert other.digest == made().digest


@pytest.mark.parametrize("part", ["train_images", "train_labels", "test_images", "test_labels"])
def test_digest_changes_with_any_value_and_with_the_order(part):
    dataset = made()
    changed = getattr(dataset, part).copy()
    changed[-1] = 0 if changed[-1].any() else 1
    assert dataclasses.replace(dataset, **{part: changed}).digest != dataset.digest
    turned = getattr(dataset, part)[::-1]
    assert dataclasses.replace(dataset, **{part: turned}).digest != dataset.digest


@pytest.mark.parametrize("part", ["train_images", "train_labels", "test_images", "test_labels"])
def test_nothing_can_be_changed(part):
    dataset = made()
    with pytest.raises(ValueError, match="read-only"):
        getattr(dataset, part)[0] = 0
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(dataset, part, None)


def test_the_callers_own_arrays_stay_writable_and_apart():
    images, labels = TRAIN.copy(), TRAIN_LABELS.copy()
    dataset = made(images, labels)
    images[:], labels[:] = 0, 0
    np.testing.assert_array_equal(dataset.train_images, TRAIN)
    np.testing.assert_array_equal(dataset.train_labels, TRAIN_LABELS)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_training_features_have_mean_0_and_mean_square_1(dtype):
    features = made().features("train", dtype)
    assert features.dtype == dtype
    assert features.shape == TRAIN.shape
    assert features.flags.c_contiguous
    assert features.flags.writeable
    # Each of the 256 levels is off by at most half an ulp of a value below 2, so no mean is by
    # more; its square by at most 2 * 2 times that, and the sums are of float64.
    ulp = np.finfo(dtype).eps
    assert abs(features.mean(dtype=np.float64)) < ulp
    assert abs(np.square(features, dtype=np.float64).mean() - 1) < 4 * ulp


def test_features_are_scaled_pixels_standardised_by_the_training_set():
    dataset = made()
    scaled = TRAIN / 255
    assert dataset.mean == pytest.approx(scaled.mean(), rel=1e-13)
    assert dataset.std == pytest.approx(scaled.std(), rel=1e-13)
    expected = (TEST / 255 - dataset.mean) / dataset.std
    np.testing.assert_array_equal(dataset.features("test", "float64"), expected)
    np.testing.assert_array_equal(dataset.features("test", "float32"), expected.astype("float32"))


def test_features_of_the_first_images_only():
    dataset = made()
    np.testing.assert_array_equal(dataset.features(count=7), dataset.features()[:7])


def test_sums_span_more_than_one_block_of_images():
    images = RNG.integers(0, 256, (1001, 784), dtype=np.uint8)
    dataset = made(images, np.zeros(1001, np.int64))
    assert dataset.mean == pytest.approx((images / 255).mean(), rel=1e-13)
    assert dataset.std == pytest.approx((images / 255).std(), rel=1e-13)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"split": "valid"}, "split must be one of train, test, not 'valid'"),
        ({"dtype": "int8"}, "dtype must be float32 or float64, not 'int8'"),
        ({"count": 31}, "count must be at most 30, the size of the train set, not 31"),
        ({"count": -1}, "count must be an integer of at least 0, not -1"),
    ],
)
def test_features_refuse_what_cannot_be(arguments, message):
    with pytest.raises(ValueError, match=message):
        made().features(**arguments)


def test_equal_pixels_cannot_be_standardised():
    with pytest.raises(DataError, match="made: all training pixels are equal"):
        made(np.full_like(TRAIN, 7)).features()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"train": TRAIN / 255}, "train set: float64 images"),
        ({"train": TRAIN.reshape(30, 28, 28)}, r"train set: uint8 images of shape \(30, 28, 28\)"),
        ({"train_labels": TRAIN_LABELS / 1}, "train set: float64 labels"),
        ({"test_labels": TEST_LABELS[:, None]}, r"test set: int64 labels of shape \(20, 1\)"),
        ({"test": TEST[:19]}, "test set: 19 images but 20 labels"),
        ({"test": TEST[:0], "test_labels": TEST_LABELS[:0]}, "test set: no images"),
        ({"train_labels": TRAIN_LABELS + 1}, "train set: label 10, expected 0 to 9"),
        ({"train_labels": TRAIN_LABELS - 1}, "train set: label -1, expected 0 to 9"),
    ],
)
def test_arrays_that_are_no_data_set_are_refused(arguments, message):
    with pytest.raises(DataError, match=f"made, {message}"):
        made(**arguments)
