"""Page of all claims as Markdown: verdicts, then each claim with its numbers."""

from collections.abc import Sequence

from initperf._core.cells import cell
from initperf.claims._claim import CLAIMS, Claim
from initperf.claims._outcome import Outcome
from initperf.claims._verdict import CONFIDENCE, FAILS, HOLDS, UNDECIDABLE

_RULE = (
    f"An interval is Student's over seeds, of {100 * CONFIDENCE:g} % confidence. "
    "A claim *holds* when the whole interval is inside of its tolerance, *fails* when the whole "
    "interval is outside, and is else *not decidable here*. "
    "Tolerances are fixed in the claims' files. "
    "A quick measurement has fewer seeds and smaller samples, and decides less."
)


def markdown(outcomes: Sequence[Outcome], command: str) -> str:
    """Return the page.

    Parameters
    ----------
    outcomes : sequence of Outcome
        Of registered claims.
    command : str
        The command line that made the page.
    """
    counts = {
        verdict: sum(outcome.verdict == verdict for outcome in outcomes)
        for verdict in (HOLDS, FAILS, UNDECIDABLE)
    }
    lines = [
        "# Published claims, measured again",
        "",
        f"Written by `{command}`; do not edit.",
        "",
        "; ".join(f"{number} {verdict}" for verdict, number in counts.items()) + ".",
        _RULE,
        "",
        "| Claim | Claimed | Tolerance | Measured | Interval | Seeds | Verdict |",
        "|---|---|---|---|---|---|---|",
    ]
    for outcome in outcomes:
        claim = CLAIMS[outcome.claim]
        cells = (
            f"[{claim.name}](#{claim.name})",
            _text(claim.number),
            _span(claim.low, claim.high),
            _text(outcome.mean),
            "exact" if claim.exact else _span(outcome.low, outcome.high),
            "" if claim.exact else f"{len(outcome.values)}{' (quick)' if outcome.quick else ''}",
            f"**{outcome.verdict}**",
        )
        lines.append(f"| {' | '.join(cells)} |")
    for outcome in outcomes:
        lines += ["", *_section(CLAIMS[outcome.claim], outcome)]
    return "\n".join(lines) + "\n"


def _section(claim: Claim, outcome: Outcome) -> list[str]:
    measured = _text(outcome.mean)
    if not claim.exact:
        measured += f", interval {_span(outcome.low, outcome.high)}, {len(outcome.values)} seeds"
    amount = " (quick)" if outcome.quick else ""
    lines = [
        f"## {claim.name}",
        "",
        claim.statement,
        "",
        f"- Source: {claim.cite}; {claim.source_read}.",
        f"- Setting: {claim.setting}",
        f"- Quantity: {claim.quantity}.",
        f"- Tolerance {_span(claim.low, claim.high)}: {claim.tolerance}",
        f"- Measured{amount}: {measured}. **{outcome.verdict.capitalize()}.**",
    ]
    return [*lines, f"- {claim.remark}"] if claim.remark else lines


def _text(value: float | None) -> str:
    return cell(value, typographic=True, missing="–")


def _span(low: float, high: float) -> str:
    return f"{_text(low)} to {_text(high)}"
