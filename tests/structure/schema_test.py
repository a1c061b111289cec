"""The schema of results files takes what attnspan writes and refuses what it never would.

tests/golden/result-v2.json is what the writer gives byte for byte (result_test.cpp checks that) for
cells of every status, so it stands in for real output here.
"""

import copy
import json
import os
import sys
import unittest

try:
    import jsonschema
except ImportError:
    print("skipped: the Python module jsonschema (Debian: python3-jsonschema) is not installed")
    sys.exit(77)

SOURCE = os.environ.get("ATTNSPAN_SOURCE", os.path.join(os.path.dirname(__file__), "..", ".."))


def load(path):
    with open(os.path.join(SOURCE, path), encoding="utf-8") as file:
        return json.load(file)


SCHEMA = load("results/schema/result-v2.schema.json")
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)

# Free in form: whatever the machine and the sweep have to say.
FREE = ("context", "spec", "settings", "selected", "candidates")
# A key for whatever the task names.
NAMED = ("shortcuts", "quantities")


def places(value, path=()):
    """Every (path, value) below `value` that the schema describes."""
    items = value.items() if isinstance(value, dict) else enumerate(value)
    for key, item in items:
        yield path + (key,), item
        # Of the tokens right in each sample, a few stand for all.
        if isinstance(item, (dict, list)) and key not in FREE:
            yield from places(item[:2] if path[-1:] == ("outcomes",) and isinstance(item, list) else item, path + (key,))


def parent(value, path):
    for key in path[:-1]:
        value = value[key]
    return value


class SchemaTest(unittest.TestCase):
    def setUp(self):
        self.result = load("tests/golden/result-v2.json")

    def assert_refused(self, result, what):
        self.assertFalse(VALIDATOR.is_valid(result), f"accepted: {what}")

    def test_schema_is_valid(self):
        jsonschema.Draft202012Validator.check_schema(SCHEMA)

    def test_written_result_is_accepted(self):
        self.assertEqual([error.message for error in VALIDATOR.iter_errors(self.result)], [])

    def test_every_object_refuses_another_key(self):
        for path, value in [((), self.result), *places(self.result)]:
            if isinstance(value, dict) and not set(path) & {*FREE, *NAMED}:
                broken = copy.deepcopy(self.result)
                (parent(broken, path)[path[-1]] if path else broken)["surplus"] = 1
                self.assert_refused(broken, f"another key at {path}")

    def test_every_key_is_needed(self):
        for path, _ in places(self.result):
            if isinstance(path[-1], str) and path[-1] != "depth" and not set(path[-2:-1]) & set(NAMED):
                broken = copy.deepcopy(self.result)
                del parent(broken, path)[path[-1]]
                self.assert_refused(broken, f"no {path}")

    def test_every_value_has_a_type(self):
        for path, value in places(self.result):
            for other in (True, "text", -1, [{}]):
                is_free_text = isinstance(value, str) and other == "text"
                is_fine = (isinstance(value, bool) and other is True) or (
                    other == -1 and path[-1] in ("loss", "log_likelihood"))
                if is_free_text or is_fine:
                    continue
                broken = copy.deepcopy(self.result)
                parent(broken, path)[path[-1]] = other
                self.assert_refused(broken, f"{other!r} at {path}")

    def test_status_goes_with_message_and_evaluations(self):
        done, lost = self.result["cells"][0], self.result["cells"][2]
        for cell, changes in (
            (done, {"status": "finished"}),
            (done, {"message": "so so"}),
            (lost, {"message": ""}),
            (lost, {"evaluations": done["evaluations"]}),
        ):
            broken = copy.deepcopy(self.result)
            broken["cells"] = [{**cell, **changes}]
            self.assert_refused(broken, changes)

    def test_other_versions_are_refused(self):
        self.assert_refused({**self.result, "schema_version": 3}, "version 3")


if __name__ == "__main__":
    unittest.main()
