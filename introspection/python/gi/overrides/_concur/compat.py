# SPDX-FileCopyrightText: 2026 The concur-glib authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""Other libraries' names for what is here: Concur.compat.asyncio_extras and
Concur.compat.aiomisc, each made when it is first asked for."""

import importlib

_NAMES = ('aiomisc', 'asyncio_extras')

__all__ = list(_NAMES)


def __getattr__(name):
    if name not in _NAMES:
        raise AttributeError(f'module {__name__!r} has no attribute {name!r}')
    module = importlib.import_module(f'{__package__}.compat_{name}')
    globals()[name] = module
    return module


def __dir__():
    return sorted({*globals(), *_NAMES})
