"""
Which of 40 classifiers are on the front?
=========================================

Forty quick classifiers of scikit-learn's handwritten digits, judged by their error on 899 images and by the size of the
stored model. An empirical front looks like a result; most of it is not certain, while many models are certainly not on it.
"""

import numpy as np
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import RidgeClassifier
from sklearn.naive_bayes import BernoulliNB, GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier

import moltheory as mt
from moltheory.evaluation import from_estimators

images, digits = load_digits(return_X_y=True)
train, test = np.arange(1797) % 2 == 1, np.arange(1797) % 2 == 0
zoo = {"naive Bayes": GaussianNB(), "binary naive Bayes": BernoulliNB(binarize=7)}
zoo |= {
    f"tree {depth}": DecisionTreeClassifier(max_depth=depth, random_state=0)
    for depth in (2, 3, 4, 5, 6, 8, 10, 12, 14)
}
zoo |= {
    f"{k} trees": RandomForestClassifier(k, max_depth=10, random_state=0)
    for k in (2, 4, 8, 16, 32)
}
zoo |= {f"ridge {a:g}": RidgeClassifier(alpha=a) for a in (1, 100, 10_000)}
zoo |= {f"{k} neighbors": KNeighborsClassifier(k) for k in (1, 3, 5, 9)}
zoo |= {f"SVM {c:g}": SVC(C=c) for c in (0.1, 1, 10)}
for k in (2, 4, 8, 16, 32):
    zoo[f"PCA {k}, LDA"] = make_pipeline(
        PCA(k, random_state=0), LinearDiscriminantAnalysis()
    )
    zoo[f"PCA {k}, 3 neighbors"] = make_pipeline(
        PCA(k, random_state=0), KNeighborsClassifier(3)
    )
    if k != 2:
        zoo[f"PCA {k}, SVM"] = make_pipeline(PCA(k, random_state=0), SVC(C=10))
for model in zoo.values():
    model.fit(images[train], digits[train])

models = from_estimators(
    zoo, images[test], digits[test], objectives=["error"], costs=["size_in_bytes"]
)
certificate = models.certify(delta=0.05)
certificate.plot()

# %%
# In numbers: how many models are decided, and what is left of the empirical front.

on_front = mt.nondominated(certificate.estimates)
print(
    f"{certificate.excluded.sum()} of {len(certificate)} models are certainly not on the front"
)
print(
    f"{(certificate.sure & on_front).sum()} of the {on_front.sum()} on the empirical front are certain"
)

# %%
# A tolerance of one percent keeps more of the front: no model is better by more than that in error, nor smaller.

tolerant = models.certify(epsilon=0.01)
print(f"{tolerant.sure.sum()} models are certainly good enough within 1%")
