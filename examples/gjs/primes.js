// SPDX-FileCopyrightText: 2026 The concur-glib authors
// SPDX-License-Identifier: LGPL-2.1-or-later

/* What the workers of cpu-fan-out.js can do. */

function isPrime(n) {
    if (n < 2)
        return false;
    for (let i = 2; i * i <= n; i++) {
        if (n % i === 0)
            return false;
    }
    return true;
}

/* How many primes there are from one number up to, and without, another. */
export function count(from, to) {
    let found = 0;

    for (let n = from; n < to; n++)
        found += isPrime(n);
    return found;
}
