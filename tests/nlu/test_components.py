"""One contract for every NLU component, and what each is for."""

from __future__ import annotations

import json
import threading
import zipfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.shared.exceptions import RasaException
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData
from scipy.sparse import csr_matrix

from hipwise.nlu import minilm, minilm_graph
from hipwise.nlu.decision import EMPTY, Group, Result, decide
from hipwise.nlu.intent_classifier import fit
from hipwise.nlu.intent_gate import IntentGate
from hipwise.nlu.language_detector import LanguageDetector
from hipwise.nlu.lexicon import WordSet
from hipwise.nlu.question_selector import QuestionSelector
from hipwise.nlu.question_splitter import asks, split
from hipwise.nlu.sentence_encoder import SentenceEncoder, pieces
from hipwise.nlu.spelling_normalizer import sound
from hipwise.nlu.term_extractor import SEGMENT_TERMS, TERMS
from hipwise.nlu.vectors import Vectors, of
from hipwise.yaml_files import read_yaml
from tests.nlu.conftest import Trained, pipeline

KINDS = [kind for kind, _ in pipeline()]
TEXTS = [
    "how long does it last and can I swim?",
    "",
    "   ",
    "?!",
    "🏊😀",
    "do I need crutchs",
    "très mal à la hanche, combien de temps",
    "a\u0000b\ufffd\u200d",
    ("My hip hurts when I walk to the shop. " * 30)[:1000],
    "x" * 1000,
]
Parse = Callable[[str], Message]


def visible(message: Message) -> dict[str, Any]:
    """Return what is on a message, vectors as lists, so that two can be compared."""
    found: dict[str, Any] = {}
    for name, value in message.data.items():
        if isinstance(value, Vectors):
            sparse = None if value.sparse is None else value.sparse.toarray().tolist()
            value = (value.texts, value.dense.tolist(), sparse)
        found[name] = value
    return found


# ------------------------------------------------------------------------------------------------ the contract


@pytest.mark.parametrize("number", range(len(KINDS)), ids=[kind.__name__ for kind in KINDS])
class TestContract:
    def test_is_registered_for_config_yml(self, number: int) -> None:
        kind = KINDS[number]
        registered = DefaultV1Recipe._registered_components[kind.__name__]
        assert registered.clazz is kind
        assert registered.is_trainable == hasattr(kind, "train")

    @pytest.mark.parametrize("text", TEXTS, ids=range(len(TEXTS)))
    def test_loaded_answers_as_trained(self, trained: Trained, number: int, text: str) -> None:
        fresh = trained.fresh[number].process([trained.before(number, text)])
        loaded = trained.loaded[number].process([trained.before(number, text)])
        assert len(fresh) == 1
        assert visible(fresh[0]) == visible(loaded[0])

    @pytest.mark.parametrize("text", TEXTS, ids=range(len(TEXTS)))
    def test_keeps_the_text_and_the_order(self, trained: Trained, number: int, text: str) -> None:
        messages = [trained.before(number, each) for each in (text, "can I swim")]
        after = trained.loaded[number].process(messages)
        assert [message.get("text") for message in after] == [text, "can I swim"]

    def test_is_deterministic(self, trained: Trained, trained_again: Trained, number: int) -> None:
        for text in TEXTS:
            one = trained.loaded[number].process([trained.before(number, text)])[0]
            two = trained_again.loaded[number].process([trained_again.before(number, text)])[0]
            assert visible(one) == visible(two)

    def test_threads_do_not_disturb_each_other(self, trained: Trained, number: int) -> None:
        texts = [text for text in TEXTS if len(text) < 200] * 8
        alone = [visible(trained.loaded[number].process([trained.before(number, text)])[0]) for text in texts]
        with ThreadPoolExecutor(4) as pool:
            together = list(
                pool.map(lambda text: visible(trained.loaded[number].process([trained.before(number, text)])[0]), texts)
            )
        assert together == alone

    def test_no_messages(self, trained: Trained, number: int) -> None:
        assert trained.loaded[number].process([]) == []


def test_training_twice_stores_the_same(trained: Trained, trained_again: Trained) -> None:
    assert len(trained.fingerprints) == 5
    for one, two in zip(trained.fresh, trained_again.fresh, strict=True):
        if type(one).__name__ == "IntentClassifier":
            for name, array in one._model.arrays.items():
                assert np.array_equal(array, two._model.arrays[name]), name


