"""Has the world moved since the model was tested? Batch scores against the bundle's reference.

``statistics`` measures, ``verdicts`` judges, ``page`` and ``evidently_report`` show, ``compare`` puts them together.
"""

__all__: list[str] = []
