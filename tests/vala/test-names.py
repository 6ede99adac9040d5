#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 The concur-glib authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""test-names.py VAPI: what the binding for Vala calls things, and what it lets be left out.

A program says "using Concur;" beside "using GLib;", and perhaps "using Gtk;": a type that
two of them have is an error wherever it is used.
"""

import glob
import re
import sys

# Where valac keeps what it comes with, on any system; a machine may lack some of them.
OTHERS = ('glib-2.0', 'gobject-2.0', 'gio-2.0', 'gtk4', 'gtk+-3.0')
FOLDERS = ('/usr/share/vala*/vapi', '/usr/share/vala/vapi', '/usr/local/share/vala*/vapi')
NEEDED = 'glib-2.0'

TYPE = re.compile(r'^\t(?:public |sealed |abstract |static )*'
                  r'(?:class|interface|struct|enum|errordomain|namespace|delegate [\w.<>?\[\] ]+?)'
                  r' (?:unowned )?(\w+)\b', re.MULTILINE)
# A method or constructor with its parameters; those of the attributes in them are taken out.
METHOD = re.compile(r'^\t+public .*?\w(?:<T>)? \((.*)\)(?: throws [\w., ]+)?;$')
ATTRIBUTE = re.compile(r'\[[^\[\]]*\] ')
OPTIONAL = re.compile(r'(?:GLib\.Cancellable|Concur\.Executor|GLib\.MainContext)\? \w+$|'
                      r'int64 timeout_us$')
# A word of Vala as the name of a member is an error for whoever calls it.
KEYWORDS = set('''abstract as async base break case catch class const construct continue
    default delegate delete do dynamic else ensures enum errordomain extern finally for
    foreach get if in inline interface internal is lock namespace new null out override
    owned params private protected public ref requires return sealed set signal sizeof
    static struct switch this throw throws true false try typeof unlock unowned using var
    virtual void volatile weak while with yield'''.split())


def types(text):
    return set(TYPE.findall(text))


def vapis(name):
    return [path for folder in FOLDERS for path in glob.glob(f'{folder}/{name}.vapi')]


def read(path):
    with open(path, encoding='utf-8') as file:
        return file.read()


def check_clashes(text):
    problems = []
    ours = types(text)
    if not {'Future', 'FutureError', 'Work', 'Executor', 'JobFunc'} <= ours:
        problems.append(f'not found in the vapi: some of {sorted(ours)}')
    for name in OTHERS:
        for path in vapis(name):
            theirs = types(read(path))
            problems += [f'{clash} is in {name}, too' for clash in sorted(ours & theirs)]
    return problems


def must_be_given(line):
    """The optional parameters without a default, unless one that is needed comes after them."""
    found = METHOD.match(line)
    if not found or ' delegate ' in line:
        return []
    missing = []
    for parameter in reversed(ATTRIBUTE.sub('', found[1]).split(', ')):
        if OPTIONAL.search(parameter):
            missing.append(parameter)
        elif ' = ' not in parameter:
            break
    return missing


def check_optional(text):
    # A time limit is what with_timeout () is for.
    return [f'cannot be left out: {missing} of {line.strip()}' for line in text.splitlines()
            for missing in must_be_given(line) if ' with_timeout ' not in line]


def check_members(text):
    members = re.findall(r'\b(\w+)(?:<T>)? \(', text)
    return [f'{name} is a word of Vala' for name in members if name in KEYWORDS]


def check_header(text):
    headers = set(re.findall(r'cheader_filename = "([^"]*)"', text))
    return [] if headers == {'concur.h'} else [f'headers are {sorted(headers)}']


def check_rules(_):
    """Each rule finds a mistake that was put there."""
    wrong = {
        check_clashes: '\tpublic enum Priority {\n',
        check_optional: '\t\tpublic void use ([CCode (pos = 1.5)] int n, int64 timeout_us, '
                        'GLib.Cancellable? cancellable = null) throws GLib.Error;\n',
        check_members: '\t\tpublic void yield ();\n',
        check_header: '[CCode (cheader_filename = "Concur-1.h")]\n',
    }
    return [f'{rule.__name__} does not find {text.strip()!r}'
            for rule, text in wrong.items() if not rule(text)]


def main():
    text = read(sys.argv[1])
    rules = (check_clashes, check_optional, check_members, check_header, check_rules)
    failed = False
    print(f'1..{len(rules)}')
    for number, rule in enumerate(rules, 1):
        if rule is check_clashes and not vapis(NEEDED):
            print('ok', number, f'# SKIP {NEEDED}.vapi is not where it is looked for')
            continue
        problems = rule(text)
        failed |= bool(problems)
        print('not ok' if problems else 'ok', number, rule.__name__)
        for problem in problems:
            print('#', problem)
    return 1 if failed else 0


sys.exit(main())
