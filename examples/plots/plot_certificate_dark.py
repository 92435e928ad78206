"""
A certificate for dark pages
============================

``theme="dark"`` draws new axes for a dark page. Here one objective alone: thirty models on a leaderboard of 500 questions,
of which only the lower part is certain.
"""

# sphinx_gallery_thumbnail_number = 1
import numpy as np

import moltheory as mt

rng = np.random.default_rng(3)
accuracy = np.linspace(0.82, 0.55, 12)
right = rng.random((500, 1)) < accuracy
right ^= rng.random(right.shape) < 0.05
certificate = mt.certify(
    right,
    names=[f"model {k:02d}" for k in range(1, 13)],
    objectives=["accuracy"],
    maximise=True,
)
mt.plot.certificate(certificate, theme="dark")
