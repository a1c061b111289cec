"""Includes point one way: a room may include only the rooms below it. And one task, normalizer, scaler or
encoding is one file, so catalogs hold nothing but .cpp files."""

import os
import pathlib
import re
import tempfile
import unittest

SOURCE = pathlib.Path(os.environ["ATTNSPAN_SOURCE"])

# Rooms in order, lowest first, each with the rooms it may include beside itself.
ALLOWED = {
    "core": set(),
    "catalog": {"core"},
    "record": {"core"},
    "ops": {"core"},
    "task": {"record", "catalog", "core"},
    "tasks": {"task", "record", "catalog", "core"},
    "position": {"catalog", "ops", "core"},
    "attention": {"position", "catalog", "ops", "core"},
    "model": {"attention", "position", "ops", "record", "core"},
    "train": {"model", "attention", "position", "ops", "task", "record", "core"},
    "report": {"record", "core"},
    "sweep": {"report", "train", "model", "attention", "position", "task", "record", "catalog", "core"},
    "cli": {"sweep", "report", "train", "model", "attention", "position", "task", "record", "catalog", "ops", "core"},
}
CATALOGS = ["tasks", "src/position/encodings", "src/attention/normalizers", "src/attention/scalers",
            "src/report/formats"]
INCLUDE = re.compile(r'^\s*#\s*include\s*"([^"]+)"', re.MULTILINE)
PRINTS = re.compile(r"\b(?:std::cout|std::cerr|std::clog|printf|puts|std::exit|exit|abort|_Exit)\s*(?:\(|<<)")


def rooms(source):
    """Each room's files, with the room's name."""
    folders = [(folder.name, folder) for folder in sorted((source / "src").iterdir()) if folder.is_dir()]
    for name, folder in folders + [("tasks", source / "tasks")]:
        for file in sorted(folder.rglob("*.[ch]pp")):
            yield name, file


def forbidden_includes(source):
    found = []
    for room, file in rooms(source):
        for include in INCLUDE.findall(file.read_text()):
            target = include.split("/")[0]
            if "/" not in include or target not in ALLOWED:
                found.append(f"{file.relative_to(source)}: {include} is not named from src/")
            elif target != room and target not in ALLOWED[room]:
                found.append(f"{file.relative_to(source)}: {room} may not include {target}")
    return found


class Includes(unittest.TestCase):
    def test_every_room_is_known(self):
        self.assertEqual({room for room, _ in rooms(SOURCE)}, set(ALLOWED))

    def test_order_has_no_way_back(self):
        order = list(ALLOWED)
        for room, below in ALLOWED.items():
            self.assertTrue(all(order.index(b) < order.index(room) for b in below), room)

    def test_rooms_include_only_what_they_may(self):
        self.assertEqual(forbidden_includes(SOURCE), [])

    def test_a_forbidden_include_is_found(self):
        with tempfile.TemporaryDirectory() as folder:
            for room in ["attention", "core"]:
                (pathlib.Path(folder) / "src" / room).mkdir(parents=True)
            (pathlib.Path(folder) / "tasks").mkdir()
            (pathlib.Path(folder) / "src/attention/bad.cpp").write_text('#include "task/task.hpp"\n')
            (pathlib.Path(folder) / "src/core/bad.hpp").write_text('#  include "ops/matrix.hpp"\n')
            self.assertEqual(len(forbidden_includes(pathlib.Path(folder))), 2)

    def test_only_the_command_line_prints_or_exits(self):
        found = [str(file.relative_to(SOURCE)) for room, file in rooms(SOURCE)
                 if room != "cli" and PRINTS.search(file.read_text())]
        self.assertEqual(found, [])

    def test_a_type_of_a_header_has_its_name_alone(self):
        # Two types of one name would be one to the linker, whatever they hold.
        defined = {}
        for _, file in rooms(SOURCE):
            text = file.read_text()
            spaces = "::".join(re.findall(r"^namespace ([\w:]+)", text, re.MULTILINE))
            for name in re.findall(r"^(?:struct|class|enum class) (\w+)[^;{]*\{", text, re.MULTILINE):
                if file.suffix == ".hpp" and "\nnamespace {\n" not in text:
                    defined.setdefault((spaces, name), []).append(str(file.relative_to(SOURCE)))
        self.assertEqual([found for found in defined.values() if len(found) > 1], [])

    def test_catalog_folders_hold_one_file_an_entry(self):
        for catalog in CATALOGS:
            for file in (SOURCE / catalog).iterdir():
                self.assertEqual(file.suffix, ".cpp", file)
                self.assertRegex(file.read_text(), rf"Entry {file.stem}\(\)")


if __name__ == "__main__":
    unittest.main()
