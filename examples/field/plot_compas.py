"""
An audit in the style of COMPAS
===============================

A score from 1 to 10 for the risk of reoffending, cut at some decile, judged by its errors on two groups, beside rules that
only count earlier offenses. With the path of ProPublica's table in the environment variable ``COMPAS`` the script audits
that table; otherwise it **generates** one with the same columns and similar rates, and the numbers are not those of COMPAS.
To get the file (2.5 MB): ``curl -O
https://raw.githubusercontent.com/propublica/compas-analysis/master/compas-scores-two-years.csv``
"""

# sphinx_gallery_thumbnail_number = 2
import os

import numpy as np
import pandas as pd

from moltheory.evaluation import from_predictions
from moltheory.plotting import COLORS, new_axes

GROUPS = ["African-American", "Caucasian"]


def generated(rng, n=6150):
    """Return a table: 51% and 39% reoffend, and the score is higher in the first group whether they do or not."""
    race = rng.choice(GROUPS, n, p=[0.6, 0.4])
    first = race == GROUPS[0]
    again = rng.random(n) < np.where(first, 0.51, 0.39)
    latent = 0.73 * again + 0.59 * first + rng.normal(size=n)
    decile = np.ceil(10 * pd.Series(latent).rank(pct=True) ** 1.36).astype(int)
    priors = rng.poisson(
        rng.gamma(0.7, np.where(again, 6.0, 3.0) * np.where(first, 1.2, 0.8))
    )
    return pd.DataFrame(
        {
            "race": race,
            "decile_score": decile,
            "priors_count": priors,
            "two_year_recid": again.astype(int),
        }
    )


path = os.environ.get("COMPAS")
table = pd.read_csv(path) if path else generated(np.random.default_rng(0))
table = table[table["race"].isin(GROUPS)].reset_index(drop=True)

# %%
# Nine rules, and how the usual one, a decile above 4, errs on each group:

rules = {
    f"decile > {cut}": table["decile_score"] > cut for cut in (2, 3, 4, 5, 6, 7, 8)
}
rules |= {f"priors > {cut}": table["priors_count"] > cut for cut in (1, 3)}
rules = pd.DataFrame(rules).astype(int)
usual, again, race = rules["decile > 4"], table["two_year_recid"] == 1, table["race"]
rates = pd.DataFrame(
    {
        "flagged, did not reoffend": usual[~again].groupby(race[~again]).mean(),
        "not flagged, reoffended": 1 - usual[again].groupby(race[again]).mean(),
    }
)
rates.round(3)

# %%
# Three objectives for each rule, and a certificate: all intervals and verdicts are correct at once, with probability at
# least 95%.

audit = from_predictions(
    rules,
    table["two_year_recid"],
    group=race,
    objectives=["error", "false_positive_gap", "false_negative_gap"],
)
certificate = audit.certify()
certificate.plot()

# %%
# Which gaps are more than chance? Where the bar does not reach zero, the gap is not due to this sample.

ax = new_axes(size=(7.0, 4.2))
low, high = certificate.boxes[:, 1].T
for row, (a, estimate, b) in enumerate(
    zip(low, certificate.estimates[:, 1], high, strict=True)
):
    color = COLORS["purity"] if a > 0 else COLORS["bound"]
    ax.plot([a, b], [row, row], color=color, linewidth=4, solid_capstyle="butt")
    ax.plot(estimate, row, "o", color=color, markeredgecolor="white", markersize=9)
ax.axvline(0, color=COLORS["truth"], linewidth=1)
ax.set_yticks(range(len(certificate)), certificate.names)
ax.invert_yaxis()
ax.set(
    xlabel="← better     gap of the false-positive rates, with 95% intervals",
    xlim=(-0.01, None),
)
ax.set_title(f"{(low > 0).sum()} of {len(low)} gaps are certain (orange)", loc="left")
ax

# %%
# A rule is off the front if another one is better in the error and in both gaps. These data show that of no rule: where a
# smaller gap has a price, whether to pay it is no question of statistics.

certificate
