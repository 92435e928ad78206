"""
A certificate with a known cost
===============================

Error is estimated from 1,000 examples; the price is known exactly, so it uses no part of the failure probability. Where
models fail together, paired tests decide what intervals cannot.
"""

import numpy as np

import moltheory as mt

rng = np.random.default_rng(1)
prices = {
    "nano": 0.1,
    "mini": 0.4,
    "base": 1.0,
    "base-old": 1.2,
    "pro": 5.0,
    "ultra": 20.0,
}
errors = np.array([0.42, 0.30, 0.21, 0.27, 0.13, 0.125])
losses = (rng.random((1000, 1)) < errors) ^ (rng.random((1000, 6)) < 0.03)

certificate = mt.certify(
    losses, names=list(prices), objectives=["error"], costs={"price": prices}
)
mt.plot.certificate(certificate)

# %%
# The dearest model is not excluded, but nothing shows that it is better than *pro*.

print(certificate.explain("ultra"))
