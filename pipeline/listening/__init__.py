"""Listening: a blind test in which people judge what metrics have judged.

``questions`` says what can be compared, ``trials`` what a listener hears next and which side is A;
``votes`` keeps what was said, a line per vote, only ever added to. ``opinions`` lays votes beside scores,
``agreement`` and ``intervals`` say how far they agree, and ``text`` puts it into words.
"""
