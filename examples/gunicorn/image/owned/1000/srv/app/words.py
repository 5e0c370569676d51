"""Words of a file."""


def count(path):
    with open(path, encoding="utf-8") as file:
        return len(file.read().split())
