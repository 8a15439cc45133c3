"""Progress where there is neither a terminal nor a notebook: a line for each tenth."""

import initperf


def test_a_line_is_printed_for_each_tenth(capsys):
    with initperf.progress("training") as tell:
        for done in range(41):
            tell(done, 40, "he_normal" if done < 40 else "")
    lines = capsys.readouterr().err.splitlines()
    assert lines[:2] == ["training: 0 of 40 he_normal", "training: 4 of 40 he_normal"]
    assert lines[-1] == "training: 40 of 40"
    assert len(lines) == 11
