"""Points, and where their first two principal components put them, by numpy's singular value decomposition.

    pip install numpy==2.4.6 && python make_pca.py > pca.json
"""

import json

import numpy as np

random = np.random.default_rng(0)
# Points, columns, and how fast the directions' deviations fall.
SHAPES = {"tall": (60, 5, 0.7), "wide": (12, 40, 0.8), "close": (200, 16, 0.97), "two points": (2, 3, 0.5)}


def case(points, columns, ratio):
    turned, _ = np.linalg.qr(random.normal(size=(columns, columns)))
    rows = random.normal(size=(points, columns)) * ratio ** np.arange(columns) @ turned + random.normal(size=columns)
    rows = rows.round(4)
    centred = rows - rows.mean(axis=0)
    _, deviations, axes = np.linalg.svd(centred, full_matrices=False)
    axes = axes[:2] * np.sign(axes[np.arange(2), np.abs(axes[:2]).argmax(axis=1)])[:, None]
    return {
        "rows": rows.tolist(),
        "points": (centred @ axes.T).tolist(),
        "explained": (deviations[:2] ** 2 / (deviations**2).sum()).tolist(),
    }


print(json.dumps({name: case(*shape) for name, shape in SHAPES.items()}))
