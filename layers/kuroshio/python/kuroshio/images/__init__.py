"""The image that all functions run: how it is named, and how it becomes the one in force."""
