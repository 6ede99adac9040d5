# SPDX-FileCopyrightText: 2026 The concur-glib authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""What the tests of examples/c have in common: they run a program, whose path is their
first argument, and look at what it prints and how it ends. Sanitizers make it fail at its
end if it leaked."""

import os
import subprocess
import sys
import tempfile
import threading
import unittest

# For one run of a program, which takes well under a second; generous for sanitizers on a
# busy machine.
LIMIT = 60

program = None


class ExampleTest(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory(prefix='concur-example-')
        self.addCleanup(directory.cleanup)
        self.directory = directory.name

    def path(self, name):
        return os.path.join(self.directory, name)

    def write(self, name, content=''):
        with open(self.path(name), 'w', encoding='utf-8') as file:
            file.write(content)
        return self.path(name)

    def run_program(self, *arguments, status=0, **options):
        """Returns what it printed, as two strings."""
        result = subprocess.run([program, *arguments], stdin=subprocess.DEVNULL,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                timeout=LIMIT, **options)
        self.assertEqual(result.returncode, status, result.stdout + result.stderr)
        return result.stdout, result.stderr

    def start_program(self, *arguments, stdin=subprocess.DEVNULL):
        """It is killed after the limit, so that nobody reads what it prints for ever."""
        process = subprocess.Popen([program, *arguments], stdin=stdin,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

        timer = threading.Timer(LIMIT, process.kill)
        timer.start()

        def stop():
            timer.cancel()
            if process.poll() is None:
                process.kill()
            process.communicate()
        self.addCleanup(stop)
        return process

    def end_program(self, process, status=0):
        """Waits for its end. Returns what it printed last, as two strings."""
        stdout, stderr = process.communicate(timeout=LIMIT)
        self.assertEqual(process.returncode, status, stdout + stderr)
        return stdout, stderr


def main():
    global program
    program = os.path.abspath(sys.argv.pop(1))
    unittest.main(verbosity=2, module='__main__')
