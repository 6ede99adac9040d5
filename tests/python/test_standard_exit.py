# SPDX-FileCopyrightText: 2026 The concur-glib authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""The end of a program that uses Concur.ThreadPoolExecutor."""

import textwrap
import unittest

from standard_util import run_script

class TestExit(unittest.TestCase):
    def printed(self, text):
        out, errors = run_script('import threading\n' + textwrap.dedent(text))
        self.assertEqual(errors, '')
        return out.split()

    def test_runs_what_is_queued(self):
        self.assertEqual(self.printed('''
            pool = Concur.ThreadPoolExecutor(1)
            pool.submit(print, 'a')
            pool.submit(print, 'b')
        '''), ['a', 'b'])

    def test_waits_for_what_runs(self):
        for end in ('', 'pool.shutdown(wait=False)', 'del pool',
                    'pool.shutdown(wait=False, cancel_futures=True)'):
            self.assertEqual(self.printed(f'''
                begun = threading.Event()
                other = Concur.ThreadPoolExecutor(1)
                def work():
                    begun.set()
                    try:
                        # Until the end has come.
                        while True:
                            other.submit(int).result()
                    except RuntimeError as error:
                        print('ran', flush=True)
                pool = Concur.ThreadPoolExecutor(1)
                pool.submit(work)
                begun.wait()
                {end}
            '''), ['ran'], end)

    def test_not_for_ever_if_told_so(self):
        # Its job never ends.
        self.assertEqual(self.printed('''
            for limit in 0, 0.05:
                begun = threading.Event()
                pool = Concur.ThreadPoolExecutor(1, wait_at_exit=limit)
                pool.submit(lambda: (begun.set(), threading.Event().wait()))
                begun.wait()
            print('end')
        '''), ['end'])

    def test_submit_at_the_end(self):
        self.assertEqual(self.printed('''
            import atexit
            @atexit.register
            def late():
                try:
                    pool.submit(int)
                except RuntimeError as error:
                    print(error)
            pool = Concur.ThreadPoolExecutor(1)
            pool.submit(int)
        '''), 'cannot schedule new futures after interpreter shutdown'.split())

    def test_error_is_quiet(self):
        self.assertEqual(self.printed('''
            pool = Concur.ThreadPoolExecutor(1)
            pool.submit(lambda: 1 / 0)
        '''), [])

    def test_often(self):
        for i in range(15):
            self.assertEqual(len(self.printed('''
                pool = Concur.ThreadPoolExecutor(3)
                for i in range(20):
                    pool.submit(print, f'{i}\\n', end='')
                pool = Concur.ThreadPoolExecutor(3)
                pool.submit(print, '20\\n', end='').result()
            ''')), 21)


if __name__ == '__main__':
    unittest.main()
