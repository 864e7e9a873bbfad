"""Many rows kept small, to be multiplied with a few: what comparing a message with all training examples comes down to.

`hipwise.rows.dense` (a byte a value), `hipwise.rows.sparse` (by row, where a few of the rows are asked for) and
`hipwise.rows.postings` (by column, where all of them are); the last two share `hipwise.rows.codes`. Each of the three has ``pack``,
which makes plain arrays of a training's rows, and is made of these when a model is loaded.
"""