# ------------------------------------------------------------------------------------------------ the whole


def test_understands_its_own_domain(parse: Parse) -> None:
    assert parse("how long will it last?").get("intent")["name"] == "ask_duration"
    assert parse("may I have a beer").get("intent")["name"] == "not_covered_alcohol"


def test_excluded_intents_are_never_said(trained: Trained) -> None:
    message = trained.parse("I fell and now I cannot stand")
    assert "red_flag" not in [entry["name"] for entry in message.get("intent_ranking")]


def test_output_properties_are_what_rasa_hands_on(parse: Parse) -> None:
    output = parse("can I swim").as_dict(only_output_properties=True)
    assert {"text", "intent", "intent_ranking", "entities", "questions", "language"} <= set(output)
    assert json.loads(json.dumps(output)) == output
    assert not {"vectors", "results", "segments"} & set(output)


def test_blank_text_is_not_understood(parse: Parse) -> None:
    message = parse("  ")
    assert message.get("intent")["name"] == "nlu_fallback"
    assert message.get("questions") == []


# ------------------------------------------------------------------------------------------------ spelling


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("ostioporosis", "osteoporosis"),
        ("osteoperosis", "osteoporosis"),
        ("bisfosfonates", "bisphosphonates"),
        ("biphosphonates", "bisphosphonates"),
        ("crutchs", "crutches"),
        ("fisiotherapy", "physiotherapy"),
        ("fisio therapy", "physiotherapy"),
        ("osteo porosis", "osteoporosis"),
        ("pregnent", "pregnant"),
        ("swiming", "swimming"),
        ("plz", "please"),
    ],
)
def test_misspelt_words_are_put_right(trained: Trained, typed: str, meant: str) -> None:
    assert trained.loaded[1].normalize(f"Is {typed} OK") == f"is {meant} ok"


ORDINARY = [
    "patient",
    "patients",
    "form",
    "from",
    "facture",
    "clutch",
    "talking",
    "kidding",
    "hop",
    "limb",
    "dope",
    "crunches",
    "casual",
    "statins",
    "copd",
    "osteopenic",
    "bore",
    "bony",
    "favourite",
    "oedema",
    "mum",
    "physio",
    "walked",
    "jumping",
    "quiet",
    "quite",
    "fraction",
    "boner",
    "joins",
    "planter",
    "Lagos",
]


@pytest.mark.parametrize(
    "word",
    ORDINARY,
)
def test_ordinary_words_are_left_alone(trained: Trained, word: str) -> None:
    assert trained.loaded[1].normalize(word) == word.lower()


def test_names_and_other_scripts_are_left_alone(trained: Trained) -> None:
    for text in ("сколько это длится", "T-score -2.6", "mri 2024", "ok :)"):
        assert trained.loaded[1].normalize(text) == text.lower()


def test_a_misspelling_does_not_change_the_answer(parse: Parse) -> None:
    right, wrong = parse("do I need crutches"), parse("do i need crutchs")
    assert wrong.get("intent")["name"] == right.get("intent")["name"] == "ask_walking_aids"
    assert [entity["value"] for entity in wrong.get("entities")] == ["crutches"]


def test_words_that_sound_alike_are_alike() -> None:
    assert sound("fisiotherapy") == sound("physiotherapy")
    assert sound("bisfosfonate") == sound("bisphosphonate")
    assert sound("crutches") != sound("crunches")


def test_word_set_holds_what_it_was_given() -> None:
    words = WordSet.of(["hip", "bone", "hip"])
    assert len(words) == 2
    assert "hip" in words
    assert "hop" not in words


# ------------------------------------------------------------------------------------------------ terms


def test_terms_have_role_canonical_value_and_place(parse: Parse) -> None:
    entities = parse("May I go to the pool?").get("entities")
    assert entities == [
        {"entity": "activity", "role": "water", "value": "swimming", "start": 12, "end": 20, "extractor": "TermExtractor"}
    ]


def test_the_longest_phrase_wins_and_words_are_whole(parse: Parse) -> None:
    assert [entity["value"] for entity in parse("can I go for a run").get("entities")] == ["running"]
    assert parse("swimsuits and pools").get("entities") == []


def test_hidden_tables_are_features_and_no_entities(parse: Parse) -> None:
    message = parse("a glass of wine")
    assert message.get("terms") == ["concept.drink"]
    assert message.get("entities") == []


