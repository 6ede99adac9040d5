/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "concur-context-executor.h"
#include "concur-context-queue-private.h"

G_BEGIN_DECLS

/* Without a look at what it is: a post costs little more than the look-up would. */
ConcurContextQueue *concur_context_executor_get_queue (gpointer self);

G_END_DECLS
