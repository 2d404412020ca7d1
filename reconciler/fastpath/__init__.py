"""The answer that `plan` and `check` give nearly every time: nothing changed (design, section 10).

Desired equals last applied was found once and is remembered (`agreed`); actual equals last applied is looked at anew
(`untouched`). Whatever is not known here goes to the full program, which gives the same answer. Only built-in
modules are imported: the imports of the full program cost more than looking at a hundred environments.
"""