# ------------------------------------------------------------------------------------------------ questions


@pytest.mark.parametrize(
    ("text", "intents"),
    [
        ("how long does it last and can I swim?", ["ask_duration", "ask_water_exercise"]),
        ("Can I swim? How long does it last?", ["ask_water_exercise", "ask_duration"]),
        ("do I need crutches, may I drink wine, and how long does it last?", None),
        ("crutches and a walker", ["ask_walking_aids"]),
        ("vitamin D and calcium", ["ask_vitamin_d_calcium"]),
        ("should I take vitamin D and calcium?", ["ask_vitamin_d_calcium"]),
        ("Hello! Can I swim?", ["ask_water_exercise"]),
        ("can I swim? may I go to the pool?", ["ask_water_exercise"]),
    ],
)
def test_questions_in_order(parse: Parse, text: str, intents: list[str] | None) -> None:
    expected = intents or ["ask_walking_aids", "not_covered_alcohol", "ask_duration"]
    message = parse(text)
    assert [question["intent"] for question in message.get("questions")] == expected
    assert message.get("intent")["name"] == expected[0]


def test_each_part_has_the_terms_of_its_own_words(parse: Parse) -> None:
    """Parts had none, because they were cut after the terms were looked up."""
    message = parse("Do I need crutches, may I drink wine, and can I go to the pool?")
    assert message.get(SEGMENT_TERMS) == [["aid.named"], ["concept.drink"], ["activity.water"]]
    assert message.get(TERMS) == ["activity.water", "aid.named", "concept.drink"]


def test_at_most_three_questions(parse: Parse) -> None:
    message = parse("Can I swim? Do I need crutches? May I drink beer? Does smoking slow healing? How long does it last?")
    assert len(message.get("questions")) == 3


def test_a_question_in_a_story_is_found_and_the_story_is_not_answered(parse: Parse) -> None:
    message = parse(
        "My sister has a pool and we used to swim there every Sunday. Last month I began to limp. The doctor gave me "
        "crutches and I went home by taxi. My husband cooks now. How many months until it is over?"
    )
    assert [question["intent"] for question in message.get("questions")] == ["ask_duration"]


def _result(name: str, confidence: float) -> Result:
    group = name.partition("_")[0] + "_"
    return Result([{"name": name, "confidence": confidence}], {group: Group(name, confidence, confidence)})


@pytest.fixture
def select() -> Callable[..., list[str]]:
    options = {**QuestionSelector.get_default_config(), "part": 0.1, "threshold": 0.05, "answer_weight": 1.0}
    selector = QuestionSelector(options)

    def names(text: str, segments: list[str], flags: list[bool], results: list[Result], **more: bool) -> list[str]:
        return [decision.name for _, decision, _ in selector.select(text, segments, flags, results, **more)]

    return names


def test_a_short_message_with_one_question_is_understood_as_a_whole(select: Callable[..., list[str]]) -> None:
    """ "How is that treated?" alone was answered as if the crushed vertebrae were the hip."""
    parts = ["mum has crushed vertebrae", "how is that treated"]
    results = [_result("out_of_scope_other_condition", 0.3), _result("ask_other_bones", 0.2), _result("ask_treatment", 0.7)]
    assert select("mum has crushed vertebrae, how is that treated", parts, [False, True], results) == [
        "out_of_scope_other_condition"
    ]
    # Beside an emergency the words before are not what is asked about.
    asked = select("mum has crushed vertebrae, how is that treated", parts, [False, True], results, alone=True)
    assert asked == ["ask_treatment"]


def test_an_answer_out_of_a_story_that_is_turned_away_must_be_much_clearer(select: Callable[..., list[str]]) -> None:
    story = "my dog limps since sunday and i have no time for anything but her, nor for my own hip, and the vet is away"
    parts = [story, "what does an xray show"]

    def asked(part: float, whole: str = "out_of_scope_animal") -> list[str]:
        results = [_result(whole, 0.3), _result(whole, 0.2), _result("ask_xray", part)]
        return select(f"{story}. what does an xray show?", parts, [False, True], results)

    assert asked(0.5) == ["out_of_scope_animal"]
    assert asked(0.7) == ["ask_xray"]
    assert asked(0.5, "ask_limp") == ["ask_xray"]


