"""Page of all claims as Markdown: verdicts, then each claim with its numbers."""

import math
from collections.abc import Sequence

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
        "Claims: " + ", ".join(f"{number} *{verdict}*" for verdict, number in counts.items()) + ".",
        _RULE,
        "",
        "| Claim | Claimed | Tolerance | Measured | Interval | Seeds | Verdict |",
        "|---|---|---|---|---|---|---|",
    ]
    for outcome in outcomes:
        claim = CLAIMS[outcome.claim]
        digits = _digits(claim)
        cells = (
            f"[{claim.name}](#{claim.name})",
            _text(claim.number, digits),
            _span(claim.low, claim.high, digits),
            _text(outcome.mean, digits),
            "exact" if claim.exact else _span(outcome.low, outcome.high, digits),
            "" if claim.exact else f"{len(outcome.values)}{' (quick)' if outcome.quick else ''}",
            f"**{outcome.verdict}**",
        )
        lines.append(f"| {' | '.join(cells)} |")
    for outcome in outcomes:
        lines += ["", *_section(CLAIMS[outcome.claim], outcome)]
    return "\n".join(lines) + "\n"


def _section(claim: Claim, outcome: Outcome) -> list[str]:
    digits = _digits(claim)
    measured = _text(outcome.mean, digits)
    if not claim.exact:
        span = _span(outcome.low, outcome.high, digits)
        measured += f", interval {span}, {len(outcome.values)} seeds"
    amount = " (quick)" if outcome.quick else ""
    lines = [
        f"## {claim.name}",
        "",
        claim.statement,
        "",
        f"- Source: {claim.cite}; {claim.source_read}.",
        f"- Setting: {claim.setting}",
        f"- Quantity: {claim.quantity}.",
        f"- Tolerance {_span(claim.low, claim.high, digits)}: {claim.tolerance}",
        f"- Measured{amount}: {measured}. **{outcome.verdict.capitalize()}.**",
    ]
    return [*lines, f"- {claim.remark}"] if claim.remark else lines


def _digits(claim: Claim) -> int:
    """Return how many digits tell the bounds of a tolerance apart: four or more."""
    width = claim.high - claim.low
    if not 0.0 < width < math.inf:
        return 4
    return max(4, 2 + math.ceil(math.log10(max(abs(claim.low), abs(claim.high)) / width)))


def _text(value: float | None, digits: int) -> str:
    return "–" if value is None else f"{value:.{digits}g}".replace("-", "−")


def _span(low: float, high: float, digits: int) -> str:
    if math.isinf(low):
        return f"at most {_text(high, digits)}"
    if math.isinf(high):
        return f"at least {_text(low, digits)}"
    return f"{_text(low, digits)} to {_text(high, digits)}"
