"""The language of Dockerfiles: lines, words, and what each instruction means. Pure.

Of use to who builds images (`node/images/build`) and to who runs the last stage as a program of this machine (`app`).
"""