def test_in_a_story_what_has_no_question_mark_must_be_clear_beside_what_has(select: Callable[..., list[str]]) -> None:
    """ "Tell me what you think of it, says my wife" was answered before what the story ended with."""
    parts = ["the whole village wants me to tell them what i think of rain and gardens", "do they operate?", "how long is it?"]
    story = ". ".join([*parts, "and so my mother and i sat there with our tea and the cat and watched the boats go by"])
    results = [_result("ask_cause", 0.2), _result("ask_cause", 0.4), _result("ask_surgery", 0.3), _result("ask_duration", 0.9)]
    assert select(story, parts, [True] * 3, results) == ["ask_surgery", "ask_duration"]
    unmarked = [part.rstrip("?") for part in parts]
    assert select(story.replace("?", ""), unmarked, [True] * 3, results) == ["ask_cause", "ask_surgery", "ask_duration"]


def test_in_a_story_the_clear_question_wins(select: Callable[..., list[str]]) -> None:
    story = "you know how it is with men and their tools " * 4 + "how long does it last"
    parts = ["you know how it is with men", "how long does it last"]
    results = [_result("ask_men", 0.1), _result("ask_men", 0.15), _result("ask_duration", 0.9)]
    assert select(story, parts, [True, True], results) == ["ask_duration"]
    assert select("how is it with men, how long does it last", parts, [True, True], results) == ["ask_men", "ask_duration"]


def test_a_clause_that_is_less_clear_than_the_whole_is_no_question_of_its_own(select: Callable[..., list[str]]) -> None:
    """ "Is my GP the right person or do I need a specialist" was two questions, and the first answer was to neither."""
    text, parts = "is my gp right or do i need a specialist", ["is my gp right", "do i need a specialist"]

    def asked(whole: Result, *others: Result, **more: bool) -> list[str]:
        return select(text, parts, [True, True], [whole, *others], **more)

    elsewhere = _result("refer_treatment_choice", 0.4), _result("ask_surgery", 0.3)
    assert asked(_result("not_covered_which_doctor", 0.5), *elsewhere) == ["not_covered_which_doctor"]
    assert asked(_result("not_covered_which_doctor", 0.3), *elsewhere) == ["refer_treatment_choice", "ask_surgery"]
    # Where the whole means what one part means, the other must be clear beside it.
    faint, clear = _result("refer_treatment_choice", 0.15), _result("refer_treatment_choice", 0.3)
    doctor = _result("not_covered_which_doctor", 0.5)
    assert asked(doctor, faint, doctor) == ["not_covered_which_doctor"]
    assert asked(doctor, clear, doctor) == ["refer_treatment_choice", "not_covered_which_doctor"]
    # Beside an emergency the whole is no measure.
    assert asked(_result("not_covered_which_doctor", 0.5), *elsewhere, alone=True) == ["refer_treatment_choice", "ask_surgery"]


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("how long does it last and can i swim?", ["how long does it last", "can i swim?"]),
        ("do i need crutches and a walker", ["do i need crutches and a walker"]),
        ("i saw dr. smith. is it bad?", ["i saw dr. smith.", "is it bad?"]),
        ("what is it, what causes it and will it go?", ["what is it", "what causes it", "will it go?"]),
        ("is it rare and has anyone died of it", ["is it rare", "has anyone died of it"]),
        ("it aches and isn't that odd", ["it aches", "isn't that odd"]),
        # What goes on with what is told is not a question: the second half of a red flag was lost as one.
        ("her leg is crooked and is shorter than the other", ["her leg is crooked and is shorter than the other"]),
        ("she fell and has been in pain since", ["she fell and has been in pain since"]),
        ("he slipped and can't put his foot down", ["he slipped and can't put his foot down"]),
        ("it hurts, when i stand", ["it hurts, when i stand"]),
        ("i rang my doctor, who said wait", ["i rang my doctor, who said wait"]),
        ("he slipped and could not stand", ["he slipped and could not stand"]),
        ("i fell and may have broken it", ["i fell and may have broken it"]),
        ("she went down and has her leg at an angle", ["she went down and has her leg at an angle"]),
        ("it hurts and could swimming help", ["it hurts", "could swimming help"]),
        ("", []),
    ],
)
def test_split(text: str, parts: list[str]) -> None:
    assert split(text) == parts


