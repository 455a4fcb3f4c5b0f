"""`make serve`: the built site on 127.0.0.1:8000, built again when a source changes."""

from livereload import Server, shell

WATCHED = ("docs/**/*.md", "docs/_*/**/*", "examples/**/*", "locale/**/*.po", "conf.py")


def main() -> None:
    server = Server()
    for pattern in WATCHED:
        server.watch(pattern, shell("make site"))
    server.serve(root="_build/html", host="127.0.0.1", port=8000)


if __name__ == "__main__":
    main()
