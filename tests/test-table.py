#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 The concur-glib authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""Every test that the table in tests/README.md names exists, and no cell is empty."""

import ast
import os
import re
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
LANGUAGES = ['C', 'Python', 'JavaScript', 'Vala']


def read(*path):
    with open(os.path.join(HERE, *path), encoding='utf-8') as file:
        return file.read()


def sources(folder, suffix):
    return {name: read(folder, name) for name in sorted(os.listdir(os.path.join(HERE, folder)))
            if name.endswith(suffix)}


class Tests:
    """What tests there are."""

    def __init__(self):
        self.paths = {
            'C': set(re.findall(r'"(/[\w/-]+)"', '\n'.join(sources('c', '.c').values()))),
            'Vala': set(re.findall(r'"(/[\w/-]+)"', '\n'.join(sources('vala', '.vala').values()))),
        }
        self.python = set()
        for name, text in sources('python', '.py').items():
            for node in ast.parse(text).body:
                if isinstance(node, ast.ClassDef):
                    # A whole class, some of which make their tests.
                    self.python.add(f'{name[:-3]}.{node.name}')
                    self.python.update(f'{name[:-3]}.{node.name}.{member.name}'
                                       for member in node.body
                                       if isinstance(member, ast.FunctionDef))
        self.titles = {}
        for name, text in sources('gjs', '.js').items():
            found = re.findall(r"""^ *test\((['`])((?:\\.|(?!\1).)*)\1""", text, re.MULTILINE)
            self.titles[name[:-3]] = {re.sub(r'\\(.)', r'\1', title) for _, title in found}

    def has(self, language, name):
        if language in self.paths:
            return (name in self.paths[language]
                    or os.path.exists(os.path.join(HERE, language.lower(), name)))
        if language == 'Python':
            return name in self.python
        file, _, title = name.partition(': ')
        return file in self.titles and (not title or title in self.titles[file])


def rows(text):
    """Yields (behaviour, cells) of the table of behaviours."""
    table = text[text.index('| behaviour |'):].split('\n\n')[0].splitlines()
    if [cell.strip() for cell in table[0].strip('|').split('|')][1:] != LANGUAGES:
        raise SystemExit('the table has other columns')
    for line in table[2:]:
        behaviour, *cells = [cell.strip() for cell in line.strip('|').split('|')]
        if not behaviour.startswith('**'):
            yield behaviour, cells


def problems(behaviour, cells, tests):
    if len(cells) != len(LANGUAGES):
        yield f'{len(cells)} columns'
    for language, cell in zip(LANGUAGES, cells):
        names = re.findall('`([^`]+)`', cell)
        if cell.startswith('–'):
            if not cell[1:].strip():
                yield f'{language}: no reason'
        elif not names:
            yield f'{language}: no test'
        for name in names:
            if not tests.has(language, name):
                yield f'{language}: {name} does not exist'


WRONG = '''
| behaviour | C | Python | JavaScript | Vala |
|---|---|---|---|---|
| **Section** | | | | |
| one | `/no/such` | `test_no.Such.test` | `test-no: such` | `/vala/no/such` |
| two | – | | `test-future: no such title` | – because |
| three | – because |
'''
EXPECTED = {
    'one': ['C: /no/such does not exist', 'Python: test_no.Such.test does not exist',
            'JavaScript: test-no: such does not exist', 'Vala: /vala/no/such does not exist'],
    'two': ['C: no reason', 'Python: no test',
            'JavaScript: test-future: no such title does not exist'],
    'three': ['1 columns'],
}


def main():
    tests = Tests()
    found = {behaviour: list(problems(behaviour, cells, tests))
             for behaviour, cells in rows(WRONG)}
    lines = [(found == EXPECTED, 'mistakes are found', str(found))]
    for behaviour, cells in rows(read('README.md')):
        wrong = list(problems(behaviour, cells, tests))
        lines.append((not wrong, behaviour, '; '.join(wrong)))
    lines.append((len(lines) > 20, f'{len(lines)} rows', ''))

    print(f'1..{len(lines)}')
    for number, (ok, name, wrong) in enumerate(lines, 1):
        print('ok' if ok else 'not ok', number, name)
        if not ok:
            print('#', wrong)
    return not all(ok for ok, _, _ in lines)


if __name__ == '__main__':
    sys.exit(main())