def test_what_reads_like_a_question() -> None:
    assert asks("can i swim")
    assert asks("i want to know about crutches")
    # As a sentence of its own; after "and" the same words may go on with what is told.
    assert asks("is hot water good for it")
    assert asks("has surgery helped anyone")
    assert asks("where on the hip does it hurt")
    assert not asks("i went home by taxi.")
    assert not asks("i'm not asking which one")
    assert not asks("can't put my foot down since lunch")
    assert not asks("when i stand it hurts")


# ------------------------------------------------------------------------------------------------ language

OTHERS = {
    "es": ["¿Cuánto tiempo dura?", "me duele mucho la cadera al caminar", "que es la osteoporosis transitoria", "hola"],
    "fr": ["Combien de temps ça dure ?", "j'ai mal à la hanche depuis deux mois", "est-ce que je peux nager"],
    "de": ["Wie lange dauert das?", "darf ich schwimmen gehen", "ich habe starke Schmerzen in der Hüfte"],
    "pt": ["posso nadar?", "estou grávida e tenho dor no quadril", "quanto tempo dura isso"],
    "it": ["posso camminare senza stampelle", "mi fa male l'anca"],
    "nl": ["hoe lang duurt het", "mag ik zwemmen met deze ziekte"],
    "pl": ["jak długo to trwa", "boli mnie biodro"],
    "tr": ["kalçam çok ağrıyor", "yüzebilir miyim"],
    "vi": ["tôi bị đau hông", "bệnh này kéo dài bao lâu"],
    "zh": ["这个病要多久才能好"],
    "ja": ["どのくらい続きますか"],
    "ko": ["얼마나 오래 지속되나요"],
    "ar": ["كم من الوقت يستمر المرض"],
    "fa": ["این بیماری چقدر طول می‌کشد"],
    "ru": ["как долго это длится"],
    "uk": ["як довго це триває"],
    "hi": ["यह कितने समय तक रहता है"],
    "el": ["πόσο διαρκεί"],
    "he": ["כמה זמן זה נמשך"],
    "th": ["เป็นนานแค่ไหน"],
    "sv": ["hur länge varar det"],
    "ro": ["mă doare șoldul"],
    "tl": ["masakit ang balakang ko"],
    "id": ["berapa lama penyakit ini"],
}
ENGLISH = [
    "ostioporosis hip",
    "wats dis",
    "hw lng dos it last",
    "crutchs",
    "no",
    "si",
    "bisfosfonates",
    "Fosamax alendronate zoledronic",
    "i no understand doctor, what is problem in hip",
    "pain en la hip",
    "am pregnat can swim?",
    "asdfgh",
    "lol",
    "how long does la grippe last",
    "what does médecin mean",
    "naïve question but is café coffee ok",
    "prednisolon ibuprofen paracetamol",
    "😀😀",
    "12 000",
    "mucho pain doctor please help me",
]


@pytest.fixture(scope="module")
def detector(tmp_path_factory: pytest.TempPathFactory) -> LanguageDetector:
    """Return the detector trained on the shipped examples."""
    from rasa.engine.graph import ExecutionContext, GraphSchema
    from rasa.engine.storage.local_model_storage import LocalModelStorage
    from rasa.engine.storage.resource import Resource

    storage = LocalModelStorage.create(tmp_path_factory.mktemp("language"))
    context = ExecutionContext(graph_schema=GraphSchema({}), model_id="test")
    component = LanguageDetector.create({}, storage, Resource("language"), context)
    component.train(shipped())
    return component


def shipped() -> TrainingData:
    """Return the shipped examples."""
    blocks = read_yaml(Path(__file__).parents[2] / "data" / "nlu.yml")["nlu"]
    examples = [
        Message.build(text=line[2:].strip(), intent=block["intent"])
        for block in blocks
        if "intent" in block
        for line in block["examples"].splitlines()
        if line.startswith("- ")
    ]
    return TrainingData(examples)


@pytest.mark.parametrize(("language", "text"), [(name, text) for name, texts in OTHERS.items() for text in texts])
def test_other_languages_are_recognised(detector: LanguageDetector, language: str, text: str) -> None:
    assert detector.detect(text) == language


@pytest.mark.parametrize("text", ENGLISH)
def test_bad_english_is_english(detector: LanguageDetector, text: str) -> None:
    assert detector.detect(text) == "en"


