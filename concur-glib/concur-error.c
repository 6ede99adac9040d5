/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "concur-error.h"

G_DEFINE_QUARK (concur-future-error-quark, concur_future_error)
G_DEFINE_QUARK (concur-executor-error-quark, concur_executor_error)
