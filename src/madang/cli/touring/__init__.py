"""The tour behind `madang tour`: seven steps on a running shop, each with its figure measured there and then.

`ground.py` knows what was found and puts it back, `stage.py` is what a step may use, `steps/` has one file a step,
`words/` one table a language.
"""
