# SPDX-FileCopyrightText: 2026 The concur-glib authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""Runs one file of unittest's tests and prints TAP.

usage: tap.py FILE [NAME...]
"""

import faulthandler
import gc
import importlib.util
import os
import sys
import traceback
import unittest

# Before meson's own limit, which shows nothing.
LIMIT = 170


class Result(unittest.TestResult):
    def __init__(self, stream):
        super().__init__()
        self.tap = stream
        self.count = 0

    def line(self, ok, test, directive=''):
        self.count += 1
        name = test.id().split('.', 1)[-1].replace('#', '')
        print(f'{"" if ok else "not "}ok {self.count} {name}{directive}', file=self.tap,
              flush=True)

    def diagnose(self, error):
        # Not as TAP's comments: meson's summary leaves those out.
        traceback.print_exception(*error)

    def addSuccess(self, test):
        self.line(True, test)

    def addFailure(self, test, error):
        super().addFailure(test, error)
        self.line(False, test)
        self.diagnose(error)

    addError = addFailure

    def addSubTest(self, test, subtest, error):
        if error is not None:
            self.addFailure(subtest, error)

    def addSkip(self, test, reason):
        super().addSkip(test, reason)
        self.line(True, test, f' # SKIP {reason}')

    def addExpectedFailure(self, test, error):
        self.line(False, test, ' # TODO')

    def addUnexpectedSuccess(self, test):
        super().addUnexpectedSuccess(test)
        self.line(True, test, ' # TODO')


def load(path):
    name = os.path.splitext(os.path.basename(path))[0]
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def main():
    path, names = sys.argv[1], sys.argv[2:]
    sys.argv[1:] = []
    sys.path.insert(0, os.path.dirname(os.path.abspath(path)))
    faulthandler.enable()
    faulthandler.dump_traceback_later(LIMIT * int(os.environ.get('CONCUR_TEST_SCALE', 1)),
                                      exit=True)

    # What a test prints goes elsewhere: TAP has standard output for itself.
    tap = os.fdopen(os.dup(1), 'w')
    os.dup2(2, 1)

    module = load(path)
    loader = unittest.defaultTestLoader
    suite = (loader.loadTestsFromNames(names, module) if names
             else loader.loadTestsFromModule(module))
    result = Result(tap)
    suite.run(result)
    print(f'1..{result.count}', file=tap, flush=True)
    gc.collect()
    faulthandler.cancel_dump_traceback_later()
    sys.exit(0 if result.wasSuccessful() and result.count else 1)


if __name__ == '__main__':
    main()
