"""What AWS shall have for the tasks of a file, what it has, and the changes from one to the other, with reasons. Pure.

``desired`` writes the documents that AWS is sent, ``normal`` says what documents mean, so that what AWS echoes of its own is
no difference, ``account`` is what is there, ``comparison`` decides. Only what carries our tags is touched.
"""
