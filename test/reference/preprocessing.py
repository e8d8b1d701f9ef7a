"""Prints what scikit-learn makes of tables, for test/preprocessing/sklearn.test.mts."""

import json
import math
import warnings

import numpy as np
from sklearn.feature_extraction import FeatureHasher
from sklearn.impute import SimpleImputer
from sklearn.preprocessing import (
    KBinsDiscretizer,
    MinMaxScaler,
    OneHotEncoder,
    OrdinalEncoder,
    RobustScaler,
    StandardScaler,
    TargetEncoder,
)
from sklearn.utils import murmurhash3_32

warnings.simplefilter("ignore")
random = np.random.default_rng(7)
ROWS = 500
numbers = np.stack(
    [
        random.normal(3, 2, ROWS),
        random.normal(1e6, 1e-2, ROWS),
        random.exponential(5, ROWS),
        np.full(ROWS, 0.1),
        random.integers(0, 9, ROWS).astype(float),
    ],
    1,
)
gaps = numbers.copy()
gaps[random.random(gaps.shape) < 0.1] = np.nan
cities = random.choice(["Oslo", "Rome", "Bonn", "Århus", "\U0001d54f", "\uffee"], ROWS)
sizes = random.choice([3.0, 1.0, 2.5], ROWS)
target = random.normal(0, 1, ROWS) + (cities == "Oslo")
binary = (target > 0.3).astype(int)
classes = random.choice(["x", "y", "z"], ROWS)
categories = np.array([[c, str(s)] for c, s in zip(cities, sizes)], dtype=object)


def plain(value):
    if isinstance(value, np.ndarray):
        return plain(value.tolist())
    if isinstance(value, list):
        return [plain(each) for each in value]
    if isinstance(value, float) and math.isnan(value):
        return None
    return value.item() if isinstance(value, np.generic) else value


def both(preprocessor, table):
    made = preprocessor.fit_transform(table)
    return {"transformed": plain(made), "back": plain(preprocessor.inverse_transform(made))}


def exactly(table):
    """The same with 64 bits of precision instead of 53."""
    wide = table.astype(np.longdouble)
    deviation = np.nanstd(wide, axis=0)
    deviation[3] = 1
    return ((wide - np.nanmean(wide, axis=0)) / deviation).astype(np.float64)


def bins(**options):
    return both(KBinsDiscretizer(subsample=None, **options), numbers)


def encoded(y, **options):
    encoder = TargetEncoder(shuffle=False, **options)
    cross = encoder.fit_transform(categories, y)
    return {"cross": plain(cross), "transformed": plain(encoder.transform(categories))}


def hashed(size, **options):
    rows = [{"city": str(c), "n": float(n)} for c, n in zip(cities, numbers[:, 0])]
    return plain(FeatureHasher(n_features=size, **options).transform(rows).toarray())


texts = ["", "a", "ab", "abc", "abcd", "Århus=\U0001d54f", "city=Oslo", "x" * 37]
result = {
    "table": {
        "numbers": plain(numbers),
        "gaps": plain(gaps),
        "cities": cities.tolist(),
        "sizes": sizes.tolist(),
        "target": plain(target),
        "binary": plain(binary),
        "classes": classes.tolist(),
    },
    "standard": both(StandardScaler(), gaps),
    "standard exact": plain(exactly(gaps)),
    "standard float32": plain(StandardScaler().fit_transform(gaps.astype(np.float32))),
    "centred": both(StandardScaler(with_std=False), gaps),
    "minMax": both(MinMaxScaler(feature_range=(-1, 2)), gaps),
    "robust": both(RobustScaler(), gaps),
    "robust unit": both(RobustScaler(quantile_range=(10, 80), unit_variance=True), gaps),
    "impute mean": plain(SimpleImputer().fit_transform(gaps)),
    "impute median": plain(SimpleImputer(strategy="median", add_indicator=True).fit_transform(gaps)),
    "impute most_frequent": plain(SimpleImputer(strategy="most_frequent").fit_transform(gaps)),
    "impute constant": plain(SimpleImputer(strategy="constant", fill_value=-1).fit_transform(gaps)),
    "one hot": plain(OneHotEncoder(sparse_output=False).fit_transform(categories)),
    "one hot first": plain(OneHotEncoder(sparse_output=False, drop="first").fit_transform(categories)),
    "categories": plain(OneHotEncoder().fit(categories).get_feature_names_out(["city", "size"])),
    "ordinal": plain(OrdinalEncoder().fit_transform(categories)),
    "ordinal gaps": plain(OrdinalEncoder(encoded_missing_value=-1).fit_transform(gaps[:, 4:])),
    "target continuous": encoded(target),
    "target smooth": encoded(target, smooth=5.0),
    "target binary": encoded(binary),
    "target classes": encoded(classes),
    "bins": bins(encode="ordinal"),
    "bins linear": bins(encode="ordinal", quantile_method="linear", n_bins=7),
    "bins lower": bins(encode="ordinal", quantile_method="inverted_cdf", n_bins=4),
    "bins uniform": bins(encode="onehot-dense", strategy="uniform"),
    "hashed": hashed(16),
    "hashed plain": hashed(7, alternate_sign=False),
    "hashes": [int(murmurhash3_32(text, seed=0)) for text in texts],
    "texts": texts,
}
print(json.dumps(result))
