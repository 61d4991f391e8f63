"""What scikit-learn asks of an estimator, without importing scikit-learn: serving needs none of its 80 MB.

Its ``clone``, pipelines and searches work with what is here; a test holds each of them to it.
"""

from __future__ import annotations

import inspect
from typing import Any, Self


class Estimator:
    """An estimator whose parameters are the arguments of ``__init__``, and whose learned attributes end in ``_``."""

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Return the parameters by name; `deep` changes nothing, for no parameter is an estimator."""
        names = sorted(name for name in inspect.signature(type(self).__init__).parameters if name != "self")
        return {name: getattr(self, name) for name in names}

    def set_params(self, **params: Any) -> Self:
        """Set parameters by name; return self. Raise ValueError for one that there is not."""
        valid = self.get_params()
        for name, value in params.items():
            if name not in valid:
                raise ValueError(f"Invalid parameter {name!r} of {type(self).__name__}; expected one of {list(valid)}")
            setattr(self, name, value)
        return self

    def __repr__(self) -> str:
        given = inspect.signature(type(self).__init__).parameters
        params = self.get_params()
        said = (f"{name}={params[name]!r}" for name in given if name in params and params[name] != given[name].default)
        return f"{type(self).__name__}({', '.join(said)})"

    def __sklearn_tags__(self) -> Any:
        """Return scikit-learn's description of an estimator."""
        from sklearn.utils import InputTags, Tags, TargetTags  # noqa: PLC0415 - only scikit-learn asks

        return Tags(estimator_type=None, target_tags=TargetTags(required=False), input_tags=InputTags())

    def check_fitted(self) -> None:
        """Raise scikit-learn's NotFittedError where nothing has been learned yet."""
        if not any(name.endswith("_") and not name.startswith("__") for name in vars(self)):
            from sklearn.exceptions import NotFittedError  # noqa: PLC0415 - only who made a mistake waits for it

            raise NotFittedError(f"this {type(self).__name__} has learned nothing yet; call fit first")


class Classifier(Estimator):
    """An estimator that tells yes from no."""

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """Return the share of `y` that ``predict`` tells right."""
        from sklearn.metrics import accuracy_score  # noqa: PLC0415 - only scikit-learn's own tools ask

        return float(accuracy_score(y, self.predict(X), sample_weight=sample_weight))  # type: ignore[attr-defined]

    def __sklearn_tags__(self) -> Any:
        """Return scikit-learn's description of a classifier."""
        from sklearn.utils import ClassifierTags  # noqa: PLC0415 - only scikit-learn asks

        tags = super().__sklearn_tags__()
        tags.estimator_type, tags.classifier_tags, tags.target_tags.required = "classifier", ClassifierTags(), True
        return tags
