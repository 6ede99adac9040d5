/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "concur-error.h"

/**
 * concur_future_error_quark:
 *
 * Gets the error domain of futures, %CONCUR_FUTURE_ERROR.
 *
 * Returns: the domain
 *
 * Since: 1.0
 */
G_DEFINE_QUARK (concur-future-error-quark, concur_future_error)

/**
 * concur_executor_error_quark:
 *
 * Gets the error domain of executors, %CONCUR_EXECUTOR_ERROR.
 *
 * Returns: the domain
 *
 * Since: 1.0
 */
G_DEFINE_QUARK (concur-executor-error-quark, concur_executor_error)