def test_no_training_example_is_taken_for_another_language(detector: LanguageDetector) -> None:
    examples = [message for message in shipped().intent_examples if message.get("intent") != "other_language"]
    assert len(examples) > 1000
    assert [message.get("text") for message in examples if detector.detect(message.get("text")) != "en"] == []


def test_another_language_gets_its_intent(parse: Parse) -> None:
    message = parse("Wie lange dauert das, Frau Doktor?")
    assert message.get("intent")["name"] == "other_language"
    assert message.get("language") == "de"


# ------------------------------------------------------------------------------------------------ encoder


def test_encoder_refuses_weights_it_does_not_know(monkeypatch: pytest.MonkeyPatch) -> None:
    package, name = next(iter(minilm._FILES))
    monkeypatch.setitem(minilm._FILES, (package, name), "0" * 64)
    with pytest.raises(RasaException, match="not the file that was tested"):
        minilm.read_verified(package, name)


def test_encoder_says_which_package_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(minilm._FILES, ("no_such_package", "x"), "")
    with pytest.raises(RasaException, match="no_such_package is not installed"):
        minilm.read_verified("no_such_package", "x")


def test_encoder_refuses_another_graph() -> None:
    with pytest.raises(RasaException, match="not built as expected"):
        minilm_graph.rebuild(b"\x3a\x02\x0a\x00", (5,))


def test_encoder_says_what_the_exported_graph_says() -> None:
    package, name = next(iter(minilm._FILES))
    file = minilm.read_verified(package, name)
    exported = onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"])
    encoder = minilm.encoder()
    texts = ["hip", "how long does it last", "is this the same as the osteoporosis that my mother has had since she was sixty?"]
    rows = encoder.encode(texts)
    for text, row in zip(texts, rows, strict=True):
        pieces = np.array([encoder.pieces.encode(text)], dtype=np.int64)
        inputs = {"input_ids": pieces, "attention_mask": np.ones_like(pieces), "token_type_ids": np.zeros_like(pieces)}
        mean = encoder.pieces.rarity()[pieces[0]] @ exported.run(None, inputs)[0][0]
        last = row[: minilm_graph.WIDTH]
        assert mean @ last / np.linalg.norm(mean) / np.linalg.norm(last) > 0.985


def test_rare_pieces_say_more_than_common_ones() -> None:
    pieces = minilm.encoder().pieces
    rarity = pieces.rarity()
    start, the, hip, cane, stop, end = (rarity[number] for number in pieces.encode("the hip cane."))
    assert start == end < stop < hip < cane <= 1
    assert the < hip
    assert rarity.min() > 0


def test_encoder_says_the_same_on_one_core_and_on_two(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = [f"{'my hip is sore and the dog is old ' * (number % 5 + 1)}number {number}" for number in range(12)]
    monkeypatch.setattr(minilm, "_SHARED_PIECES", 10**9)
    alone = minilm.encoder().encode(texts)
    monkeypatch.setattr(minilm, "_SHARED_PIECES", 1)
    monkeypatch.setattr(minilm, "_CORES", 2)
    assert np.array_equal(minilm.encoder().encode(texts), alone)


def test_what_fails_on_the_other_core_is_not_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    """A helper's error that nobody asks for would leave rows that were never computed."""
    encoder, here, begun = minilm.encoder(), threading.get_ident(), threading.Event()
    run = encoder._run

    def broken(ids: list[list[int]]) -> Any:
        if threading.get_ident() != here:
            begun.set()
            raise RuntimeError("broken")
        begun.wait(5)
        return run(ids)

    monkeypatch.setattr(minilm, "_SHARED_PIECES", 1)
    monkeypatch.setattr(minilm, "_CORES", 2)
    monkeypatch.setattr(encoder, "_run", broken)
    with pytest.raises(RuntimeError, match="broken"):
        encoder.encode(["one", "two words and a few more of them", "three " * 40])


def test_a_text_that_is_not_read_whole_has_a_row_for_all_of_it() -> None:
    short, long = "my hip hurts", "one day the ball of my hip began to hurt " * 14
    assert pieces(short) == []
    assert " ".join(pieces(long)) == long.strip()
    encoder = SentenceEncoder(SentenceEncoder.get_default_config())
    message, brief = (Message({"text": text}) for text in (long, short))
    encoder.process([message, brief])
    assert np.array_equal(of(brief).all_of_it, of(brief).dense[0])
    assert not np.allclose(of(message).all_of_it, of(message).dense[0], atol=0.01)
    assert np.linalg.norm(of(message).all_of_it) == pytest.approx(1.0, abs=1e-5)
    learnt = TrainingData([Message({"text": long})])
    encoder.process_training_data(learnt)
    assert float(of(learnt.training_examples[0]).all_of_it @ of(message).all_of_it) > 0.99


def test_encoder_keeps_no_hold_of_the_file() -> None:
    """A view of the file's bytes kept all of them in memory, 23 MB of 350."""
    network = minilm.encoder()._network
    assert network.model == b""
    for table in (network.pieces, network.scale, network.positions):
        assert table.base is None or table.base.nbytes <= 2 * table.nbytes


def test_encoder_pays_no_heed_to_company() -> None:
    encode = minilm.encoder().encode
    short = "how long does it last"
    company = encode([short, "how long does it last if i rest a bit more now"])
    # Padding is hidden from attention; only the scale of the rounding is shared.
    assert company[0] @ encode([short])[0] > 0.985


def test_encoder_knows_meaning() -> None:
    rows = minilm.encoder().encode(["am I allowed to swim", "may I go to the swimming pool", "who wrote this article"])
    assert rows.shape == (3, minilm.DIMENSIONS)
    assert np.allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-5)
    assert rows[0] @ rows[1] > rows[0] @ rows[2] + 0.2


