// SPDX-FileCopyrightText: 2026 The concur-glib authors
// SPDX-License-Identifier: LGPL-2.1-or-later

/* camelCase beside snake_case, for every method and function there is. */

const {define} = imports.overrides._concur.values;

const CLASSES = ['Batch', 'Batcher', 'BatcherJob', 'Channel', 'ContextExecutor', 'Executor',
    'Future', 'Job', 'Limiter', 'LoopThread', 'ProcessCall', 'ProcessExecutor', 'ProcessWorker',
    'Promise', 'Retry', 'Snapshot', 'TaskGroup', 'ThreadExecutor', 'WorkerCall'];

function install(Concur) {
    for (const name of CLASSES) {
        alias(Concur[name]);
        alias(Concur[name].prototype);
    }
    alias(Concur);
}

function toCamelCase(name) {
    return name.replace(/_([a-z])/g, (_, letter) => letter.toUpperCase());
}

/* Properties have had both names all along. */
function alias(target) {
    for (const name of Object.getOwnPropertyNames(target)) {
        const camel = toCamelCase(name);

        if (camel === name || name.startsWith('_'))
            continue;
        const {value} = Object.getOwnPropertyDescriptor(target, name);
        if (typeof value === 'function')
            define(target, camel, value);
    }
}
