"""Runs Rasa's own check of the training data and fails on every warning that means something.

``rasa data validate`` knows a response as used only where a story or rule names it. Here one custom action says almost all
of them, so Rasa warns that they are unused; that every response is said by some topic is proved by tests/test_content.py
instead. Nothing else is passed over.

Run it with ``python -m tests.rasa_validate``.
"""

from __future__ import annotations

import re
import sys
import warnings

from hipwise.paths import CONFIG, DATA, DOMAIN
from hipwise.quiet import quieten

_SAID_BY_AN_ACTION = re.compile(r"The utterance 'utter_\w+' is not used in any story or rule")


_CHECKS = (
    "verify_nlu",
    "verify_intents_in_stories",
    "verify_utterances_in_stories",
    "verify_actions_in_stories_rules",
    "verify_forms_in_stories_rules",
    "verify_form_slots",
    "verify_slot_mappings",
)


def problems() -> list[str]:
    """Return what Rasa's validator finds wrong, one sentence each."""
    quieten()
    from rasa.shared.importers.importer import TrainingDataImporter
    from rasa.validator import Validator

    importer = TrainingDataImporter.load_from_config(str(CONFIG), str(DOMAIN), [str(DATA)])
    validator = Validator.from_importer(importer)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", UserWarning)
        checks = {
            "the domain is not valid": validator.verify_domain_validity(),
            **{name: bool(getattr(validator, name)()) for name in _CHECKS},
            "stories contradict each other": validator.verify_story_structure(ignore_warnings=False),
        }
    found = [" ".join(str(w.message).split()) for w in caught if issubclass(w.category, UserWarning)]
    found = [text for text in found if not _SAID_BY_AN_ACTION.search(text)]
    return sorted({*found}) + [text for text, fine in checks.items() if not fine]


def main() -> int:
    """Print what is wrong; return 1 if anything is."""
    found = problems()
    for text in found:
        print(f"rasa data validate: {text}", file=sys.stderr)
    if not found:
        print("rasa data validate: nothing to complain of.")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
