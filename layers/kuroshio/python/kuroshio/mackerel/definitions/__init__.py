"""What Mackerel shall have, from a file in the repository: service, roles, graph definitions, a dashboard, monitors.

``settings`` reads the file, ``wanted`` says what it comes to, ``comparison`` holds that against what is there,
``applying`` observes and carries out. Only what carries our mark is ever changed or removed.
"""
