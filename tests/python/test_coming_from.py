# SPDX-FileCopyrightText: 2026 The concur-glib authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""What doc/coming-from-asyncio.md and its like say: their programs, names and tests."""

import pathlib
import re
import unittest

from util import Concur, run_script

HERE = pathlib.Path(__file__).resolve().parent
PAGES = {name: (HERE.parent.parent / 'doc' / f'coming-from-{name}.md').read_text()
         for name in ('asyncio', 'asyncio_extras', 'aiomisc', 'asynciothread')}


class TestPages(unittest.TestCase):
    def test_programs(self):
        for name, page in PAGES.items():
            programs = re.findall(r'^```python\n(.*?)^```$', page, re.DOTALL | re.MULTILINE)
            self.assertTrue(programs)
            for program in programs:
                expected = re.findall(r'^print.*\)  # (.*)$', program, re.MULTILINE)
                self.assertTrue(expected)
                with self.subTest(name):
                    out, err = run_script(program)
                    self.assertEqual((out.splitlines(), err), (expected, ''))

    def test_names(self):
        for page_name, page in PAGES.items():
            names = set(re.findall(r'`@?Concur\.([\w.]+)', page))
            self.assertGreater(len(names), 5)
            for name in sorted(names):
                with self.subTest(page_name, name=name):
                    thing = Concur
                    for part in name.split('.'):
                        thing = getattr(thing, part)

    def test_each_difference_has_its_test(self):
        for page_name, page in PAGES.items():
            rows = [line for line in page.partition('## What is different')[2].splitlines()
                    if line.startswith('| ') and not line.startswith('| here')]
            self.assertGreater(len(rows), 12)
            for row in rows:
                named = re.findall(r'`(\w+): (\w+)\.(test_\w+)`', row)
                with self.subTest(page_name, row=row):
                    self.assertTrue(named)
                    for name, case, test in named:
                        text = (HERE / f'test_{name}.py').read_text()
                        body = re.search(rf'^class {case}\b.*?(?=^class |\Z)', text,
                                         re.DOTALL | re.MULTILINE)
                        self.assertIsNotNone(body, case)
                        self.assertRegex(body.group(), rf'\n    def {test}\b')


if __name__ == '__main__':
    unittest.main()