def test_pieces_are_bert_s() -> None:
    pieces = minilm.encoder().pieces
    # From the reference implementation of BERT's tokenizer.
    assert pieces.encode("Hello, world!") == [101, 7592, 1010, 2088, 999, 102]
    assert pieces.encode("Café") == pieces.encode("cafe")
    assert len(pieces.encode("hip " * 500)) == 2 + 16 + 78
    assert pieces.encode("") == [101, 102]


def test_a_long_text_keeps_its_end() -> None:
    encode = minilm.encoder().encode
    story = "we drove to the sea and had a lovely day " * 20
    asked, other = encode([story + "can i go swimming with this hip", story + "who wrote the article"])
    assert asked @ other < 0.99


# ------------------------------------------------------------------------------------------------ classifier and gate


def test_fit_needs_two_intents() -> None:
    with pytest.raises(ValueError, match="two intents"):
        fit(
            np.eye(2, dtype=np.float32),
            csr_matrix(np.eye(2, dtype=np.float32)),
            ["a", "a"],
            strength=1,
            components=2,
            rounds=2,
        )


def test_fit_agrees_with_scikit_learn() -> None:
    from sklearn.linear_model import LogisticRegression

    rng = np.random.default_rng(0)
    dense = rng.normal(size=(300, 8)).astype(np.float32)
    dense /= np.linalg.norm(dense, axis=1, keepdims=True)
    sparse = csr_matrix((rng.random((300, 12)) < 0.2).astype(np.float32))
    wanted = (dense @ rng.normal(size=(8, 4)) + sparse @ rng.normal(size=(12, 4))).argmax(axis=1)
    model = fit(dense, sparse, [str(number) for number in wanted], strength=5.0, components=11, rounds=200)
    reference = LogisticRegression(C=5.0, max_iter=1000).fit(np.hstack([dense, sparse.toarray()]), wanted)
    expected = reference.predict_proba(np.hstack([dense, sparse.toarray()]))
    assert np.abs(model.probabilities(dense, sparse) - expected).mean() < 0.02


@pytest.mark.parametrize("count", [5, 100, 383, 2000])
def test_the_nearest_example_is_that_of_all_of_them(count: int) -> None:
    """Only the examples nearest in meaning are compared by their words; of a few, all."""
    rng = np.random.default_rng(count)
    dense = rng.normal(size=(count, 16)).astype(np.float32)
    dense /= np.linalg.norm(dense, axis=1, keepdims=True)
    sparse = csr_matrix((rng.random((count, 40)) * (rng.random((count, 40)) < 0.1)).astype(np.float32))
    model = fit(dense, sparse, [str(number % 3) for number in range(count)], strength=1.0, components=2, rounds=2)
    asked = (dense[:4] + rng.normal(size=(4, 16)).astype(np.float32) * 0.1)
    asked /= np.linalg.norm(asked, axis=1, keepdims=True)
    # The closeness is the highest score divided by its odds; with votes and temper out of the way those are the linear model's.
    scores = model.scores(asked, sparse[:4], 0.0, 1.0, 1.0)
    closeness = (scores / model.probabilities(asked, sparse[:4])).max(axis=1)
    lengths = np.sqrt(1 + np.asarray(sparse.multiply(sparse).sum(axis=1)).ravel())
    alike = (asked @ dense.T + (sparse[:4] @ sparse.T).toarray()) / lengths[:4, None] / lengths[None, :]
    assert closeness == pytest.approx(np.clip(alike.max(axis=1), 0, 1), abs=0.02)


