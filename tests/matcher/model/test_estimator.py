"""What scikit-learn asks of an estimator, asked by scikit-learn; and that who serves a model never imports it."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from sklearn.base import clone, is_classifier
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.utils import get_tags
from sklearn.utils.validation import check_is_fitted

from matcher.model.affinity import PairAffinity
from matcher.model.encoder import ProfileEncoder
from tests.properties.pairs import programme

RNG = np.random.default_rng(3)
X = np.hstack([RNG.random((80, 2)), np.full((80, 2), 0.5)])
Y = (X[:, 0] > 0.5).astype(int)


@pytest.mark.parametrize("made", [PairAffinity((2.0, 1.0), l2=3.0), ProfileEncoder(programme())])
def test_parameters_clones_and_words(made):
    copy = clone(made)
    assert copy is not made
    assert copy.get_params() == made.get_params(deep=False)
    assert made.set_params(**made.get_params()) is made
    with pytest.raises(ValueError, match="Invalid parameter 'colour'"):
        made.set_params(colour=1)
    for ask in (made.check_fitted, lambda: check_is_fitted(made)):
        with pytest.raises(NotFittedError):
            ask()


def test_words_tell_what_is_not_the_default():
    assert repr(PairAffinity((2.0, 1.0), l2=3.0)) == "PairAffinity(prior_weights=(2.0, 1.0), l2=3.0)"


def test_an_affinity_is_a_classifier():
    affinity = PairAffinity((2.0, 1.0)).fit(X, Y)
    check_is_fitted(affinity)
    assert is_classifier(affinity)
    assert not is_classifier(ProfileEncoder(programme()))
    assert get_tags(affinity).target_tags.required
    assert affinity.score(X, Y) == (affinity.predict(X) == Y).mean()


def test_tools_of_scikit_learn_take_it():
    assert cross_val_score(PairAffinity((2.0, 1.0)), X, Y, cv=3).mean() > 0.5
    search = GridSearchCV(PairAffinity((2.0, 1.0)), {"l2": [0.1, 10.0]}, cv=3).fit(X, Y)
    assert search.best_params_["l2"] in {0.1, 10.0}
    assert make_pipeline(PairAffinity((2.0, 1.0))).fit(X, Y).predict(X).shape == (80,)


def test_who_serves_imports_neither_scikit_learn_nor_scipy():
    ask = (
        "import sys, matcher.facade, matcher.matching.pool_file, matcher.matching.shortlist, matcher.model.artefact\n"
        "print(sorted({'sklearn', 'scipy', 'joblib', 'pandas'} & set(sys.modules)))"
    )
    found = subprocess.run([sys.executable, "-c", ask], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
