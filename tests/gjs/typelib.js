// SPDX-FileCopyrightText: 2026 The concur-glib authors
// SPDX-License-Identifier: LGPL-2.1-or-later

/* What the typelib says there is. */

import 'gi://Concur';
import GIR from 'gi://GIRepository?version=2.0';

const {InfoType} = GIR;
const repository = GIR.Repository.get_default();

const CONTAINERS = new Map([
    [InfoType.OBJECT, 'object'],
    [InfoType.INTERFACE, 'interface'],
    [InfoType.ENUM, 'enum'],
    [InfoType.FLAGS, 'enum'],
]);

function list(info, prefix, plural, singular) {
    const count = GIR[`${prefix}_info_get_n_${plural}`];
    const get = GIR[`${prefix}_info_get_${singular}`];

    return Array.from({length: count?.(info) ?? 0}, (_, i) => get(info, i));
}

const names = infos => infos.map(info => info.get_name());

function callableOf(info) {
    const callbacks = [];
    for (let i = 0; i < GIR.callable_info_get_n_args(info); i++) {
        const type = GIR.arg_info_get_type(GIR.callable_info_get_arg(info, i));
        if (GIR.type_tag_to_string(GIR.type_info_get_tag(type)) !== 'interface')
            continue;
        const target = GIR.type_info_get_interface(type);
        if (target.get_type() === InfoType.CALLBACK && target.get_name() !== 'DestroyNotify')
            callbacks.push(target.get_name());
    }
    return {
        name: info.get_name(),
        callbacks,
        isMethod: (GIR.function_info_get_flags(info) & GIR.FunctionInfoFlags.IS_METHOD) !== 0,
    };
}

/* {classes, enums, functions, constants}, by name. */
export function read() {
    const result = {classes: {}, enums: {}, functions: [], constants: []};

    for (let i = 0; i < repository.get_n_infos('Concur'); i++) {
        const info = repository.get_info('Concur', i);
        const name = info.get_name();
        const type = info.get_type();
        const prefix = CONTAINERS.get(type);

        if (type === InfoType.FUNCTION) {
            result.functions.push(callableOf(info));
        } else if (type === InfoType.CONSTANT) {
            result.constants.push(name);
        } else if (prefix === 'enum') {
            result.enums[name] = {
                values: names(list(info, prefix, 'values', 'value')),
                functions: list(info, prefix, 'methods', 'method').map(callableOf),
            };
        } else if (prefix) {
            result.classes[name] = {
                isInterface: prefix === 'interface',
                methods: list(info, prefix, 'methods', 'method').map(callableOf),
                vfuncs: names(list(info, prefix, 'vfuncs', 'vfunc')),
                properties: names(list(info, prefix, 'properties', 'property')),
                signals: names(list(info, prefix, 'signals', 'signal')),
            };
        }
    }
    return result;
}

/* Every function that takes another one: [where, name, callbacks, function]. */
export function takersOfCallbacks(Concur) {
    const {classes, enums, functions} = read();
    const found = [];
    const add = (where, holder, {name, callbacks}) => {
        if (callbacks.length)
            found.push({what: `${where}${name}`, callbacks, function: holder[name]});
    };

    for (const [name, {methods}] of Object.entries(classes)) {
        for (const method of methods)
            add(`${name}.`, method.isMethod ? Concur[name].prototype : Concur[name], method);
    }
    for (const [name, each] of Object.entries(enums)) {
        for (const method of each.functions)
            add(`${name}.`, Concur[name], method);
    }
    for (const one of functions)
        add('', Concur, one);
    return found;
}
