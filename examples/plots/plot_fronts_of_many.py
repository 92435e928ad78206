"""
True and empirical front of 300 models
======================================

Classifiers of breast tumors, trained once; half of the data set is the population, so their true rates are known. A sample
of 200 examples shows decoys (squares) beside models that are on both fronts (circles), and misses others (diamonds).
"""

import moltheory as mt

problem = mt.problems.from_dataset("breast_cancer")
mt.plot.fronts(problem, 200, rng=0)
