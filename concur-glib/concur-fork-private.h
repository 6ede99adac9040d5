/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* A process forked from one that uses the library has none of its threads: there,
 * nothing is ever done, and every call that would need them says so at once. */

#pragma once

#include "concur-exit-private.h"

G_BEGIN_DECLS

/* Before the first thread is started: remembers to notice a fork. */
void concur_fork_watch (void);

G_END_DECLS
