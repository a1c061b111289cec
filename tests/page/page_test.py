"""The page of attnspan report in a browser: it draws, it listens, it complains of nothing. With PICTURES in the
environment, a folder, screenshots of both themes and of a phone's width stay there."""

import json
import os
import pathlib
import subprocess
import tempfile
import unittest

from browser import Browser

PROGRAM = os.path.abspath(os.environ.get("ATTNSPAN", "build/attnspan"))
SOURCE = pathlib.Path(os.environ.get("ATTNSPAN_SOURCE", "."))
PICTURES = os.environ.get("PICTURES")
if PICTURES:
    os.makedirs(PICTURES, exist_ok=True)
RESULTS = SOURCE / "tests/golden/three-tasks.json"


class PageTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory(prefix="attnspan-page-")
        cls.browser = Browser()
        cls.pages = 0
        cls.page = cls.report(RESULTS)

    @classmethod
    def tearDownClass(cls):
        cls.browser.close()
        cls.folder.cleanup()

    @classmethod
    def report(cls, *results):
        cls.pages += 1
        page = os.path.join(cls.folder.name, f"page-{cls.pages}.html")
        subprocess.run([PROGRAM, "report", *results, "-o", page], check=True)
        return page

    def open(self, width=1200, height=900, theme="light", page=None):
        self.browser.window(width, height, theme)
        self.browser.open(page or self.page)
        return self.browser

    def count(self, selector):
        return self.browser.run(f"document.querySelectorAll({json.dumps(selector)}).length")

    def text(self, selector):
        return self.browser.run(f"document.querySelector({json.dumps(selector)}).textContent")

    def test_everything_is_there_and_nothing_complains(self):
        for theme in ("light", "dark"):
            for width in (1200, 400):
                browser = self.open(width=width, theme=theme)
                self.assertEqual(browser.complaints(), [])
                self.assertEqual(browser.requests(), ["file://" + self.page])
                for section in ("words", "matrix", "accuracy", "differences", "training", "cost", "cells", "context"):
                    self.assertFalse(browser.run(f"document.getElementById('{section}').hidden"), section)
                self.assertTrue(browser.run("document.getElementById('depth').hidden"))
                self.assertEqual(self.count("#accuracy .plot > svg"), 3)
                self.assertEqual(self.count("#accuracy .plot:first-of-type .mean"), 12)
                self.assertEqual(self.count("#accuracy .seed"), 36)
                self.assertEqual(self.count("#accuracy .band"), 12)
                self.assertEqual(self.count("#accuracy .chance"), 3)
                self.assertEqual(self.count("#accuracy .shortcut"), 3)
                self.assertEqual(self.count("#training .plot > svg"), 3)
                self.assertEqual(self.count("#matrix tbody td"), 12)
                self.assertEqual(self.count("#cells tbody tr"), 36)
                # The page itself never scrolls sideways.
                self.assertLessEqual(browser.run("document.documentElement.scrollWidth"), width)
                if PICTURES:
                    browser.picture(os.path.join(PICTURES, f"page-{theme}-{width}.png"))

    def test_errors_and_heads_are_there_where_they_were_recorded(self):
        results = os.path.join(self.folder.name, "diagnosed.json")
        subprocess.run([PROGRAM, "sweep", "--task", "recall:pairs=4,alphabet=8", "--train-length", "32", "--attention",
                        "softmax,asentmax", "--steps", "200", "--layers", "2", "--heads", "4", "--d-model", "32", "--d-ff",
                        "32", "--multiples", "1,4,16", "--test-samples", "32", "--seeds", "2", "--threads", "2", "--diagnose",
                        "--quiet", "-o", results], check=True, stdout=subprocess.DEVNULL)
        page = self.report(results)
        for theme in ("light", "dark"):
            for width in (1200, 400):
                browser = self.open(width=width, theme=theme, page=page)
                self.assertEqual(browser.complaints(), [])
                self.assertFalse(browser.run("document.getElementById('errors').hidden"))
                self.assertEqual(self.count("#errors table"), 2)
                self.assertIn("shares the first key token", self.text("#errors"))
                self.assertEqual(self.count("#diagnosis .plot > svg"), 1)
                self.assertEqual(self.count("#diagnosis .mean"), 2 + self.count("#diagnosis .swatch .mean"))
                for measure in ("support", "mean_drift"):
                    browser.run(f"document.getElementById('diagnosis-figure').value = '{measure}'")
                    browser.run("document.getElementById('diagnosis-figure').dispatchEvent(new Event('change'))")
                    self.assertEqual(browser.complaints(), [])
                self.assertLessEqual(browser.run("document.documentElement.scrollWidth"), width)
                if PICTURES:
                    browser.picture(os.path.join(PICTURES, f"diagnosed-{theme}-{width}.png"))
        self.open()
        for section in ("errors", "diagnosis"):
            self.assertTrue(self.browser.run(f"document.getElementById('{section}').hidden"))

    def test_bits_per_byte(self):
        results = os.path.join(self.folder.name, "text.json")
        subprocess.run([PROGRAM, "sweep", "--task", f"text:file={SOURCE.resolve()}/docs,windows=4", "--train-length",
                        "64", "--min-train-length", "64", "--steps", "2", "--layers", "1", "--heads", "2", "--d-model",
                        "8", "--d-ff", "8", "--batch-size", "2", "--multiples", "1,8", "--attention",
                        "softmax,ssmax,entmax", "--quiet", "-o", results], check=True, stdout=subprocess.DEVNULL)
        page = self.report(results)
        for theme in ("light", "dark"):
            for width in (1200, 400):
                browser = self.open(width=width, theme=theme, page=page)
                self.assertEqual(browser.complaints(), [])
                self.assertEqual(self.text("#accuracy h2"), "Bits per byte against length")
                self.assertNotIn("chance", self.text("#accuracy .note"))
                self.assertEqual(self.count("#accuracy .rule"), 1)  # the best shortcut
                self.assertIn("Chance: 8.", self.text("#accuracy details"))
                # 16, 32 ... 512 bytes before, then all from the first on, then only the last two.
                for start, points in (("16", 6), ("1", 10), ("256", 2)):
                    browser.run(f"document.getElementById('position-from').value = '{start}'")
                    browser.run("document.getElementById('position-from').dispatchEvent(new Event('change'))")
                    drawn = browser.run("[...document.querySelectorAll('#positions .plot path.mean')]"
                                        ".map((line) => line.getAttribute('d').split(/[ML]/).length - 1)")
                    self.assertEqual(drawn, [points] * 3)
                rows = browser.run("[...document.querySelectorAll('#positions tbody tr')].map((row) => row.innerText)")
                self.assertEqual(len(rows), 3)
                self.assertLessEqual(browser.run("document.documentElement.scrollWidth"), width)
                if PICTURES:
                    browser.picture(os.path.join(PICTURES, f"bits-{theme}-{width}.png"))

    def test_the_page_of_inspect(self):
        models = os.path.join(self.folder.name, "models")
        subprocess.run([PROGRAM, "sweep", "--task", "copy", "--train-length", "16", "--steps", "20", "--layers", "2",
                        "--heads", "4", "--d-model", "32", "--d-ff", "32", "--multiples", "1", "--save-models", models,
                        "--attention", "asentmax", "--quiet", "-o", os.path.join(self.folder.name, "inspected.json")],
                       check=True, stdout=subprocess.DEVNULL)
        page = os.path.join(self.folder.name, "inspect.html")
        (model,) = os.listdir(models)
        subprocess.run([PROGRAM, "inspect", os.path.join(models, model), "--multiple", "4", "-o", page], check=True)
        for theme in ("light", "dark"):
            for width in (1200, 400):
                browser = self.open(width=width, theme=theme, page=page)
                self.assertEqual(browser.complaints(), [])
                self.assertEqual(self.count(".maps svg"), 8)
                self.assertGreater(self.count(".maps rect"), 100)
                self.assertLessEqual(browser.run("document.documentElement.scrollWidth"), width)
                if PICTURES:
                    browser.picture(os.path.join(PICTURES, f"inspect-{theme}-{width}.png"))

    def test_themes_differ_and_the_button_switches(self):
        ground = "getComputedStyle(document.body).backgroundColor"
        light = self.open(theme="light").run(ground)
        dark = self.open(theme="dark").run(ground)
        self.assertNotEqual(light, dark)
        self.browser.run("document.getElementById('theme').click()")
        self.assertEqual(self.browser.run(ground), light)
        self.browser.run("document.getElementById('theme').click()")
        self.assertEqual(self.browser.run(ground), dark)

    def test_hover_shows_the_figures(self):
        browser = self.open()
        self.assertEqual(self.count(".tip:not([hidden])"), 0)
        browser.run("document.querySelector('#accuracy .plot').scrollIntoView({block: 'center'})")
        box = browser.run("(({x, y, width, height}) => ({x, y, width, height}))"
                          "(document.querySelector('#accuracy .plot > svg').getBoundingClientRect())")
        browser.hover(box["x"] + box["width"] - 20, box["y"] + box["height"] / 2)
        tip = self.text("#accuracy .tip:not([hidden])")
        for part in ("1000x", "length 48,000", "softmax/nape63.9 [0.0, 100.0], seeds 10.4 to 93.8", "chancebelow 0.1%"):
            self.assertIn(part, tip)
        if PICTURES:
            browser.picture(os.path.join(PICTURES, "hover.png"), whole=False)
        browser.hover(1, 1)
        self.assertEqual(self.count(".tip:not([hidden])"), 0)

    def test_keys_reach_and_move_in_a_chart(self):
        browser = self.open()
        for _ in range(40):
            browser.press("Tab")
            if browser.run("document.activeElement.matches('.plot > svg')"):
                break
        self.assertIn("1x, length 48", self.text(".tip:not([hidden])"))
        browser.press("ArrowRight")
        self.assertIn("16x, length 768", self.text(".tip:not([hidden])"))
        browser.press("End")
        self.assertIn("1000x", self.text(".tip:not([hidden])"))
        browser.press("Escape")
        self.assertEqual(self.count(".tip:not([hidden])"), 0)

    def test_variants_are_switched_by_key(self):
        browser = self.open()
        browser.run("document.querySelector('.variants input').focus()")
        browser.press(" ")
        self.assertEqual(self.count("#accuracy .plot > svg .mean"), 9)
        self.assertEqual(self.count("#training .plot > svg .mean"), 9)
        browser.press(" ")
        self.assertEqual(self.count("#training .plot > svg .mean"), 12)

    def test_any_pair_gives_differences(self):
        browser = self.open()
        self.assertEqual(self.count("#differences .plot > svg"), 3)
        self.assertIn("asentmax/nape against softmax/nape: not distinguishable here", self.text("#differences .sentence"))
        browser.run("(() => { const pick = document.getElementById('difference-other'); pick.value = 'ssmax/nape';"
                    "pick.dispatchEvent(new Event('change')); })()")
        self.assertIn("asentmax/nape against ssmax/nape: ", self.text("#differences .sentence"))
        browser.run("(() => { const pick = document.getElementById('difference-one'); pick.value = 'ssmax/nape';"
                    "pick.dispatchEvent(new Event('change')); })()")
        self.assertEqual(self.count("#differences .plot > svg"), 0)
        self.assertEqual(browser.complaints(), [])

    def test_training_shows_the_loss_as_well(self):
        browser = self.open()
        before = browser.run("document.querySelector('#training .mean').getAttribute('d')")
        browser.run("(() => { const pick = document.getElementById('training-figure'); pick.value = 'loss';"
                    "pick.dispatchEvent(new Event('change')); })()")
        self.assertNotEqual(browser.run("document.querySelector('#training .mean').getAttribute('d')"), before)
        self.assertEqual(browser.complaints(), [])

    def test_cells_are_filtered(self):
        self.open().run("(() => { const box = document.getElementById('cell-filter'); box.value = 'sort entmax/ seed1';"
                        "box.dispatchEvent(new Event('input')); })()")
        self.assertEqual(self.count("#cells tbody tr:not([hidden])"), 2)
        self.assertIn("--only sort/softmax/nape/n16/lr0.003/seed0", self.text("#cells tbody tr:nth-child(25) code"))

    def test_data_are_saved(self):
        browser = self.open()
        folder = tempfile.mkdtemp(dir=self.folder.name)
        browser.call("Browser.setDownloadBehavior", behavior="allow", downloadPath=folder)
        for button in ("save-json", "save-csv"):
            browser.run(f"document.getElementById('{button}').click()")
        browser.run("new Promise((done) => setTimeout(done, 1500))")
        with open(os.path.join(folder, "attnspan-report.json")) as file:
            data = json.load(file)
        self.assertEqual(len(data["cells"]), 36)
        with open(os.path.join(folder, "attnspan-report.csv")) as file:
            csv = file.read()
        expected = subprocess.run([PROGRAM, "compare", RESULTS, "--baseline", "softmax", "--format", "csv"],
                                  check=True, capture_output=True, text=True).stdout
        self.assertEqual(csv, expected)

    def test_it_prints(self):
        pdf = self.open(theme="dark").print()
        self.assertTrue(pdf.startswith(b"%PDF"))
        if PICTURES:
            with open(os.path.join(PICTURES, "page.pdf"), "wb") as file:
                file.write(pdf)

    def test_depth_profiles_and_lost_cells(self):
        results = os.path.join(self.folder.name, "needle.json")
        subprocess.run([PROGRAM, "sweep", "--task", "needle", "--train-length", "32", "--steps", "20", "--layers", "1",
                        "--heads", "2", "--d-model", "16", "--d-ff", "16", "--batch-size", "8", "--warmup-steps", "5",
                        "--learning-rates", "3e-3", "--attention", "softmax,entmax", "--multiples", "1,2",
                        "--test-samples", "20", "--validation-samples", "16", "--seeds", "1", "--quiet", "-o", results],
                       check=True, stdout=subprocess.DEVNULL)
        browser = self.open(page=self.report(results))
        self.assertEqual(browser.complaints(), [])
        self.assertEqual(self.count("#depth table"), 2)
        self.assertEqual(self.count("#depth tbody td"), 40)
        self.assertIn("say nothing about training luck", self.text("#matrix"))
        if PICTURES:
            browser.picture(os.path.join(PICTURES, "needle.png"))

    def test_a_hostile_file_runs_no_script(self):
        with open(RESULTS) as file:
            result = json.load(file)
        evil = "</script><script>globalThis.evil = 1</script><img src=x onerror='globalThis.evil = 2'>"
        for cell in result["cells"]:
            for name in ("task", "key", "attention", "position"):
                cell[name] += evil
            for evaluation in cell["evaluations"]:
                evaluation["shortcuts"] = {evil: 0}
        result["context"][evil] = evil
        path = os.path.join(self.folder.name, "evil<img src=x onerror='globalThis.evil = 3'>.json")
        with open(path, "w") as file:
            json.dump(result, file)
        browser = self.open(page=self.report(path))
        browser.run("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
        for svg in range(3):
            browser.run(f"document.querySelectorAll('.plot > svg')[{svg}].dispatchEvent(new KeyboardEvent('keydown', {{key: 'Home'}}))")
        self.assertIsNone(browser.run("globalThis.evil"))
        self.assertEqual(self.count("img"), 0)
        self.assertEqual(browser.complaints(), [])
        self.assertEqual(len(browser.requests()), 1)


if __name__ == "__main__":
    unittest.main(verbosity=1)
