"""The machine behind the RedFlagClassifier."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from hipwise.safety.likeness import BINS, Likeness, fit, products, rarity, rows, spelling_bins, word_bins

FALLS = ["fell down the stairs", "fell off a ladder", "slipped and fell", "fell in the bath"]
BLEEDS = ["bleeding a lot", "blood in the toilet", "bleeding since today", "blood everywhere"]
HARMLESS = ["what is it", "can i swim", "negated_fell today", "how long does it last", "thank you very much", "negated_blood"]


def _dense(texts: list[str]) -> NDArray[np.float32]:
    values = np.array([[text.count("fell") + 0.1, text.count("bl") + 0.1, len(text) / 40] for text in texts], dtype=np.float32)
    return np.asarray(values / np.linalg.norm(values, axis=1, keepdims=True), dtype=np.float32)


@pytest.fixture(scope="module")
def machine() -> Likeness:
    texts = FALLS + BLEEDS + HARMLESS
    tokens = [text.split() for text in texts]
    groups = np.array([0] * len(FALLS) + [1] * len(BLEEDS) + [-1] * len(HARMLESS))
    return fit(_dense(texts), tokens, tokens, groups, width=0.5, sparse_weight=0.5, strictness=10)


def _score(machine: Likeness, text: str) -> float:
    tokens = [text.split()]
    return float(machine.score(machine.kernel(machine.features(_dense([text]), tokens, tokens)))[0])


def test_it_tells_apart_what_it_learnt(machine: Likeness) -> None:
    assert all(_score(machine, text) > 0 for text in FALLS + BLEEDS)
    assert all(_score(machine, text) < 0 for text in HARMLESS)


def test_the_nearest_vote_for_a_group(machine: Likeness) -> None:
    tokens = [["fell", "off", "the", "stairs"]]
    kernel = machine.kernel(machine.features(_dense(["fell off the stairs"]), tokens, tokens))
    shares = machine.votes(kernel[0], nearest=3)
    assert max(shares, key=lambda group: shares[group]) == 0
    assert sum(shares.values()) == pytest.approx(1.0)


def test_stored_arrays_hold_no_objects_and_give_the_same_machine(machine: Likeness, tmp_path) -> None:  # type: ignore[no-untyped-def]
    np.savez(tmp_path / "machine.npz", **machine.arrays)
    with np.load(tmp_path / "machine.npz", allow_pickle=False) as stored:
        again = Likeness({name: stored[name] for name in stored.files})
    assert _score(again, "fell down") == pytest.approx(_score(machine, "fell down"), abs=1e-5)


def test_fitting_is_deterministic(machine: Likeness) -> None:
    texts = FALLS + BLEEDS + HARMLESS
    tokens = [text.split() for text in texts]
    groups = np.array([0] * len(FALLS) + [1] * len(BLEEDS) + [-1] * len(HARMLESS))
    again = fit(_dense(texts), tokens, tokens, groups, width=0.5, sparse_weight=0.5, strictness=10)
    assert all(np.array_equal(again.arrays[name], machine.arrays[name]) for name in machine.arrays)


def test_rows_have_length_one_or_none() -> None:
    documents = [spelling_bins(["pain"]), spelling_bins(["pain", "pains"]), []]
    table = rows(documents, rarity(documents))
    lengths = np.sqrt(np.asarray(table.multiply(table).sum(axis=1))).ravel()
    assert lengths == pytest.approx([1, 1, 0], abs=1e-5)
    assert table.shape == (3, BINS)


def test_words_keep_their_order() -> None:
    assert set(word_bins(["not", "fell"])) != set(word_bins(["fell", "not"]))


def test_products_are_scipy_s() -> None:
    chance = np.random.default_rng(5)
    full = np.where(chance.random((4, 50)) < 0.2, chance.random((4, 50)), 0)
    full[2] = 0
    own, other = csr_matrix(full), csr_matrix(chance.random((50, 30), dtype=np.float32))
    found = products(own, other)
    assert found.dtype == np.float32
    assert found == pytest.approx((own @ other).toarray(), abs=1e-5)
    assert not found[2].any()
