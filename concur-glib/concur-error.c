/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "concur-error.h"

/* Not G_DEFINE_QUARK (), which writes its variable on several threads at once: harmless,
 * but ThreadSanitizer is right to report it. */
#define DEFINE_QUARK(name)                                                                         \
  GQuark concur_##name##_error_quark (void)                                                        \
  {                                                                                                \
    static gsize quark;                                                                            \
                                                                                                   \
    if (g_once_init_enter (&quark))                                                                \
      g_once_init_leave (&quark, g_quark_from_static_string ("concur-" #name "-error-quark"));     \
                                                                                                   \
    return (GQuark) quark;                                                                         \
  }

/**
 * concur_future_error_quark:
 *
 * Gets the error domain of futures, %CONCUR_FUTURE_ERROR.
 *
 * Returns: the domain
 *
 * Since: 1.0
 */
DEFINE_QUARK (future)

/**
 * concur_executor_error_quark:
 *
 * Gets the error domain of executors, %CONCUR_EXECUTOR_ERROR.
 *
 * Returns: the domain
 *
 * Since: 1.0
 */
DEFINE_QUARK (executor)

/**
 * concur_channel_error_quark:
 *
 * Gets the error domain of channels, %CONCUR_CHANNEL_ERROR.
 *
 * Returns: the domain
 *
 * Since: 1.0
 */
DEFINE_QUARK (channel)
