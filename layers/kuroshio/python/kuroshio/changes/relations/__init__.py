"""What a unit's build reads besides its source folder, told from build files without running them.

``gradle`` and ``maven`` follow the projects that a project is built from, ``makefile`` the paths that a recipe names.
What is written literally becomes an input; what is computed makes the whole build root an input, or a doubt.
"""
