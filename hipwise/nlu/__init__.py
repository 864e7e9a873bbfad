"""What a patient's message means: Rasa graph components, one a file.

A message passes through them in the order of ``config.yml``, and each leaves what it found on the message:

=====================  ==============================================================================================
component              leaves on the message
=====================  ==============================================================================================
`LanguageDetector`     ``language``: ISO 639-1 code, ``en`` unless the text is surely something else
`SpellingNormalizer`   ``plain``: the text in lower case with the domain's misspelt words put right
`TermExtractor`        ``entities`` (Rasa's own form) and ``terms``: names of the lookup tables that matched
`QuestionSplitter`     ``segments``: the sentences and clauses that may be questions of their own
`SentenceEncoder`      ``vectors``: a `hipwise.nlu.vectors.Vectors`, dense rows
`SparseFeaturizer`     the sparse rows of the same ``vectors``
`IntentClassifier`     ``intent``, ``intent_ranking``, ``results``: a `hipwise.nlu.decision.Result` for each text
`QuestionSelector`     ``questions``: up to three ``{"text", "intent", "confidence"}``, in the order they were asked
`IntentGate`           the final ``intent``; reads ``safety`` and ``language``
=====================  ==============================================================================================

Another classifier (say, of red flags) gets its features like this, in training and in serving alike::

    vectors = message.get("vectors")      # hipwise.nlu.vectors.Vectors
    vectors.texts                         # the whole text first, then the segments
    vectors.dense                         # float32, shape (len(texts), dimensions), rows of length 1
    vectors.sparse                        # scipy CSR of the same rows (after SparseFeaturizer), rows of length 1
    vectors.dense[0]                      # the whole message

These are not Rasa's ``Features`` objects. Those hold one attribute of one message each, are concatenated again by every
consumer, and are hashed value by value after every node in training; a sentence and its segments in one small matrix is
encoded in one batch, and hashed by its texts alone, since the same texts always give the same rows.
"""
