"""``initperf check``: exit codes, outputs, batches, losses, and errors of one line."""

import argparse
import html
import json
import re

import numpy as np
import pytest
from checked_models import WIDTH

from initperf import cli
from initperf.cli import check as verb
from initperf.torch.losses import LOSSES, OWN

RANDOM = np.random.default_rng(0)
X = RANDOM.normal(size=(16, WIDTH))
Y = np.arange(16) % 5


@pytest.fixture
def batch(tmp_path):
    def write(**arrays):
        path = tmp_path / "batch.npz"
        np.savez(path, **arrays)
        return str(path)

    return write


def run(capsys, *words):
    code = cli.main(["check", *words])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def test_a_healthy_model_exits_with_0(capsys, batch):
    words = ("checked_models:healthy", "--batch", batch(x=X, y=Y), "--loss", "cross_entropy")
    code, out, err = run(capsys, *words)
    assert (code, err) == (0, "")
    assert out.startswith("healthy")
    assert re.search(r"^0\s+linear", out, re.MULTILINE)


def test_an_unhealthy_model_exits_with_1_and_names_the_layer(capsys, batch):
    code, out, _ = run(capsys, "checked_models:unhealthy", "--batch", batch(x=X))
    assert code == 1
    verdict, _, table = out.partition("\n")
    assert verdict.startswith("not healthy: ")
    assert " 2 " in verdict
    assert re.search(r"^2\s+linear.*×$", table, re.MULTILINE)


def test_json_holds_the_findings_and_as_many_seeds_as_are_asked_for(capsys, batch):
    words = ("checked_models:unhealthy", "--batch", batch(x=X), "--json", "--seeds", "2")
    code, out, _ = run(capsys, *words)
    found = json.loads(out)
    assert code == 1
    assert found["healthy"] is False
    assert found["findings"][0]["name"] == "2"
    assert {row["seed"] for row in found["measurements"]} == {0, 1}
    rows = {
        (row["seed"], row["name"]): row["second_moment"]
        for row in found["measurements"]
        if row["direction"] == "forward"
    }
    assert rows[0, "0"] != rows[1, "0"]  # the model is made anew for each


def test_the_page_is_one_file_that_asks_for_nothing(capsys, batch, tmp_path):
    page = tmp_path / "check.html"
    words = ("checked_models:unhealthy", "--batch", batch(x=X, y=Y), "--loss", "cross_entropy")
    code, _, err = run(capsys, *words, "--html", str(page))
    assert code == 1
    assert err == f"initperf: wrote {page}\n"
    text = page.read_text("utf-8")
    assert "default-src 'none'" in html.unescape(text)
    assert not re.search(r"""(?:src|href)\s*=\s*["'](?!#|data:)""", text)
    assert "checked_models:unhealthy" in text
    assert {each.name for each in tmp_path.iterdir()} == {"batch.npz", "check.html"}


def test_arrays_are_keywords_arguments_or_the_one_argument(capsys, batch):
    ids = np.arange(12).reshape(3, 4) % 7
    keywords = batch(ids=ids, scale=np.ones(3))
    assert run(capsys, "checked_models:named", "--batch", keywords, "--loss", "own")[0] == 0
    with_target = batch(ids=ids, scale=np.ones(3), labels=ids)
    words = ("checked_models:named", "--batch", with_target, "--loss", "cross_entropy")
    assert run(capsys, *words)[0] == 0
    positional = batch(arr_1=X, arr_0=X)
    assert run(capsys, "checked_models:sum_of_two", "--batch", positional)[0] == 0
    anything = batch(features=X.astype("float16"))
    assert run(capsys, "checked_models:healthy", "--batch", anything)[0] == 0


@pytest.mark.parametrize(
    ("loss", "y"),
    [("mse", RANDOM.normal(size=(16, 5))), ("binary_cross_entropy", RANDOM.random((16, 5)) < 0.5)],
)
def test_other_losses(capsys, batch, loss, y):
    words = ("checked_models:healthy", "--batch", batch(x=X, y=y), "--loss", loss)
    code, out, _ = run(capsys, *words)
    assert code == 0, out


