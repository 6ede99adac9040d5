// SPDX-FileCopyrightText: 2026 The concur-glib authors
// SPDX-License-Identifier: LGPL-2.1-or-later

/* What a worker process in JavaScript runs: `gjs -m worker-main.js`. */

import Concur from 'gi://Concur';

await Concur.ProcessWorker.new().serve(uri => import(uri));
