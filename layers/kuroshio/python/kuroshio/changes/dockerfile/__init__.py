"""What a Dockerfile can copy out of its context, told without building it.

``lines`` reads instructions as BuildKit's parser does, ``variables`` computes ``$NAME``, ``stages`` follows the stages
that lead to the target, ``patterns`` matches paths by the rules of Go's ``filepath.Match``. What is not understood raises
``NotUnderstood``: then the whole context counts.

Sources: the Dockerfile reference; BuildKit's ``frontend/dockerfile``.
"""
