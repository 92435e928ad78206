"""
Looking at a certificate while examples arrive
==============================================

A :class:`moltheory.CertificateStream` stays valid at every look, so that you may stop when the data are clear. Eight models,
and the number of examples at which each was decided. An ordinary certificate promises this for one sample size only, fixed
before the data.
"""

import numpy as np

import moltheory as mt
from moltheory.plotting import COLORS, log_sizes, new_axes

rng = np.random.default_rng(0)
errors = np.array([0.10, 0.13, 0.16, 0.20, 0.25, 0.30, 0.40, 0.50])
names = [f"true error {error:.2f}" for error in errors]
stream = mt.CertificateStream(names, ["error"], delta=0.05)
decided_at = np.full(len(errors), np.inf)
for _ in range(120):
    block = (rng.random((25, 1, 1)) < errors[:, None]) ^ (rng.random((25, 8, 1)) < 0.02)
    stream.update(block.astype(float))
    decided = ~stream.certificate().undecided
    decided_at[decided] = np.minimum(decided_at[decided], stream.n_examples)
certificate = stream.certificate()

ax = new_axes()
for row, (at, sure) in enumerate(zip(decided_at, certificate.sure, strict=True)):
    color = COLORS["coverage"] if sure else "#A0A0A0"
    ax.plot([25, at], [row, row], color=COLORS["purity"], linewidth=2)
    ax.plot([at, 3000], [row, row], color=color, linewidth=5, solid_capstyle="butt")
    ax.plot(
        at,
        row,
        "o" if sure else "X",
        color=color if sure else COLORS["truth"],
        markersize=9,
    )
    ax.annotate(
        f"{at:,.0f}",
        (at, row),
        xytext=(0, 8),
        textcoords="offset points",
        ha="center",
        fontsize=10,
    )
log_sizes(ax)
ax.set_ylim(-0.6, 7.8)
ax.set_yticks(range(len(names)), names)
ax.set_title(
    "cannot tell yet (thin) until decided: ● on the front, ✖ not on the front",
    loc="left",
    fontsize=11,
)
ax