def test_the_verb_offers_every_loss():
    parser = argparse.ArgumentParser()
    verb.configure(parser)
    (choices,) = [each.choices for each in parser._actions if each.dest == "loss"]
    assert set(choices) == {*LOSSES, OWN}


@pytest.mark.parametrize(
    ("words", "arrays", "message"),
    [
        (("checked_models",), {"x": X}, "must be package.module:factory, not 'checked_models'"),
        (("checked_models:nothing",), {"x": X}, "no attribute 'nothing'"),
        (("checked_models:helthy",), {"x": X}, "did you mean 'healthy'?"),
        (("checked_models:healthy",), {"x": X, "y": Y}, "y goes to the model, as there is no"),
        (("nowhere_at_all:f",), {"x": X}, "No module named"),
        (("checked_models:broken",), {"x": X}, "RuntimeError: no such checkpoint"),
        (("checked_models:number",), {"x": X}, "gives int, not a module"),
        (("checked_models:healthy", "--loss", "mse"), {"x": X}, "needs an array y"),
        (("checked_models:healthy", "--loss", "mse"), {"x": X, "y": Y}, "go with --loss cross_ent"),
        (
            ("checked_models:healthy", "--loss", "cross_entropy"),
            {"x": X, "y": 0.5 * Y},
            "--loss mse",
        ),
        (("checked_models:healthy", "--loss", "own"), {"x": X}, "has no tensor loss"),
        (("checked_models:healthy", "--loss", "hinge"), {"x": X}, "invalid choice: 'hinge'"),
        (("checked_models:healthy", "--seeds", "0"), {"x": X}, "must be a positive integer"),
        (("checked_models:healthy", "--html", "check.txt"), {"x": X}, "must be a .html file"),
    ],
)
def test_bad_input_is_one_line(capsys, batch, words, arrays, message):
    code, out, err = run(capsys, *words, "--batch", batch(**arrays))
    assert (code, out) == (2, "")
    assert message in err
    assert len(err.splitlines()) == 1


def test_a_models_own_error_comes_first(capsys, batch):
    code, _, err = run(capsys, "checked_models:healthy", "--batch", batch(x=X[:, :7]))
    assert code == 2
    assert err.startswith("initperf: RuntimeError: mat1 and mat2 shapes cannot be multiplied")
    assert "x float64 (16, 7)" in err
    assert len(err.splitlines()) == 1
    words = ("checked_models:healthy", "--batch", batch(x=X, y=Y + 5), "--loss", "cross_entropy")
    code, _, err = run(capsys, *words)
    assert code == 2
    assert err.startswith("initperf: --loss cross_entropy: y holds the class ")
    assert len(err.splitlines()) == 1


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "there is no such file"),
        (b"", "cannot be read as an .npz file"),
        (b"not a zip file", "cannot be read as an .npz file: its content is none"),
        (b"PK\x03\x04 damaged", "cannot be read as an .npz file"),
    ],
)
def test_a_batch_that_cannot_be_read_exits_with_3(capsys, tmp_path, content, message):
    path = tmp_path / "batch.npz"
    if content is not None:
        path.write_bytes(content)
    code, _, err = run(capsys, "checked_models:healthy", "--batch", str(path))
    assert code == 3
    assert message in err
    assert len(err.splitlines()) == 1


def test_other_arrays_exit_with_3(capsys, batch, tmp_path):
    for arrays, message in (
        ({"x": np.array(["a"])}, "x must hold numbers, not <U1"),
        ({"y": Y}, "holds no array for the model"),
        ({"x": np.array([None])}, "cannot be read as an .npz file"),
        ({"x": np.array([2**63], np.uint64)}, "beyond int64"),
    ):
        words = ("--batch", batch(**arrays), "--loss", "cross_entropy")
        code, _, err = run(capsys, "checked_models:healthy", *words)
        assert (code, len(err.splitlines())) == (3, 1), err
        assert message in err
    single = tmp_path / "one.npy"
    np.save(single, X)
    code, _, err = run(capsys, "checked_models:healthy", "--batch", str(single))
    assert code == 3
    assert "must be an .npz file" in err
