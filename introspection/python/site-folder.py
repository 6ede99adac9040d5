# SPDX-FileCopyrightText: 2026 The concur-glib authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""usage: site-folder.py PREFIX

Prints the folder below PREFIX in which this interpreter looks for packages or, of a prefix
that it does not know, would if it were installed there.
"""

import os
import site
import sys
import sysconfig


def site_folder(prefix):
    searched = set(sys.path + site.getsitepackages() + [site.getusersitepackages()])
    for scheme in sysconfig.get_scheme_names():
        path = sysconfig.get_path('purelib', scheme)
        # Debian has three schemes below /usr, and Python's own is not searched there.
        if path in searched and os.path.relpath(path, prefix).startswith('lib'):
            return path
    base = {'base': prefix, 'installed_base': prefix}
    return sysconfig.get_path('purelib', 'posix_prefix', base)


if __name__ == '__main__':
    print(site_folder(sys.argv[1]))