def test_far_from_every_example_is_unsure(parse: Parse) -> None:
    near, far = parse("can I swim"), parse("the parliament of Norway voted on herring quotas")
    assert far.get("intent_ranking")[0]["confidence"] < 0.3 * near.get("intent_ranking")[0]["confidence"]


def test_stored_model_has_no_pickle(trained: Trained) -> None:
    classifier = next(component for component in trained.loaded if type(component).__name__ == "IntentClassifier")
    with classifier._model_storage.read_from(classifier._resource) as folder:
        assert sorted(path.suffix for path in folder.iterdir()) == [".json", ".npz"]
        with zipfile.ZipFile(folder / "classifier.npz") as archive:
            kinds = [archive.read(name)[:200] for name in archive.namelist()]
    assert kinds
    assert not any(b"'descr': '|O'" in kind for kind in kinds)


def test_vectors_are_asked_for_in_words() -> None:
    with pytest.raises(ValueError, match="SentenceEncoder"):
        of(Message.build(text="hi"))


def result(**scores: float) -> Result:
    """Return a classifier's result with these scores."""
    order = sorted(scores, key=lambda name: -scores[name])
    groups = {}
    for prefix in ("ask_", "not_covered_"):
        members = [name for name in order if name.startswith(prefix)]
        if members:
            groups[prefix] = Group(members[0], scores[members[0]], sum(scores[name] for name in members))
    return Result([{"name": name, "confidence": scores[name]} for name in order], groups)


def test_kinds_are_compared_by_their_sum() -> None:
    torn = result(ask_diet=0.4, not_covered_diet=0.35, not_covered_alcohol=0.25)
    decision = decide(torn, threshold=0.1, answer_weight=1.0)
    assert decision is not None
    assert decision.name == "not_covered_diet"


def test_answers_count_less() -> None:
    close = result(ask_duration=0.5, not_covered_work=0.4)
    assert decide(close, threshold=0.1, answer_weight=1.0).name == "ask_duration"  # type: ignore[union-attr]
    assert decide(close, threshold=0.1, answer_weight=0.7).name == "not_covered_work"  # type: ignore[union-attr]


def test_torn_within_a_kind_is_still_sure_of_the_kind() -> None:
    torn = result(not_covered_work=0.06, not_covered_travel=0.05, not_covered_sex=0.05)
    assert decide(torn, threshold=0.1, answer_weight=1.0).sure  # type: ignore[union-attr]
    assert not decide(torn, threshold=0.2, answer_weight=1.0).sure  # type: ignore[union-attr]
    assert decide(EMPTY, threshold=0.1, answer_weight=1.0) is None


@pytest.mark.parametrize(
    ("safety", "language", "confidence", "name"),
    [
        ({"level": "urgent", "groups": ["fall"]}, "en", 0.9, "red_flag"),
        ({"level": "crisis", "groups": []}, "en", 0.9, "crisis"),
        ({"level": "urgent", "groups": ["fall"]}, "es", 0.9, "red_flag"),
        (None, "es", 0.9, "other_language"),
        (None, "en", 0.9, "ask_duration"),
        (None, "en", 0.01, "nlu_fallback"),
    ],
)
def test_gate(safety: dict[str, Any] | None, language: str, confidence: float, name: str) -> None:
    ranking = [{"name": "ask_duration", "confidence": confidence}]
    questions = [{"text": "how long", "intent": "ask_duration", "confidence": confidence}]
    message = Message(
        data={"text": "how long", "intent": dict(ranking[0]), "intent_ranking": ranking, "questions": questions}
    )
    message.set("safety", safety)
    message.set("language", language)
    IntentGate({"threshold": 0.1}).process([message])
    assert message.get("intent")["name"] == name
    assert message.get("intent_ranking") == ranking
    assert message.get("questions") == questions
