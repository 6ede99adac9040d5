# SPDX-FileCopyrightText: 2026 The concur-glib authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""Runs the programs of examples/python."""

import hashlib
import os
import re
import subprocess
import sys
import tempfile
import unittest

EXAMPLES = os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', '..', 'examples',
                        'python')
LIMIT = 120


class TestExamples(unittest.TestCase):
    def run_example(self, name, *arguments, status=0):
        """Returns its lines; what is drawn over counts as a line of its own."""
        result = subprocess.run([sys.executable, os.path.join(EXAMPLES, name + '.py'),
                                 *map(str, arguments)], stdin=subprocess.DEVNULL,
                                capture_output=True, text=True, timeout=LIMIT)
        self.assertEqual(result.returncode, status, result.stderr)
        self.errors = re.split('[\r\n]+', result.stderr.strip())
        self.assertNotIn('Traceback', result.stderr)
        return re.split('[\r\n]+', result.stdout.strip())

    def test_all_are_tested(self):
        names = {name[:-3] for name in os.listdir(EXAMPLES) if name.endswith('.py')}
        tested = {name[5:] for name in dir(self) if name.startswith('test_')}
        tested = {re.sub('__.*', '', name) for name in tested}
        self.assertLessEqual(names, tested)

    def test_spinner(self):
        lines = self.run_example('spinner', 30000)
        self.assertEqual(lines[-2], '3245 primes below 30000')
        self.assertRegex(lines[-1], r'^The spinner turned [1-9]\d* times$')

    def test_spinner__cancelled(self):
        # Far more than any machine counts in that time.
        lines = self.run_example('spinner', '--limit', 0.2, 2_000_000_000)
        self.assertRegex(lines[-2], r'^Cancelled at \d+%$')

    def test_background_task(self):
        lines = self.run_example('background_task', 0.5)
        beats = [line for line in lines if line.startswith('beat')]
        self.assertGreaterEqual(len(beats), 1)
        for number, line in enumerate(beats, 1):
            self.assertEqual(line, f'beat {number} in background')
        self.assertIn('Asked from the main thread: 42', lines)
        self.assertEqual(lines[-2:], ['The task cleans up', f'{len(beats)} beats while the '
                                      'main thread counted'])

    def test_digest_tree(self):
        with tempfile.TemporaryDirectory() as directory:
            expected = []
            for number in range(20):
                path = os.path.join(directory, f'{number:02}')
                content = str(number).encode() * number
                with open(path, 'wb') as file:
                    file.write(content)
                expected.append(f'{hashlib.sha256(content).hexdigest()} {path}')
            self.assertEqual(self.run_example('digest_tree', directory), expected)
            self.assertEqual(self.errors[-1], '20 files, 0 not readable')

    def test_worker_to_loop(self):
        files = [__file__, os.path.join(os.path.dirname(__file__), 'tap.py')]
        lines = self.run_example('worker_to_loop', *files)
        count = 0
        for path in files:
            with open(path, 'rb') as file:
                count += len(file.readlines())
        self.assertEqual(lines[-1], f'{count} lines; the highest total that a worker was told '
                         f'is {count}')
        self.assertEqual(len(lines), 3)

    def test_results_as_finished(self):
        with tempfile.TemporaryDirectory() as directory:
            expected = set()
            for number in range(5):
                path = os.path.join(directory, str(number))
                os.mkdir(path)
                with open(os.path.join(path, 'file'), 'wb') as file:
                    file.write(b'x' * number)
                expected.add((str(number), path))
            lines = self.run_example('results_as_finished',
                                     *(path for size, path in expected))
            self.assertEqual({tuple(line.split()) for line in lines}, expected)

    def test_downloads(self):
        lines = self.run_example('downloads', 20)
        total = sum(number * 100 for number in range(20))
        self.assertEqual(lines, [f'{total} bytes by blocking calls on eight threads',
                                 f'{total} bytes by asyncio on one thread'])

    def check_blocks(self, lines):
        """Returns who was at work, and who the program was."""
        self.assertIn(str([n * n for n in range(6)]), lines)
        ran = dict(re.fullmatch(r'(\d) is for process (\d+), .+', line).groups()
                   for line in lines if ' is for ' in line)
        self.assertEqual(sorted(ran), list('012345'))
        return set(ran.values()), re.search(r'the program is process (\d+)$', lines[-1])[1]

    def test_blocks(self):
        ran, program = self.check_blocks(self.run_example('blocks'))
        self.assertEqual(ran, {program})

    def test_blocks__processes(self):
        with open(os.path.join(EXAMPLES, 'blocks.py')) as file:
            text = file.read()
        one_line = text.replace('Pool = Concur.ThreadPoolExecutor\n',
                                'Pool = Concur.ProcessPoolExecutor\n')
        self.assertNotEqual(text, one_line)
        with tempfile.TemporaryDirectory() as directory:
            path = os.path.join(directory, 'blocks')
            with open(path + '.py', 'w') as file:
                file.write(one_line)
            ran, program = self.check_blocks(self.run_example(path))
        self.assertNotIn(program, ran)
        self.assertLessEqual(len(ran), 3)

    def test_grep_tree(self):
        with tempfile.TemporaryDirectory() as directory:
            for number in range(300):
                path = os.path.join(directory, f'{number:03}')
                with open(path, 'w', encoding='utf-8') as file:
                    file.write(f'nothing\na needle {number}\n' + 'x' * 10000 + '\nneedles\n')
            os.symlink('nowhere', os.path.join(directory, 'dangling'))
            lines = self.run_example('grep_tree', 'need.e', directory)
            self.assertEqual(len(lines), 600)
            self.assertEqual(lines[0], os.path.join(directory, '000') + ':2:a needle 0')
            self.assertEqual(lines[-1], os.path.join(directory, '299') + ':4:needles')
            self.assertEqual(self.errors, ['300 files searched', '600 lines'])

            # The reading ends with the third line, give or take what there is room for.
            lines = self.run_example('grep_tree', '--max-count', 3, 'needle', directory)
            self.assertEqual(len(lines), 3)
            self.assertEqual(self.errors[-1], '3 lines')
            searched = int(self.errors[0].split()[0])
            self.assertTrue(2 <= searched < 300, searched)

    def test_hash_chain(self):
        with tempfile.TemporaryDirectory() as directory:
            path = os.path.join(directory, 'file')
            lines = [f'line {number}'.encode() * (number % 50) for number in range(3000)]
            with open(path, 'wb') as file:
                file.write(b'\n'.join(lines) + b'\n')
            digest = bytes(32)
            for line in lines:
                digest = hashlib.sha256(digest + line).digest()
            self.assertEqual(self.run_example('hash_chain', path),
                             [f'{who} 3000 lines, {digest.hex()}' for who in ('server', 'direct')])

    def test_wrong_arguments(self):
        for name in ('hash_chain', 'search_as_you_type'):
            self.run_example(name, status=2)
            self.assertEqual(self.errors[0].split()[:2], ['usage:', name + '.py'])

    def test_search_as_you_type(self):
        with tempfile.TemporaryDirectory() as directory:
            path = os.path.join(directory, 'file')
            with open(path, 'w', encoding='utf-8') as file:
                file.writelines(f'line {number}\n' for number in range(200000))
            *lines, summary = self.run_example('search_as_you_type', path, 'line 199999')
            self.assertEqual(lines, ['200000:line 199999', 'line 199999: 1 lines'])
            match = re.fullmatch(r'10 searches cancelled, (\d+) lines looked at', summary)
            # Far less than if each had gone to its end.
            self.assertTrue(200000 <= int(match[1]) < 11 * 200000 // 2, summary)


if __name__ == '__main__':
    unittest.main()
